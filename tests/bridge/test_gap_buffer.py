"""What waits for the timeline after a gap."""

import pytest

from sense_mqtt.bridge.gap_buffer import MAX_WAIT_S, MAX_WAITING, GapBuffer
from sense_mqtt.items import FeedEnded, FrameArrived
from tests.support.core.builders import moment

FRAME = FrameArrived(7, "f")
OPENED = moment(0).monotonic


@pytest.fixture
def buffer():
    buffer = GapBuffer()
    buffer.open(moment(0))
    return buffer


def test_nothing_waits_before_a_gap():
    assert not GapBuffer().buffer(FRAME, moment(0))


def test_what_waited_comes_in_order_with_the_moment_at_which_it_came_and_once(buffer):
    end = FeedEnded(7, "cut")
    for at, item in enumerate((FRAME, end, FRAME)):
        assert buffer.buffer(item, moment(at))
    assert buffer.close() == [(FRAME, moment(0)), (end, moment(1)), (FRAME, moment(2))]
    assert buffer.close() == []
    assert not buffer.buffer(FRAME, moment(3))


def test_a_second_connection_in_a_gap_gets_no_more_patience(buffer):
    buffer.open(moment(5))
    assert buffer.until == OPENED + MAX_WAIT_S


def test_a_closed_buffer_is_not_due(buffer):
    buffer.close()
    assert buffer.until == float("inf")


def test_no_more_than_the_bound_waits(buffer):
    assert all(buffer.buffer(FRAME, moment(0)) for _ in range(MAX_WAITING))
    assert buffer.is_full
    assert not buffer.buffer(FRAME, moment(0))
    assert len(buffer.close()) == MAX_WAITING
