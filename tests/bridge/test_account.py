"""What belongs to one account: its monitors, its login, and what happens while Sense does not tell them."""

from sense_mqtt.errors import (
    JournalError,
    LoginRefused,
    SenseUnavailable,
    TokenRefused,
)
from sense_mqtt.items import AuthChanged
from sense_mqtt.sense.auth.tokens import Monitor
from tests.support.bridge.bridge_harness import RETRY_S, BridgeHarness, warnings


def test_each_monitor_of_the_account_gets_a_feed_and_is_introduced(tmp_path):
    bridge = BridgeHarness(tmp_path, Monitor(7), Monitor(8, solar=True))
    bridge.begin()
    assert [feed.told for feed in bridge.feeds.values()] == [["start"], ["start"]]
    assert bridge.documents("bridge/info")[-1]["monitors"] == [7, 8]
    configs = {message.topic for message in bridge.published("/config")}
    assert {"homeassistant/device/sense_mqtt_7/config", "homeassistant/device/sense_mqtt_8/config"} <= configs


def test_only_the_wanted_monitors_are_taken_and_one_that_is_missing_is_reported(tmp_path, caplog):
    bridge = BridgeHarness(tmp_path, Monitor(7), Monitor(8), sense={"monitors": [8, 9]})
    bridge.restart()
    bridge.connect()
    bridge.work()
    assert list(bridge.feeds) == [8]
    assert "sense.monitors: the account has no monitor 9, but [7, 8]" in caplog.text
    bridge.ask("status", {"monitor": 7})
    assert bridge.answers("status")[0]["code"] == "not_found"


OVERVIEW_OF_8 = {"monitor_overview": {"monitor": {"id": 8, "solar_configured": True}}}


def test_a_monitor_that_is_new_on_the_account_is_served_within_hours_and_without_a_login(bridge):
    bridge.session.responses["app/monitors/8/overview"] = OVERVIEW_OF_8
    bridge.session.responses["users/{user}/timeline"] = {
        "items": [{"monitor_id": 7}, {"monitor_id": 8}, {"monitor_id": 9}]
    }
    bridge.pass_time(6 * 3600 + 60, step_s=10.0)
    assert bridge.feeds[8].told == ["start"]
    assert bridge.documents("bridge/info")[-1]["monitors"] == [7, 8]
    assert list(bridge.feeds) == [7, 8]
    assert bridge.session.asked.count("app/monitors/9/overview") == 1


def test_a_monitor_that_the_configuration_names_and_no_login_reported_of_is_served_at_once(tmp_path, caplog):
    bridge = BridgeHarness(tmp_path, sense={"monitors": [8]})
    bridge.session.responses["app/monitors/8/overview"] = OVERVIEW_OF_8
    bridge.connect()
    bridge.work()
    assert list(bridge.feeds) == [8]
    assert "sense.monitors" not in caplog.text


def test_looking_for_new_monitors_that_fails_costs_no_known_one(bridge, caplog):
    bridge.session.responses["users/{user}/timeline"] = SenseUnavailable("HTTP 502")
    bridge.pass_time(6 * 3600 + 60, step_s=10.0)
    assert bridge.feeds[7].told == ["start"]
    bridge.session.responses["users/{user}/timeline"] = TokenRefused("HTTP 401")
    bridge.pass_time(60, step_s=10.0)
    assert warnings(caplog) == ["the Sense account: HTTP 502; trying again"]


def test_an_account_that_cannot_be_read_is_tried_again_and_reported_once(tmp_path, caplog):
    bridge = BridgeHarness(tmp_path)
    told, bridge.session.told = bridge.session.told, SenseUnavailable("HTTP 502")
    bridge.connect()
    bridge.pass_time(3.5 * RETRY_S)
    assert warnings(caplog) == ["the Sense account: HTTP 502; trying again"]
    bridge.session.told = told
    bridge.pass_time(RETRY_S)
    assert list(bridge.feeds) == [7]


def test_a_refused_login_parks_the_bridge_until_a_person_logged_in(tmp_path):
    bridge = BridgeHarness(tmp_path)
    told, bridge.session.told = bridge.session.told, LoginRefused("wrong password")
    bridge.connect()
    bridge.work()
    bridge.take(AuthChanged("auth_required", "wrong password"))
    assert bridge.documents("bridge/event")[-1]["reason"] == "wrong password"
    assert bridge.documents("bridge/health")[-1]["auth"] == "auth_required"
    assert bridge.newest("sense/bridge/state") == "online"
    bridge.pass_time(300)
    bridge.session.told = told
    bridge.take(AuthChanged("ok", "a stored session is at hand"))
    bridge.pass_time(RETRY_S)
    assert bridge.bridge_events() == ["auth_required", "auth_ok"]
    assert bridge.documents("bridge/health")[-1]["auth"] == "ok"
    assert list(bridge.feeds) == [7]


def test_a_journal_that_cannot_be_read_for_a_moment_does_not_cost_the_house(tmp_path, caplog):
    bridge = BridgeHarness(tmp_path)
    bridge.connect()
    recall, bridge.journal.recall = bridge.journal.recall, lambda _: (_ for _ in ()).throw(JournalError("no disk"))
    bridge.work()
    assert bridge.feeds == {}
    bridge.journal.recall = recall
    bridge.pass_time(RETRY_S)
    assert bridge.feeds[7].told == ["start"]
    assert warnings(caplog) == ["the Sense account: no disk; trying again"]
