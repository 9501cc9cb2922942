"""How the bridge ends: every open request is answered, everybody is told, and the exit code says why."""

import json

import pytest

from sense_mqtt.items import BrokerDropped, Crashed, FrameArrived, MessageArrived, Stop
from tests.support.core.builders import START


@pytest.fixture
def bridge(bridge):
    bridge.show(at=1)
    return bridge


@pytest.mark.parametrize(
    ("item", "exit_code"),
    [
        pytest.param(Stop("SIGTERM"), 0, id="stopped on request"),
        pytest.param(Stop("why not", exit_code=3), 3, id="stopped for a reason"),
        pytest.param(Crashed("sense-rest", "ZeroDivisionError"), 1, id="a thread died"),
    ],
)
def test_the_exit_code_says_why(bridge, item, exit_code, caplog):
    bridge.inbox.put(item)
    assert bridge.bridge.run() == exit_code
    assert bridge.broker.closed
    assert ("sense-rest died" in caplog.text) == (exit_code == 1)


def test_the_last_words_are_the_homes_availability_and_then_the_bridges_state(bridge):
    bridge.inbox.put(Stop("SIGTERM"))
    before = len(bridge.broker.published)
    bridge.bridge.end()
    last = [(message.topic, message.payload, message.retain) for message in bridge.broker.published[before:]]
    assert last == [("sense/7/availability", "offline", True), ("sense/bridge/state", "offline", True)]
    assert bridge.feeds[7].told == ["start", "close"]
    assert bridge.broker.closed
    assert not bridge.broker.hung_up


def test_what_changed_with_each_frame_is_stored_at_the_end(bridge):
    bridge.show(at=2)
    bridge.show(at=40)  # stores the first figures of the meters
    bridge.show(at=41)
    assert bridge.journal.recall(7)["home", ""]["newest"] < START + 41
    bridge.bridge.end()
    assert bridge.journal.recall(7)["home", ""]["newest"] == START + 41


def test_meters_are_stored_at_the_end_as_they_were_published(bridge):
    for at in (14, 44):
        bridge.show(at=at)
    stored = bridge.journal.recall(7)["meters", ""]["figures"]["consumption_kwh"]
    assert stored["shown"] < stored["reserved"]
    bridge.bridge.end()
    stored = bridge.journal.recall(7)["meters", ""]["figures"]["consumption_kwh"]
    published = json.loads(bridge.newest("sense/7/energy/total"))["consumption_kwh"]
    assert stored["shown"] == stored["reserved"]
    assert round(stored["shown"], 3) == published


def test_a_broker_that_acknowledges_no_last_words_is_left_to_tell_our_will(bridge):
    bridge.broker.slow = True
    bridge.bridge.end()
    assert bridge.broker.hung_up
    assert not bridge.broker.closed


def test_without_a_broker_the_bridge_ends_at_once(bridge):
    bridge.drop()
    before = len(bridge.broker.published)
    bridge.bridge.end()
    assert len(bridge.broker.published) == before
    assert bridge.broker.closed


def test_a_broker_that_goes_meanwhile_is_not_waited_for(bridge):
    bridge.broker.slow = True
    bridge.inbox.put(BrokerDropped(bridge.broker.connection_id, "gone"))
    bridge.bridge.end()
    assert bridge.broker.closed


def test_every_request_that_is_open_is_answered(bridge):
    bridge.ask("status", {"transaction": "asked before"})
    request = MessageArrived(
        bridge.broker.connection_id, "sense/bridge/request/status", b'{"transaction": "asked meanwhile"}'
    )
    bridge.inbox.put(request)
    bridge.bridge.end()
    assert {answer["transaction"]: answer["code"] for answer in bridge.answers("status")} == {
        "asked before": "unavailable",
        "asked meanwhile": "unavailable",
    }
    assert bridge.broker.closed


def test_frames_that_come_while_it_ends_change_nothing(bridge):
    bridge.inbox.put(FrameArrived(7, '{"type": "realtime_update", "payload": {"w": 1}}'))
    bridge.bridge.end()
    assert bridge.newest("sense/7/power") == "300.0"
    assert bridge.newest("sense/7/availability") == "offline"


def test_a_feed_that_cannot_be_closed_does_not_keep_the_bridge_from_saying_good_bye(bridge, caplog):
    del bridge.feeds[7].told
    bridge.bridge.end()
    assert bridge.newest("sense/bridge/state") == "offline"
    assert "unexpected error in" in caplog.text


def test_a_request_to_restart_ends_the_run_after_its_answer(bridge):
    bridge.inbox.put(MessageArrived(bridge.broker.connection_id, "sense/bridge/request/restart", b""))
    assert bridge.bridge.run() == 0
    topics = [message.topic for message in bridge.broker.published]
    assert topics.index("sense/bridge/response/restart") < len(topics) - 1
    assert topics[-1] == "sense/bridge/state"
