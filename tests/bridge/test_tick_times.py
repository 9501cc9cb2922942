"""When a home is looked at again as time alone may change it."""

import math

import pytest

from sense_mqtt.bridge.tick_times import TickTimes
from sense_mqtt.core.job_queue import JobQueue
from sense_mqtt.core.next_tick import next_tick
from sense_mqtt.core.observe import observe
from tests.support.core.builders import HOME, frame, moment, policy

POLICY = policy()


@pytest.fixture
def queue():
    return JobQueue()


@pytest.fixture
def times(queue):
    times = TickTimes(7, queue)
    times.observed(moment(0), is_plain=False)
    return times


def shown(at):
    return observe(HOME, frame(at=at), moment(at), POLICY)[0]


def test_after_what_had_to_be_stored_a_tick_is_due_until_it_was_observed(times, queue):
    for at in (0, 1, 2):  # the Tick fails twice
        assert queue.take(moment(at).monotonic) == [7]
        assert times.is_due(HOME, moment(at), POLICY)
    times.ticked(HOME, moment(2), POLICY)
    assert queue.take(math.inf) == [7]
    assert not times.is_due(HOME, moment(3), POLICY)


@pytest.mark.parametrize("asked_after_s", [0.0, 0.9, 500.0])
def test_after_a_plain_frame_it_is_due_when_it_was_at_that_frame_however_late_it_is_asked(times, queue, asked_after_s):
    times.ticked(HOME, moment(0), POLICY)
    home, asked = shown(5), moment(5 + asked_after_s)
    times.observed(moment(5), is_plain=True)
    due = next_tick(home, moment(5).monotonic, POLICY)
    assert moment(5).monotonic < due < moment(500).monotonic
    assert queue.take(asked.monotonic) == [7]
    assert times.is_due(home, asked, POLICY) is (due <= asked.monotonic)
    assert queue.take(max(due, asked.monotonic)) == [7]


def test_frames_in_between_ask_for_nothing_more(times, queue):
    times.ticked(HOME, moment(0), POLICY)
    for at in (5, 5.5, 6):
        times.observed(moment(at), is_plain=True)
    assert queue.take(moment(5).monotonic) == [7]
    times.observed(moment(6.5), is_plain=True)
    assert queue.take(moment(6.5).monotonic) == []


def test_it_can_be_hastened(times, queue):
    times.ticked(HOME, moment(0), POLICY)
    times.hasten()
    assert queue.take(-math.inf) == [7]
    assert times.is_due(HOME, moment(0), POLICY)
