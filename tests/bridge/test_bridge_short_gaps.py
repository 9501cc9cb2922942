"""Gaps of seconds in a stream: a run that one could hide is read from the timeline, and not too often."""

import pytest

from sense_mqtt.core.timestamps import write_timestamp
from sense_mqtt.items import FeedEnded
from tests.support.core.builders import DRYER, START

TIMELINE = "users/{user}/timeline"


def item(edge, at):
    return {"type": edge, "device_id": "1a2b3c4d", "time": write_timestamp(START + at), "guid": f"g{at}"}


@pytest.fixture
def bridge(bridge):
    """A bridge that knows the dryer, which is off."""
    bridge.show(DRYER, at=1)
    stream(bridge, 2, 10)
    bridge.session.asked.clear()
    return bridge


def cut(bridge, until):
    bridge.take(FeedEnded(7, "cut"))
    bridge.clock.after_s = until
    bridge.open_feed()


def stream(bridge, begin, end, *devices):
    """Show frames, one a second; Sense answers what it is asked with what its timeline shows by then."""
    for at in range(begin, end):
        bridge.show(*devices, at=at)
        bridge.work()


def show_late(bridge, delay_s, *items):
    """Let the timeline show each item so long after it happened."""
    asked = bridge.session.get

    def get(path, params=None):
        shown = [each for each in items if each["time"] <= write_timestamp(START + bridge.clock.after_s - delay_s)]
        bridge.session.responses[TIMELINE] = {"items": shown}
        return asked(path, params)

    bridge.session.get = get


RUN = [item("DeviceOn", 103), item("DeviceOff", 106)]
BEFORE = [
    pytest.param(lambda bridge: stream(bridge, 10, 101), id="the only one"),
    pytest.param(lambda bridge: (stream(bridge, 10, 20), stream(bridge, 28, 101)), id="after another one"),
    pytest.param(lambda bridge: (cut(bridge, until=18), stream(bridge, 18, 101)), id="after a gap"),
]


@pytest.mark.parametrize("before", BEFORE)
def test_a_run_in_a_hole_of_8_s_is_reported_though_its_items_show_a_minute_late(bridge, before):
    show_late(bridge, 60, *RUN)
    before(bridge)
    stream(bridge, 108, 500)
    assert [(event_type, at) for event_type, at, _ in bridge.events()][1:] == [("turned_on", 103), ("turned_off", 106)]


def test_however_many_holes_a_stream_has_they_cost_at_most_14_readings_an_hour(bridge):
    for at in range(20, 3620, 8):
        bridge.show(DRYER, at=at)
        bridge.show(DRYER, at=at + 2)
        bridge.work()
    assert 10 <= bridge.session.asked.count(TIMELINE) <= 14


def test_a_stream_without_holes_costs_no_reading(bridge):
    for at in range(12, 1200, 3):  # frames may be so far apart, and hide nothing
        bridge.show(DRYER, at=at)
        bridge.work()
    assert TIMELINE not in bridge.session.asked
