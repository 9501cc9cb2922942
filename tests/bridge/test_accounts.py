"""Several Sense accounts in one bridge: each on its own, on the topics of one."""

from sense_mqtt.errors import LoginRefused
from sense_mqtt.items import AuthChanged
from sense_mqtt.sense.auth.tokens import Account, Monitor
from sense_mqtt.sense.rest_queries.call_budget import MAX_RECONNECTIONS
from tests.support.bridge.bridge_harness import BridgeHarness, asked, warnings
from tests.support.core.builders import DRYER

TWO = {"accounts": [{"name": "home"}, {"name": "cabin"}]}


def bridge_of(folder, home=(7,), cabin=(8,), **config):
    bridge = BridgeHarness(folder, **{**TWO, **config})
    for name, monitors in (("home", home), ("cabin", cabin)):
        bridge.sessions[name].told = Account(42, tuple(Monitor(number) for number in monitors))
    return bridge


def test_the_monitors_of_all_accounts_are_on_the_usual_topics(tmp_path):
    bridge = bridge_of(tmp_path)
    bridge.begin()
    bridge.open_feed(8)
    for monitor in (7, 8):
        bridge.show(at=1, monitor=monitor)
        bridge.show(DRYER, at=2, monitor=monitor)
    assert [document["monitor"] for document in bridge.documents("1a2b3c4d/event")] == [7, 8]
    assert bridge.newest("sense/8/device/1a2b3c4d/state") == "ON"
    assert bridge.documents("bridge/info")[-1]["monitors"] == [7, 8]


def test_each_account_is_asked_about_its_own_monitors(tmp_path):
    bridge = bridge_of(tmp_path)
    bridge.begin()
    bridge.sessions["cabin"].responses["app/monitors/8/devices"] = [{"id": "of the cabin"}]
    asked_of_home = len(bridge.sessions["home"].asked)
    assert asked(bridge, "devices", {"monitor": 8})[-1]["data"] == [{"id": "of the cabin"}]
    assert len(bridge.sessions["home"].asked) == asked_of_home


def test_an_account_that_is_refused_harms_no_other_and_is_named(tmp_path):
    bridge = bridge_of(tmp_path)
    bridge.sessions["cabin"].told = LoginRefused("wrong password")
    bridge.connect()
    bridge.take(AuthChanged("ok", "logged in", account=0), AuthChanged("auth_required", "refused", account=1))
    bridge.work()
    bridge.pass_time(5)
    bridge.open_feed(7)
    bridge.show(at=6)
    bridge.show(DRYER, at=7)
    assert bridge.newest("sense/7/device/1a2b3c4d/state") == "ON"
    (event,) = bridge.documents("bridge/event")
    assert (event["event_type"], event["account"], event["reason"]) == ("auth_required", "cabin", "refused")
    health = bridge.health
    assert (health["auth"], health["feeds"]) == ("auth_required", {"7": "stream"})
    calls = {"rest_last_hour": 0, "logins_last_hour": 0}
    assert health["accounts"] == {
        "home": {"auth": "ok", "monitors": [7], **calls},
        "cabin": {"auth": "auth_required", "monitors": [], **calls},
    }


def test_an_account_that_recovers_brings_its_monitors_and_says_so(tmp_path):
    bridge = bridge_of(tmp_path)
    told, bridge.sessions["cabin"].told = bridge.sessions["cabin"].told, LoginRefused("wrong password")
    bridge.begin()
    bridge.take(AuthChanged("auth_required", "refused", account=1))
    bridge.sessions["cabin"].told = told
    bridge.take(AuthChanged("ok", "logged in", account=1))
    bridge.pass_time(10)
    assert bridge.documents("bridge/info")[-1]["monitors"] == [7, 8]
    assert [event["account"] for event in bridge.documents("bridge/event")] == ["cabin", "cabin"]


def test_a_monitor_that_two_accounts_have_is_served_once_and_that_is_said(tmp_path, caplog):
    bridge = bridge_of(tmp_path, home=(7,), cabin=(7, 8))
    bridge.begin()
    assert sorted(bridge.feeds) == [7, 8]
    assert bridge.health["accounts"]["cabin"]["monitors"] == [8]
    (told,) = [text for text in warnings(caplog) if "both have" in text]
    assert "home and cabin both have monitor 7: it is served by home" in told


def test_two_homes_have_two_names_in_home_assistant(tmp_path):
    bridge = bridge_of(tmp_path)
    bridge.begin()
    names = [bridge.documents(f"device/sense_mqtt_{monitor}/config")[-1]["device"]["name"] for monitor in (7, 8)]
    assert names == ["Sense 7", "Sense 8"]


def test_a_request_without_a_monitor_is_refused_where_two_accounts_have_one_each(tmp_path):
    bridge = bridge_of(tmp_path)
    bridge.begin()
    assert bridge.ask("devices")["code"] == "bad_request"


def test_what_commands_may_cost_is_counted_for_each_account(tmp_path):
    bridge = bridge_of(tmp_path)
    bridge.begin()
    home, cabin = (account.access.budgets.reconnections for account in bridge.bridge.accounts.each)
    home.spend(MAX_RECONNECTIONS)
    assert bridge.ask("pause", {"monitor": 7})["code"] == "rate_limited"
    assert bridge.ask("pause", {"monitor": 8})["status"] == "ok"
    assert bridge.ask("restart")["code"] == "rate_limited"
    cabin.spend(MAX_RECONNECTIONS - 1)  # what was refused has cost the other account nothing


def test_one_account_without_a_name_is_described_as_ever(tmp_path):
    bridge = BridgeHarness(tmp_path)
    bridge.begin()
    bridge.take(AuthChanged("auth_required", "refused"))
    assert "accounts" not in bridge.health
    assert "account" not in bridge.documents("bridge/event")[-1]


# --- several processes


def shard_of(folder, index):
    bridge = bridge_of(folder, shard={"index": index, "count": 2})
    bridge.begin()
    return bridge


def test_processes_that_share_accounts_serve_their_own_below_a_bridge_of_their_own(tmp_path):
    first, second = shard_of(tmp_path / "0", 0), shard_of(tmp_path / "1", 1)
    assert [sorted(bridge.feeds) for bridge in (first, second)] == [[8], [7]]
    for bridge, level in ((first, "bridge-0"), (second, "bridge-1")):
        assert bridge.newest(f"sense/{level}/state") == "online"
        assert not [message for message in bridge.broker.published if message.topic.startswith("sense/bridge/")]


def test_each_process_answers_requests_of_its_own(tmp_path):
    bridge = shard_of(tmp_path, 1)
    bridge.send("sense/bridge-0/request/health")
    bridge.send("sense/bridge-1/request/health")
    (answer,) = bridge.documents("bridge-1/response/health")
    assert list(answer["data"]["accounts"]) == ["home"]
    assert not bridge.documents("bridge-0/response/health")


def test_a_process_takes_back_nothing_of_a_monitor_that_another_may_serve_by_now(tmp_path):
    bridge = bridge_of(tmp_path, home=(7, 9), cabin=(7, 9), shard={"index": 0, "count": 2})
    bridge.begin()
    assert bridge.published("device/sense_mqtt_9/config")
    bridge.sessions["home"].told = bridge.sessions["cabin"].told = Account(42, (Monitor(7),))
    bridge.restart()
    bridge.begin()
    assert not [message for message in bridge.published("device/sense_mqtt_9/config") if not message.payload]
    assert [message.payload for message in bridge.published("sense/9/availability")] == ["offline"]
