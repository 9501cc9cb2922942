"""Floods of requests, and what commands may cost Sense in an hour."""

import pytest

from sense_mqtt.inbox import MAX_WAITING_REQUESTS
from sense_mqtt.items import MessageArrived
from tests.support.bridge.bridge_harness import BridgeHarness, asked
from tests.support.core.builders import DRYER

# --- a flood


def test_above_twenty_in_one_second_requests_are_busy_as_far_as_answers_can_wait_and_then_counted(bridge, caplog):
    bridge.broker.carries = False  # no answer leaves
    for number in range(1000):
        bridge.ask("health", {"transaction": number})
    bridge.broker.carries = True
    bridge.pass_time(2)
    answers = bridge.answers("health")
    assert [answer.get("code") for answer in answers] == [None] * 20 + ["busy"] * 30
    assert [answer["transaction"] for answer in answers] == list(range(50))
    assert answers[-1]["error"] == "more than 20 requests in one second: ask again later"
    assert caplog.text.count("requests got no answer") == 1
    assert "950 requests got no answer: more came than 20 a second" in caplog.text
    assert bridge.health["requests_unanswered"] == 950


def test_a_flood_that_goes_on_is_reported_once_a_minute(bridge, caplog):
    for _ in range(150):
        for _ in range(200):
            bridge.ask("health")
        bridge.inbox.put(MessageArrived(1, "sense/bridge/request/x", b""))
        bridge.broker.slow = True
        bridge.pass_time(1)
    assert caplog.text.count("requests got no answer") == 3


def test_requests_lost_before_they_reach_the_bridge_are_counted_too(bridge, caplog):
    for _ in range(MAX_WAITING_REQUESTS + 7):
        bridge.inbox.put(MessageArrived(bridge.broker.connection_id, "sense/bridge/request/health", b""))
    bridge.pass_time(1)
    assert len(bridge.answers("health")) == MAX_WAITING_REQUESTS
    assert "7 requests got no answer" in caplog.text


def test_an_edge_goes_out_before_the_answers_of_a_flood(bridge):
    bridge.show(at=1)
    bridge.broker.carries = False
    for _ in range(50):
        bridge.ask("health")
    bridge.show(DRYER, at=2)
    bridge.broker.carries = True
    before = len(bridge.broker.published)
    bridge.pass_time(1)
    assert bridge.broker.published[before].topic == "sense/7/device/1a2b3c4d/event"


def test_an_edge_that_was_held_back_comes_in_time_while_requests_wait(bridge):
    bridge.show(DRYER, at=1)
    bridge.show(at=2)
    bridge.show(at=3)
    bridge.inbox.put(MessageArrived(bridge.broker.connection_id, "sense/bridge/request/health", b""))
    bridge.clock.after_s = 6.0
    bridge.bridge.step(None)
    bridge.broker.carries = True
    bridge.take_all_waiting()
    assert [event[0] for event in bridge.events()] == ["turned_off"]


# --- what commands may cost Sense


def test_beyond_the_hours_calls_a_lookup_is_rate_limited_and_schedules_go_on(tmp_path):
    bridge = BridgeHarness(tmp_path, sense={"command_calls_per_hour": 3})
    bridge.begin()
    bridge.session.responses["app/monitors/7/status"] = {}
    for _ in range(3):
        assert asked(bridge, "status")[-1]["status"] == "ok"
    [answer] = asked(bridge, "get", {"path": "app/monitors/7/status", "transaction": 1})
    assert answer == {
        "status": "error",
        "error": "commands may cost at most 3 REST calls an hour; wait 3600 s",
        "code": "rate_limited",
        "retry_after_s": 3600,
        "transaction": 1,
    }
    assert bridge.session.asked.count("app/monitors/7/status") == 3 + 1  # at the start
    assert "rate_limited" not in bridge.bridge_events()  # that event is for what Sense says
    scheduled = len(bridge.session.asked)
    bridge.pass_time(1000)
    assert len(bridge.session.asked) > scheduled
    bridge.pass_time(2700)
    assert asked(bridge, "status")[-1]["status"] == "ok"


def test_refresh_counts_each_call(tmp_path):
    bridge = BridgeHarness(tmp_path, sense={"command_calls_per_hour": 8})
    bridge.begin()
    assert [answer["status"] for answer in asked(bridge, "refresh")] == ["ok"]  # devices, five scales
    assert [answer["status"] for answer in asked(bridge, "refresh")] == ["ok", "error"]


@pytest.mark.parametrize(("command", "most"), [("pause", 30), ("restart", 6)])
def test_pauses_and_restarts_are_bounded_by_the_hour_over_restarts_too(bridge, command, most):
    answers = []
    for _ in range(most + 5):
        bridge.restart()
        bridge.begin()
        answers += asked(bridge, command)
    assert [answer["status"] for answer in answers] == ["ok"] * most + ["error"] * 5
    assert answers[-1]["code"] == "rate_limited"
    assert asked(bridge, "resume")[-1]["status"] == "ok"
