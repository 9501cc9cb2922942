"""What waits for the timeline after a gap, by monitor."""

import pytest

from sense_mqtt.bridge.gap_buffer import MAX_WAIT_S, MAX_WAITING, GapBuffer
from sense_mqtt.items import FeedEnded, FrameArrived
from tests.support.core.builders import moment

FRAME, OTHER = FrameArrived(7, "f"), FrameArrived(8, "f")


@pytest.fixture
def gaps():
    gaps = GapBuffer()
    gaps.open(7, moment(0))
    return gaps


def test_only_what_its_own_feed_brings_waits(gaps):
    assert gaps.buffer(FRAME, moment(1))
    assert not gaps.buffer(OTHER, moment(1))


def test_what_waited_comes_in_order_with_the_moment_at_which_it_came_and_once(gaps):
    end = FeedEnded(7, "cut")
    for at, item in enumerate((FRAME, end, FRAME)):
        gaps.buffer(item, moment(at))
    assert gaps.close(7) == [(FRAME, moment(0)), (end, moment(1)), (FRAME, moment(2))]
    assert gaps.close(7) == []
    assert not gaps.buffer(FRAME, moment(3))


def test_a_second_connection_in_a_gap_gets_no_more_patience(gaps):
    gaps.buffer(FRAME, moment(1))
    gaps.open(7, moment(5))
    assert gaps.overdue(moment(MAX_WAIT_S - 0.1)) == []
    assert gaps.overdue(moment(MAX_WAIT_S)) == [7]
    assert len(gaps.close(7)) == 1
    assert gaps.overdue(moment(99)) == []


def test_no_more_than_the_bound_waits(gaps):
    assert all(gaps.buffer(FRAME, moment(0)) for _ in range(MAX_WAITING))
    assert not gaps.buffer(FRAME, moment(0))
    assert gaps.overdue(moment(0)) == [7]
    assert len(gaps.close(7)) == MAX_WAITING
