"""After a gap, the timeline first: what the feed brings waits, and nothing of it is lost or out of order."""

import pytest

from sense_mqtt.bridge.gap_buffer import MAX_WAIT_S, MAX_WAITING
from sense_mqtt.bridge.jobs import ReadTimeline
from sense_mqtt.core.timestamps import Moment, write_timestamp
from sense_mqtt.errors import SenseUnavailable
from sense_mqtt.items import FeedEnded, LookupDone
from sense_mqtt.sense.auth.tokens import Monitor
from tests.support.bridge.bridge_harness import BridgeHarness, raw_frame
from tests.support.core.builders import ALWAYS_ON, DRYER, START

TIMELINE = "users/{user}/timeline"


@pytest.fixture
def bridge(bridge):
    """A bridge that looked on for a while; then its stream was cut, and came back."""
    for at in range(1, 10):
        bridge.show(DRYER, at=at)
    bridge.session.asked.clear()
    return bridge


def cut(bridge, until):
    bridge.take(FeedEnded(7, "cut"))
    bridge.clock.after_s = until
    bridge.open_feed()


def item(edge, at):
    return {"type": edge, "device_id": "1a2b3c4d", "time": write_timestamp(START + at), "guid": f"g{at}"}


def test_the_first_connection_ever_waits_for_nothing(tmp_path):
    bridge = BridgeHarness(tmp_path)
    bridge.begin()
    bridge.show(at=1)
    assert bridge.newest("sense/7/power") == "300.0"
    assert TIMELINE not in bridge.session.asked


def test_what_comes_after_a_gap_waits_until_the_timeline_was_read(bridge):
    cut(bridge, until=100)
    bridge.session.responses[TIMELINE] = {"items": [item("DeviceOff", 40), item("DeviceOn", 60), item("DeviceOff", 80)]}
    bridge.show(at=100)
    assert bridge.events() == []
    bridge.work()
    bridge.show(at=101)
    bridge.show(at=200)
    assert [(event_type, at) for event_type, at, _ in bridge.events()] == [
        ("turned_off", 40),
        ("turned_on", 60),
        ("turned_off", 80),
    ]


def test_an_edge_that_the_timeline_does_not_tell_is_found_by_the_waiting_frame(bridge):
    cut(bridge, until=100)
    bridge.show(at=100)
    bridge.work()
    bridge.pass_time(5)  # the hold time
    assert bridge.events() == [("turned_off", 100, "reconnect")]


def test_a_timeline_that_cannot_be_read_lets_the_frames_through(bridge):
    cut(bridge, until=100)
    bridge.session.responses[TIMELINE] = SenseUnavailable("HTTP 502")
    bridge.show(at=100)
    bridge.work()
    bridge.pass_time(5)
    assert bridge.events() == [("turned_off", 100, "reconnect")]


def test_a_timeline_that_takes_too_long_lets_the_frames_through(bridge):
    cut(bridge, until=100)
    bridge.show(at=100)
    bridge.clock.after_s = 100 + MAX_WAIT_S - 1
    bridge.take(None)
    frames = bridge.health["frames"]
    bridge.clock.after_s = 100 + MAX_WAIT_S
    bridge.take(None)
    assert bridge.health["frames"] == frames + 1


def test_more_than_may_wait_goes_through_in_order(bridge):
    cut(bridge, until=100)
    frames = bridge.health["frames"]
    bridge.clock.after_s = 100.0
    for number in range(MAX_WAITING):
        bridge.bridge.step(raw_frame(DRYER, at=100 + number / 1000))
    assert bridge.health["frames"] in (frames, frames + MAX_WAITING)
    bridge.take(raw_frame(at=101))
    assert bridge.health["frames"] == frames + MAX_WAITING + 1
    bridge.pass_time(5)
    assert bridge.events() == [("turned_off", 101, "frame")]


def test_the_end_of_a_feed_keeps_its_place_among_what_waits(bridge):
    cut(bridge, until=100)
    bridge.show(DRYER, at=100)
    bridge.take(FeedEnded(7, "cut again"))
    bridge.show(at=300)
    bridge.work()
    bridge.pass_time(5)
    assert bridge.events() == [("turned_off", 300, "reconnect")]


def test_one_feed_waits_alone(tmp_path):
    bridge = BridgeHarness(tmp_path, Monitor(7), Monitor(8))
    bridge.begin()
    bridge.open_feed(8)
    bridge.show(at=1)
    bridge.show(at=1, monitor=8)
    cut(bridge, until=100)
    bridge.show(at=100)
    bridge.poll({"w": 111}, monitor=8)
    bridge.pass_time(15)
    assert bridge.newest("sense/8/power") == "111.0"


def test_what_waits_and_fails_takes_nothing_else_with_it(bridge, caplog):
    cut(bridge, until=100)
    bridge.show(DRYER, at=100)
    bridge.take(FeedEnded(99, "of a feed that nobody knows"))
    bridge.poll({"w": 5})
    bridge.journal.failures = 1
    bridge.show(at=101)
    bridge.show(at=104)
    bridge.show(at=105)
    bridge.work()
    assert bridge.journal.failures == 0
    assert "the disk is gone" in caplog.text
    bridge.pass_time(5)
    assert [event_type for event_type, *_ in bridge.events()] == ["turned_off"]


def test_an_event_that_the_journal_did_not_take_comes_with_the_next_frame(bridge, caplog):
    bridge.journal.failures = 2
    for at in range(10, 20):
        bridge.show(at=at)
    assert bridge.journal.failures == 0
    assert [(event_type, at) for event_type, at, _ in bridge.events()] == [("turned_off", 10)]
    assert caplog.text.count("unexpected error in") == 1


def test_polls_leave_a_gap_each_time_and_read_no_timeline(bridge):
    bridge.take(FeedEnded(7, "on to poll"))
    bridge.open_feed(transport="poll")
    bridge.poll({"w": 77})
    bridge.work()
    assert bridge.health["frames"] == 10
    assert TIMELINE not in bridge.session.asked


def test_while_polled_the_timeline_is_read_every_few_minutes(bridge):
    bridge.take(FeedEnded(7, "on to poll"))
    bridge.open_feed(transport="poll")
    bridge.pass_time(600)
    assert 3 <= bridge.session.asked.count(TIMELINE) <= 4


def test_with_a_stream_the_timeline_is_read_at_most_once_more_after_a_gap(bridge):
    cut(bridge, until=100)
    for at in range(100, 700):
        bridge.show(DRYER, at=at)
        bridge.work()
    assert bridge.session.asked.count(TIMELINE) == 2


def test_a_late_answer_to_an_older_gap_changes_nothing(bridge):
    bridge.take(LookupDone(ReadTimeline(7, "gap"), ()))
    bridge.show(DRYER, at=20)
    assert bridge.events() == []


def test_a_hole_in_a_stream_is_explained_by_the_timeline_later(bridge):
    bridge.session.responses[TIMELINE] = {"items": [item("DeviceOff", 15), item("DeviceOn", 20)]}
    bridge.show(DRYER, at=30)
    bridge.show(DRYER, at=31)
    assert TIMELINE not in bridge.session.asked
    for at in range(32, 130):
        bridge.show(DRYER, at=at)
    bridge.work()
    bridge.show(DRYER, at=130)
    assert [(event_type, at) for event_type, at, _ in bridge.events()] == [("turned_off", 15), ("turned_on", 20)]


@pytest.mark.parametrize(("asked", "told"), [(50, []), (95, [("turned_off", 104)])])
def test_a_poll_that_was_long_under_way_does_not_undo_what_the_timeline_reported(bridge, asked, told):
    bridge.session.responses[TIMELINE] = {"items": [item("DeviceOff", 40), item("DeviceOn", 60)]}
    cut(bridge, until=100)
    bridge.work()
    asked_at = Moment(START + asked, bridge.clock.now().monotonic)
    bridge.clock.after_s = 104
    bridge.poll({"w": 300, "devices": [ALWAYS_ON]}, asked=asked_at)
    bridge.pass_time(5)
    assert [(event_type, at) for event_type, at, _ in bridge.events()][2:] == told


@pytest.mark.parametrize("transport", ["snapshot", "poll"])
def test_the_holes_between_snapshots_are_explained_every_few_minutes_and_no_oftener(bridge, transport):
    bridge.take(FeedEnded(7, "on to it"))
    bridge.open_feed(transport=transport)
    for at in range(60, 960, 60):
        bridge.pass_time(at - bridge.clock.after_s)
        bridge.show(DRYER, at=at)
    assert bridge.session.asked.count(TIMELINE) == 5  # every 180 s
