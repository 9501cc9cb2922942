"""Frames through the whole bridge: state, events, availability, what fails, what comes back after a restart."""

import json
import logging

import pytest

from sense_mqtt.items import FeedEnded, FeedOpened, FrameArrived, UpdatePolled
from sense_mqtt.sense.auth.tokens import Monitor
from tests.support.bridge.bridge_harness import BridgeHarness, raw_frame
from tests.support.core.builders import ALWAYS_ON, DRYER

STATE, AVAILABILITY = "sense/7/device/1a2b3c4d/state", "sense/7/availability"


def test_the_first_frame_makes_state_and_no_events(bridge):
    bridge.show(DRYER, at=1)
    assert bridge.newest(STATE) == "ON"
    assert bridge.newest("sense/7/power") == "300.0"
    assert bridge.newest(AVAILABILITY) == "online"
    assert bridge.events() == []


def test_two_frames_that_differ_make_an_event_and_the_new_state(bridge):
    bridge.show(at=1)
    bridge.show(DRYER, at=1.5)
    assert bridge.events() == [("turned_on", 1.5, "frame")]
    assert bridge.newest(STATE) == "ON"


def test_home_assistant_knows_a_new_device_before_its_first_event(bridge):
    bridge.show(at=1)
    bridge.show({"id": "new", "w": 5.0}, at=2)
    topics = [message.topic for message in bridge.broker.published]
    assert topics.index("homeassistant/device/sense_mqtt_7_new/config") < topics.index("sense/7/device/new/event")


def test_what_changed_while_the_bridge_was_away_is_reported_after_a_restart(bridge):
    bridge.show(at=1)
    bridge.restart()
    bridge.clock.after_s = 100
    bridge.begin()
    bridge.show(DRYER, at=101)
    bridge.work()
    assert bridge.events() == [("turned_on", 101, "reconnect")]


def test_an_event_that_no_broker_took_goes_out_after_a_restart_with_the_same_id(bridge):
    bridge.show(at=1)
    bridge.broker.slow = True
    bridge.show(DRYER, at=2)
    [before] = bridge.documents("1a2b3c4d/event")
    bridge.restart()
    bridge.begin()
    assert [event["id"] for event in bridge.documents("1a2b3c4d/event")] == [before["id"]]


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        pytest.param("{", "no JSON", id="cut JSON"),
        pytest.param(b"\xc1", "msgpack", id="no msgpack"),
        pytest.param('{"payload": {}}', "without a `type`", id="no type"),
        pytest.param('{"type": "realtime_update", "payload": {}}', "number `w`", id="no watts"),
    ],
)
def test_a_bad_frame_is_reported_once_and_counted(bridge, caplog, raw, kind):
    bridge.take(*[FrameArrived(7, raw)] * 3)
    assert caplog.text.count("skipped, repeats are only counted") == 1
    assert kind in caplog.text
    assert bridge.health["bad_frames"] == 3
    assert "errors" in bridge.health
    assert bridge.health["errors"] == 0


def test_a_message_of_unknown_type_changes_nothing_and_is_not_reported(bridge, caplog):
    before = len(bridge.broker.published)
    caplog.set_level(logging.INFO)
    caplog.clear()
    bridge.take(FrameArrived(7, '{"type": "never_heard_of", "payload": {}}'))
    assert len(bridge.broker.published) == before
    assert caplog.text == ""


def test_a_polled_update_is_a_frame_too(bridge):
    bridge.poll({"w": 512, "devices": []})
    assert bridge.newest("sense/7/power") == "512.0"


def test_an_answer_that_had_to_wait_is_handled_as_of_when_it_came(bridge):
    for at in (0, 60):
        bridge.clock.after_s = at
        bridge.poll({"w": 512, "devices": [ALWAYS_ON]})
    bridge.clock.after_s = 120.0
    answered = bridge.clock.now()
    bridge.clock.after_s = 135.0
    bridge.take(UpdatePolled(7, {"w": 812, "devices": [DRYER, ALWAYS_ON]}, answered, answered))
    assert bridge.events() == [("turned_on", 120, "frame")]


def test_a_house_is_offline_once_nothing_came_for_the_silence_timeout(bridge):
    bridge.show(at=1)
    bridge.pass_time(44)
    assert bridge.newest(AVAILABILITY) == "online"
    bridge.pass_time(3)
    assert bridge.newest(AVAILABILITY) == "offline"
    assert [event["event_type"] for event in bridge.documents("sense/7/event")] == ["monitor_offline"]
    bridge.show(at=60)
    assert bridge.newest(AVAILABILITY) == "online"


@pytest.mark.parametrize("transport", ["poll", "snapshot", "paused"])
def test_a_house_that_is_polled_is_given_two_intervals_and_a_half(bridge, transport):
    bridge.take(FeedEnded(7, "on to it"), FeedOpened(7, transport))
    bridge.poll({"w": 1})
    bridge.pass_time(150)
    assert bridge.newest(AVAILABILITY) == "online"
    bridge.pass_time(3)
    assert bridge.newest(AVAILABILITY) == "offline"


def test_a_greeting_that_says_offline_makes_the_house_offline_at_once(bridge):
    bridge.show(at=1)
    bridge.take(FrameArrived(7, json.dumps({"type": "hello", "payload": {"online": False}})))
    assert bridge.newest(AVAILABILITY) == "offline"


def test_a_monitor_that_never_sent_a_frame_is_offline(tmp_path):
    bridge = BridgeHarness(tmp_path)
    bridge.connect()
    bridge.pass_time(2)
    assert bridge.newest(AVAILABILITY) == "offline"


def test_each_house_has_its_own_topics_and_name(tmp_path):
    bridge = BridgeHarness(tmp_path, Monitor(7), Monitor(8))
    bridge.begin()
    bridge.open_feed(8)
    bridge.show(at=1)
    bridge.show(at=1, monitor=8)
    bridge.show(DRYER, at=2, monitor=8)
    assert bridge.newest("sense/7/power") == bridge.newest("sense/8/power") == "300.0"
    assert [message.topic for message in bridge.published("1a2b3c4d/event")] == ["sense/8/device/1a2b3c4d/event"]
    assert '"Sense 8"' in "".join(message.payload for message in bridge.published("/config"))


def test_frames_of_a_feed_without_a_house_end_nothing_and_are_reported_once(bridge, caplog):
    bridge.take(raw_frame(at=1, monitor=99), raw_frame(at=2, monitor=99))
    assert caplog.text.count("unexpected error in") == 1
    bridge.show(at=3)
    assert bridge.newest("sense/7/power") == "300.0"
    assert bridge.health["errors"] == 2


def test_frames_events_and_reconnects_are_counted(bridge):
    bridge.show(at=1)
    bridge.show(DRYER, at=2)
    bridge.take(FeedEnded(7, "cut"))
    bridge.open_feed()
    health = bridge.health
    assert (health["frames"], health["events"], health["reconnects"]) == (2, 1, 1)
    assert health["feed"] == "stream"
    assert health["last_frame"].endswith("Z")


def test_an_error_on_the_feed_is_reported_with_its_reason_once_and_again_when_it_changes(bridge, caplog):
    published = len(bridge.broker.published)
    for payload in [{"message": "Monitor not found"}] * 3 + [{}, {"error_reason": "Monitor not found"}]:
        bridge.take(FrameArrived(7, json.dumps({"type": "error", "payload": payload})))
    assert len(bridge.broker.published) == published
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    said = "Sense reports an error on the feed of monitor 7: "
    assert told == [said + "Monitor not found", said + "an error without a reason", said + "Monitor not found"]
