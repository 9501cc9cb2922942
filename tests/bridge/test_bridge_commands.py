"""Requests through the whole bridge: each one gets exactly one answer."""

import logging

import pytest

from sense_mqtt.errors import LoginRefused, RateLimited, RequestRefused, SenseUnavailable
from sense_mqtt.items import AuthChanged, LookupDone
from sense_mqtt.sense.auth.tokens import Account, Monitor
from tests.support.bridge.bridge_harness import HOUSE, BridgeHarness, asked
from tests.support.core.builders import DRYER

# --- Sense is asked


def test_a_lookup_is_answered_once_with_what_sense_says(bridge):
    bridge.session.responses["app/monitors/7/status"] = {"signals": "good"}
    assert asked(bridge, "status", {"transaction": 5}) == [
        {"status": "ok", "data": {"signals": "good"}, "transaction": 5}
    ]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        pytest.param(RateLimited("wait 60 s", 60.0), "rate_limited", id="a limit"),
        pytest.param(LoginRefused("no"), "unauthorized", id="no login"),
        pytest.param(SenseUnavailable("HTTP 502"), "unavailable", id="an outage"),
        pytest.param(ZeroDivisionError(), "unavailable", id="what nobody foresaw"),
    ],
)
def test_what_goes_wrong_at_sense_is_answered_once_with_a_code(bridge, error, code):
    bridge.session.responses["app/monitors/7/status"] = error
    assert [answer["code"] for answer in asked(bridge, "status")] == [code]


def test_refresh_publishes_what_it_read(bridge):
    bridge.session.responses["app/monitors/7/devices"] = [{"id": "new", "name": "Toaster"}]
    [answer] = asked(bridge, "refresh")
    scales = ["day", "week", "month", "year", "cycle"]
    assert answer == {"status": "ok", "data": {"monitor": 7, "devices": 1, "energy": scales, "status": ["status"]}}
    assert "Toaster" in bridge.newest("sense/7/devices")
    for scale in scales:
        assert '"consumption_kwh":1.5' in bridge.newest(f"sense/7/energy/{scale}")


def test_refresh_publishes_also_what_has_not_changed(bridge):
    asked(bridge, "refresh")
    before = len(bridge.published("sense/7/devices"))
    attributes = len(bridge.published("1a2b3c4d/attributes"))
    asked(bridge, "refresh")
    assert len(bridge.published("sense/7/devices")) == before + 1
    assert len(bridge.published("1a2b3c4d/attributes")) == attributes + 1


def test_refresh_leaves_out_the_periods_that_sense_does_not_tell(bridge):
    for path in ("app/monitors/7/history/usage", "app/history/trends"):
        bridge.session.responses[path] = RequestRefused("no such scale")
    [answer] = asked(bridge, "refresh")
    assert answer["data"]["energy"] == []


@pytest.mark.parametrize(
    "topic",
    ["sense/bridge/request/health", "$SYS/x", "a/#", "homeassistant/status", "zigbee2mqtt/bridge/request/restart"],
)
def test_a_response_topic_that_is_not_allowed_is_answered_on_the_contracts_and_reported_once(bridge, topic, caplog):
    for _ in range(2):
        bridge.ask("health", {}, response_topic=topic, correlation=b"1")
    assert not bridge.published(topic)
    assert [message.correlation for message in bridge.published("response/health")] == [b"1", b"1"]
    assert caplog.text.count("not allowed") == 1


def test_where_filters_are_set_no_other_response_topic_is_answered(tmp_path):
    bridge = BridgeHarness(tmp_path, mqtt={"response_topics": ["mine/#"]})
    bridge.begin()
    bridge.ask("health", response_topic="yours/answer")
    bridge.ask("health", response_topic="mine/answer")
    assert (len(bridge.published("yours/answer")), len(bridge.published("mine/answer"))) == (0, 1)
    assert len(bridge.answers("health")) == 1


def test_beyond_eight_waiting_lookups_the_next_one_is_refused_and_all_are_answered(bridge):
    bridge.session.responses["app/monitors/7/status"] = {}
    for number in range(10):
        bridge.ask("status", {"transaction": number})
    assert [(a["code"], a["transaction"]) for a in bridge.answers("status")] == [("busy", 8), ("busy", 9)]
    bridge.work()
    assert sorted(answer["transaction"] for answer in bridge.answers("status")) == list(range(10))


def test_a_failure_inside_a_command_that_nobody_foresaw_still_gives_one_answer(bridge, caplog):
    bridge.session.responses["app/monitors/7/devices"] = [{"id": "new", "name": "Toaster"}]
    bridge.ask("refresh", {"transaction": 1})
    request = bridge.worker._commands[0].ticket
    bridge.take(LookupDone(request, object()))  # JSON cannot carry it
    assert [answer["code"] for answer in bridge.answers("refresh")] == ["unavailable"]
    del bridge.feeds[7].told
    bridge.ask("resume")  # the feed breaks
    assert [answer["code"] for answer in bridge.answers("resume")] == ["unavailable"]
    assert caplog.text.count("unexpected error in MessageArrived") == 1


# --- several monitors, or none yet


@pytest.fixture
def two(tmp_path):
    bridge = BridgeHarness(tmp_path, HOUSE, Monitor(8))
    bridge.begin()
    return bridge


def test_with_several_monitors_one_must_be_named_where_it_matters(two):
    assert [answer["code"] for answer in asked(two, "status")] == ["bad_request"]
    two.session.responses["app/monitors/8/status"] = "eight"
    assert asked(two, "status", {"monitor": 8})[-1]["data"] == "eight"
    two.session.responses["users/{user}/timeline"] = "the account's"
    assert asked(two, "timeline")[-1]["data"] == "the account's"


def test_a_pause_is_for_all_monitors_unless_one_is_named(two):
    assert asked(two, "pause")[-1]["data"] == {"minutes": 10, "monitors": [7, 8]}
    assert asked(two, "resume", {"monitor": 8})[-1]["data"] == {"monitors": [8]}
    assert two.feeds[7].told == ["start", ("pause", 600, False)]
    assert two.feeds[8].told == ["start", ("pause", 600, False), "resume"]


def test_zero_minutes_end_a_pause(bridge):
    asked(bridge, "pause", {"minutes": 5, "silent": True})
    assert asked(bridge, "pause", {"minutes": 0})[-1]["data"] == {"monitors": [7]}
    assert bridge.feeds[7].told == ["start", ("pause", 300, True), "resume"]


@pytest.mark.parametrize("command", ["status", "refresh", "pause", "resume", "timeline"])
@pytest.mark.parametrize(
    ("standing", "code"),
    [
        pytest.param(SenseUnavailable("an outage"), "unavailable", id="an outage"),
        pytest.param(LoginRefused("no"), "unauthorized", id="no login"),
    ],
)
def test_while_sense_is_unknown_what_needs_it_is_refused_and_the_rest_works(tmp_path, command, standing, code):
    bridge = BridgeHarness(tmp_path)
    bridge.session.told = standing
    bridge.connect()
    bridge.work()
    if isinstance(standing, LoginRefused):
        bridge.take(AuthChanged("auth_required", "no"))
    assert [answer["code"] for answer in asked(bridge, command)] == [code]
    assert asked(bridge, "health")[0]["status"] == "ok"
    assert asked(bridge, "republish")[0]["status"] == "ok"


def test_an_account_without_monitors_says_so(tmp_path, caplog):
    bridge = BridgeHarness(tmp_path)
    bridge.session.told = Account(42, ())
    bridge.restart()
    bridge.connect()
    bridge.work()
    assert "the Sense account has no monitor" in caplog.text
    assert asked(bridge, "status")[0]["code"] == "not_found"
    assert asked(bridge, "pause")[0]["code"] == "not_found"
    assert asked(bridge, "health")[0]["status"] == "ok"


# --- what the bridge does itself


def test_republish_says_everything_retained_again_and_bridge_state_last(bridge):
    bridge.show(DRYER, at=1)
    retained = {message.topic for message in bridge.broker.published if message.retain}
    before = len(bridge.broker.published)
    [answer] = asked(bridge, "republish")
    again = [message for message in bridge.broker.published[before:] if message.retain]
    assert answer == {"status": "ok", "data": {}}
    assert {message.topic for message in again} == retained
    assert again[-1].topic == "sense/bridge/state"


def test_the_log_level_can_be_changed(bridge):
    logger = logging.getLogger("sense_mqtt")
    before = logger.level
    assert asked(bridge, "log_level", {"level": "debug"})[0]["data"] == {"level": "debug"}
    assert logger.level == logging.DEBUG
    logger.setLevel(before)


def test_health_is_the_health_document(bridge):
    told = bridge.documents("bridge/health")[-1]
    assert set(bridge.health) >= set(told) - {"rss_mb"}
    assert bridge.health["auth"] == "starting"


def test_restart_is_answered_and_ends_the_bridge_with_0(bridge):
    bridge.ask("restart")
    assert bridge.answers("restart") == [{"status": "ok", "data": {}}]
    assert bridge.bridge._exit.exit_code == 0


@pytest.mark.parametrize("name", ["event", "foo/event"])
def test_a_command_that_is_called_like_an_event_is_answered_too(bridge, name):
    assert bridge.ask(name)["code"] == "unknown_command"
