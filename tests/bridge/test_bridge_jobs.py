"""What the bridge asks Sense without being asked, and what becomes of it when Sense does not answer."""

import pytest

from sense_mqtt.errors import (
    JournalError,
    LoginRefused,
    NotFound,
    RateLimited,
    RequestRefused,
    SenseUnavailable,
    TokenRefused,
)
from sense_mqtt.items import FrameArrived
from sense_mqtt.sense.auth.tokens import Account, Monitor
from tests.support.bridge.bridge_harness import RETRY_S, BridgeHarness, warnings
from tests.support.core.builders import DRYER

LIST, USAGE, TRENDS = "app/monitors/7/devices", "app/monitors/7/history/usage", "app/history/trends"
SOLAR = "app/monitors/7/history/usage/solar"


# --- devices, energy, timeline


def test_devices_and_each_period_of_energy_are_read_soon_after_the_start(bridge):
    bridge.pass_time(60)
    assert bridge.session.asked.count(LIST) == 1
    for scale in ("day", "week", "month", "year", "cycle"):
        assert '"consumption_kwh":1.5' in bridge.newest(f"sense/7/energy/{scale}")


def test_the_day_is_read_each_interval_and_longer_periods_each_fourth(bridge):
    bridge.pass_time(3600, step_s=10.0)
    in_the_first_hour = bridge.session.asked.count(USAGE)
    assert in_the_first_hour <= 5 + 4 * 2
    bridge.pass_time(3 * 3600, step_s=10.0)
    assert bridge.session.asked.count(USAGE) - in_the_first_hour == 4 * 3 + 4 * 3


def test_all_periods_are_read_within_fifteen_seconds_of_the_start(tmp_path):
    bridge = BridgeHarness(tmp_path, Monitor(7, solar=True))
    bridge.session.responses[SOLAR] = {"total": {"production_kwh": 0.5}}
    bridge.begin()
    assert len(bridge.session.asked) <= 13  # one call a second (docs/calls-to-sense.md)
    for scale in ("day", "week", "month", "year", "cycle"):
        assert '"production_kwh":0.5' in bridge.newest(f"sense/7/energy/{scale}")


def test_one_period_that_sense_does_not_answer_holds_up_no_other(tmp_path):
    bridge = BridgeHarness(tmp_path)
    bridge.session.responses[f"{USAGE} DAY"] = SenseUnavailable("no answer within 30 s")
    bridge.session.responses[f"{USAGE} CYCLE"] = RequestRefused("no billing cycle")
    bridge.begin()
    for scale in ("week", "month", "year"):
        assert '"consumption_kwh":1.5' in bridge.newest(f"sense/7/energy/{scale}")
    bridge.pass_time(3500, step_s=10.0)
    asked = bridge.session.asked_scales
    assert (asked["WEEK"], asked["MONTH"], asked["YEAR"], asked["CYCLE"]) == (2, 2, 2, 1)
    assert asked["DAY"] > 300
    del bridge.session.responses[f"{USAGE} DAY"]
    bridge.pass_time(RETRY_S)
    assert '"consumption_kwh":1.5' in bridge.newest("sense/7/energy/day")


def test_after_an_outage_one_answer_lets_all_periods_be_read_at_once(tmp_path):
    bridge = BridgeHarness(tmp_path)
    way, bridge.session.responses[USAGE] = bridge.session.responses[USAGE], SenseUnavailable("HTTP 502")
    bridge.begin()
    bridge.pass_time(10 * RETRY_S)
    bridge.session.responses[USAGE] = way
    bridge.session.asked_scales.clear()
    bridge.pass_time(RETRY_S + 1)
    assert bridge.session.asked_scales == {"DAY": 1, "WEEK": 1, "MONTH": 1, "YEAR": 1, "CYCLE": 1}


def test_a_device_that_nobody_knew_is_looked_up_within_seconds(bridge):
    bridge.show(at=1)
    bridge.session.responses[LIST] = [{"id": "new", "name": "Toaster", "make": "Acme"}]
    before = bridge.session.asked.count(LIST)
    bridge.show({"id": "new", "name": "Toaster", "w": 900.0}, at=2)
    bridge.pass_time(10)
    assert bridge.session.asked.count(LIST) == before + 1
    assert "Acme" in bridge.newest("sense/7/device/new/attributes")


def test_a_changed_checksum_reads_the_list_again_and_an_unchanged_one_does_not(bridge):
    before = bridge.session.asked.count(LIST)
    for checksum in ("a", "a", "b"):
        raw = f'{{"type": "data_change", "payload": {{"device_data_checksum": "{checksum}"}}}}'
        bridge.take(FrameArrived(7, raw))
        bridge.pass_time(10)
    assert bridge.session.asked.count(LIST) == before + 1


@pytest.mark.parametrize("path", [LIST, USAGE])
def test_what_fails_is_reported_once_and_tried_again_for_ever(tmp_path, caplog, path):
    bridge = BridgeHarness(tmp_path)
    way, bridge.session.responses[path] = bridge.session.responses[path], SenseUnavailable("HTTP 502")
    bridge.begin()
    bridge.pass_time(100 * RETRY_S, step_s=5.0)
    asked = bridge.session.asked.count(path)
    assert 90 < asked < 125  # the periods of energy fail together
    assert len(warnings(caplog)) == 1
    bridge.session.responses[path] = way
    bridge.pass_time(2 * RETRY_S)
    caplog.clear()
    bridge.session.responses[path] = SenseUnavailable("HTTP 502")
    bridge.ask("refresh")
    bridge.pass_time(7 * 3600, step_s=60.0)
    assert len(warnings(caplog)) == 1  # a new trouble is told again


@pytest.mark.parametrize("error", [NotFound("no such path"), RequestRefused("no"), TokenRefused("HTTP 401")])
def test_what_sense_refuses_is_not_asked_for_sooner_than_ever(tmp_path, error):
    bridge = BridgeHarness(tmp_path)
    bridge.session.responses[USAGE] = bridge.session.responses[TRENDS] = error
    bridge.begin()
    bridge.pass_time(3500, step_s=10.0)
    assert bridge.session.asked.count(USAGE) <= 4 + 4


def test_a_bridge_that_waits_for_a_person_looks_again_within_seconds(tmp_path, caplog):
    bridge = BridgeHarness(tmp_path)
    account, bridge.session.told = bridge.session.told, LoginRefused("run `sense-mqtt login`")
    bridge.connect()
    bridge.pass_time(3600, step_s=5.0)
    bridge.session.told = account
    bridge.pass_time(6)
    assert 7 in bridge.feeds
    assert warnings(caplog) == []  # the session has said so


def test_a_list_that_could_not_be_recorded_is_read_again(bridge):
    bridge.show(at=1)
    bridge.session.responses[LIST] = [{"id": "new", "name": "Toaster"}]
    bridge.journal.failures = 1
    bridge.take(FrameArrived(7, '{"type": "data_change", "payload": {"device_data_checksum": "a"}}'))
    bridge.take(FrameArrived(7, '{"type": "data_change", "payload": {"device_data_checksum": "b"}}'))
    bridge.pass_time(6)
    assert bridge.journal.failures == 0
    assert bridge.newest("sense/7/device/new/attributes") is None
    bridge.pass_time(RETRY_S + 1)
    assert bridge.newest("sense/7/device/new/attributes") is not None


# --- limits


def test_a_limit_is_reported_once_however_many_lookups_meet_it_and_its_wait_is_kept(tmp_path):
    bridge = BridgeHarness(tmp_path)
    responses = dict(bridge.session.responses)
    for path in (LIST, USAGE):
        bridge.session.responses[path] = RateLimited("Sense asks us to wait", 120.0)
    bridge.begin()
    bridge.pass_time(115)
    assert bridge.session.asked.count(LIST) == 1
    bridge.pass_time(300)
    assert bridge.bridge_events() == ["rate_limited"]
    assert bridge.documents("bridge/event")[0]["retry_after_s"] == 120
    bridge.session.responses.update(responses)
    bridge.pass_time(300)
    bridge.session.responses[USAGE] = RateLimited("Sense asks us to wait", 120.0)
    bridge.pass_time(1000)
    assert bridge.bridge_events() == ["rate_limited", "rate_limited"]


# --- Home Assistant, health


def test_home_assistants_birth_is_answered_with_everything_after_a_moment(bridge):
    bridge.show(DRYER, at=1)
    retained = {message.topic for message in bridge.broker.published if message.retain}
    before = len(bridge.broker.published)
    bridge.send("homeassistant/status", b"online")
    assert len(bridge.broker.published) == before
    bridge.pass_time(4)
    assert {message.topic for message in bridge.broker.published[before:] if message.retain} >= retained


def test_that_home_assistant_goes_offline_is_not_answered(bridge):
    before = bridge.published("/config")
    bridge.send("homeassistant/status", b"offline")
    bridge.pass_time(4)
    assert bridge.published("/config") == before


def test_health_is_said_each_minute(bridge):
    before = len(bridge.published("bridge/health"))
    bridge.pass_time(181)
    assert len(bridge.published("bridge/health")) == before + 3


def test_health_is_said_also_where_logins_cannot_be_counted(tmp_path):
    class Unreadable(BridgeHarness):
        def restart(self):
            self.session.__class__ = type("Session", (type(self.session),), {"logins_last_hour": property(_fail)})
            super().restart()

    bridge = Unreadable(tmp_path)
    bridge.begin()
    assert "logins_last_hour" not in bridge.health
    assert bridge.newest("sense/bridge/state") == "online"


def _fail(_self):
    raise JournalError("logins.json: cannot be read")


def test_an_account_of_nobody_is_no_crash(tmp_path):
    bridge = BridgeHarness(tmp_path)
    bridge.session.told = Account(42, ())
    bridge.connect()
    bridge.pass_time(300)
    assert bridge.health["errors"] == 0
