"""Which items of the timeline become pending."""

import pytest
from msgspec.structs import replace

from sense_mqtt.core.bounds import MAX_PENDING_ITEMS
from sense_mqtt.core.edges import Edge
from sense_mqtt.core.home.state import Device, Home
from sense_mqtt.core.home.timeline_events import TimelineRead, add_items
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.transitions.coverage import Coverage
from sense_mqtt.core.wire.devices import DeviceInfo
from tests.support.core.edges import DEVICE, OFF, ON, STREAM, item, shown

NOW = Moment(2000.0, 500.0)


def pending(*items, edges=(), coverage=STREAM, before=()):
    """Return the pending items of a home with such edges published, after REST told of `items`."""
    device = Device(DeviceInfo(DEVICE), "Dryer", edges=tuple(edges))
    home = Home(7, devices={DEVICE: device}, coverage=coverage, pending_items=before)
    return add_items(home, TimelineRead(items), NOW).pending_items


def test_nothing_is_pending_before_the_first_frame_ever():
    assert pending(item(ON, 5), coverage=Coverage()) == ()


@pytest.mark.parametrize(
    "again",
    [item(ON, 200.2), item(ON, 300, "g1")],
    ids=["at the same time", "with the same guid"],
)
def test_an_item_of_a_published_edge_is_not_pending_again(again):
    assert pending(again, edges=[Edge(DEVICE, ON, 199, 198, timeline_time=200, guid="g1")]) == ()


def test_a_pending_item_is_added_once():
    once = pending(item(ON, 200, "g1"))
    assert pending(item(ON, 200.3), item(ON, 220, "g1"), before=once) == once


def test_an_item_is_pending_although_a_frame_showed_an_edge_near_it():
    assert pending(item(ON, 200), edges=[shown(ON, 200)]) == (item(ON, 200),)


def test_an_item_from_before_known_since_is_ignored():
    coverage = replace(STREAM, known_since=100.0, clock_offsets=(10.0, 10.0, 10.0))
    assert pending(item(ON, 65), item(OFF, 75), coverage=coverage) == (item(OFF, 75),)


def test_items_older_than_the_oldest_kept_edge_are_ignored():
    edges = [Edge(DEVICE, ON, 100.0 + number, 100.0, timeline_time=101.0 + number) for number in range(64)]
    assert pending(item(OFF, 100.5), item(OFF, 300), edges=edges) == (item(OFF, 300),)


def test_an_item_in_the_future_is_ignored():
    assert pending(item(ON, 5601), item(OFF, 5600)) == (item(OFF, 5600),)


def test_of_more_items_than_may_wait_the_newest_do():
    before = tuple(item(ON, 100 + number / 100) for number in range(MAX_PENDING_ITEMS))
    kept = pending(item(OFF, 1000), before=before)
    assert len(kept) == MAX_PENDING_ITEMS
    assert (kept[0], kept[-1]) == (before[1], item(OFF, 1000))
