"""What is known of looking on, and what is heard of the timeline."""

import pytest

from sense_mqtt.core.transitions.alignment import Known
from sense_mqtt.core.transitions.coverage import Coverage, add_published, hear, look_on
from sense_mqtt.core.wire.timeline import TimelineItem

DEVICE = "1a2b3c4d"
ON, OFF = "turned_on", "turned_off"
STREAM = Coverage(
    known_since=0.0, last_observed_at=1000.0, last_observed_earliest=1000.0
)  # frames looked on all the time


def item(edge, time, guid=None):
    return TimelineItem(DEVICE, edge, time, guid)


def seen(edge, time):
    """An edge that a stream showed."""
    return Known(edge, time, time - 0.5)


# --- looking on


def test_frames_close_together_leave_nobody_blind():
    witness = Coverage()
    for time in (10.0, 11.0, 13.5):
        witness = look_on(witness, time)
    assert (witness.known_since, witness.last_observed_at, witness.unobserved) == (10.0, 13.5, ())


def test_polls_make_one_span_of_many():
    witness = Coverage()
    for time in (0.0, 60.0, 120.0, 180.0):
        witness = look_on(witness, time)
    assert witness.unobserved == ((0.0, 180.0),)


def test_two_gaps_are_two_spans():
    witness = Coverage()
    for time in (0.0, 60.0, 61.0, 120.0):
        witness = look_on(witness, time)
    assert witness.unobserved == ((0.0, 60.0), (61.0, 120.0))


def test_what_is_long_past_is_forgotten():
    witness = look_on(look_on(look_on(Coverage(), 0.0), 60.0), 60.5)
    witness = look_on(look_on(witness, 4000.0), 4001.0)
    assert (witness.known_since, witness.unobserved) == (401.0, ((60.5, 4000.0),))


# --- hearing


def test_nothing_is_heard_before_the_first_frame_ever():
    assert hear(Coverage(), [item(ON, 5)], {}, 2000.0).pending_items == ()


@pytest.mark.parametrize(
    "again",
    [item(ON, 200.2), item(ON, 300, "g1")],
    ids=["at the same time", "with the same guid"],
)
def test_what_was_told_is_not_heard_again(again):
    told = Known(ON, 199, 198, told=200, guid="g1")
    assert hear(STREAM, [again], {DEVICE: [told]}, 2000.0).pending_items == ()


def test_a_rumour_that_waits_is_not_heard_twice():
    once = hear(STREAM, [item(ON, 200, "g1")], {}, 2000.0)
    assert hear(once, [item(ON, 200.3), item(ON, 220, "g1")], {}, 2000.0).pending_items == once.pending_items


def test_an_edge_told_by_frames_alone_does_not_stop_the_timeline_from_being_heard():
    assert hear(STREAM, [item(ON, 200)], {DEVICE: [seen(ON, 200)]}, 2000.0).pending_items == (item(ON, 200),)


def test_what_is_older_than_the_horizon_is_not_heard():
    witness = Coverage(
        known_since=100.0, last_observed_at=1000.0, last_observed_earliest=1000.0, clock_offsets=(10.0, 10.0, 10.0)
    )
    assert hear(witness, [item(ON, 65), item(OFF, 75)], {}, 2000.0).pending_items == (item(OFF, 75),)


def test_edges_are_kept_as_long_as_the_timeline_may_tell_of_them():
    edges = [Known(ON, 0.0, 0.0), Known(OFF, 400.0, 400.0)]
    assert add_published(edges, [Known(ON, 3700.0, 3700.0)]) == (edges[1], Known(ON, 3700.0, 3700.0))


def test_of_many_edges_the_newest_are_kept():
    edges = [Known(ON, float(time), float(time)) for time in range(70)]
    assert [edge.time for edge in add_published(edges, [])] == [float(time) for time in range(6, 70)]


def test_of_a_device_with_more_edges_than_are_kept_older_ones_are_no_news():
    edges = [Known(ON, 100.0 + number, 100.0, told=101.0 + number) for number in range(64)]
    heard = hear(STREAM, [item(OFF, 100.5), item(OFF, 300)], {DEVICE: edges}, 2000.0)
    assert heard.pending_items == (item(OFF, 300),)


def test_what_the_timeline_tells_of_the_future_is_not_heard():
    assert hear(STREAM, [item(ON, 5601), item(OFF, 5600)], {}, 2000.0).pending_items == (item(OFF, 5600),)
