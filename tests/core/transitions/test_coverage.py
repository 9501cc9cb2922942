"""Which times frames have covered."""

import pytest
from msgspec.structs import replace

from sense_mqtt.core.transitions.coverage import Coverage
from tests.support.core.edges import STREAM

GAP = replace(STREAM, unobserved=((100.0, 400.0),))
INTERRUPTED = replace(STREAM, is_interrupted=True)
POLLS = replace(STREAM, unobserved=((100.0, 1000.0),))
OFFSET_KNOWN = (0.0, 0.0, 0.0)
OBSERVED = [
    pytest.param(STREAM, 500, True, id="in a stream"),
    pytest.param(STREAM, 1200, True, id="while a stream goes on"),
    pytest.param(GAP, 250, False, id="not in a gap"),
    pytest.param(GAP, 419, False, id="not within the tolerance of 20 s after a gap"),
    pytest.param(replace(GAP, clock_offsets=OFFSET_KNOWN), 419, True, id="19 s after a gap, the offset being known"),
    pytest.param(replace(GAP, clock_offsets=OFFSET_KNOWN), 404, False, id="not 4 s after it"),
    pytest.param(INTERRUPTED, 979, True, id="before the feed ended"),
    pytest.param(INTERRUPTED, 981, False, id="not since the feed ended, within the tolerance"),
    pytest.param(POLLS, 1200, False, id="not after the last of polls"),
    pytest.param(replace(GAP, known_since=300.0), 250, True, id="before anything is known, by definition"),
    pytest.param(Coverage(), 5, False, id="not before the first frame"),
]


@pytest.mark.parametrize(("coverage", "time", "expected"), OBSERVED)
def test_the_house_was_observed(coverage, time, expected):
    assert coverage.was_observed(time) is expected


PASSED = [
    pytest.param(STREAM, 983, True, id="15 s and the hold time of 2 s after it"),
    pytest.param(STREAM, 983.1, False, id="not earlier"),
    pytest.param(replace(STREAM, clock_offsets=OFFSET_KNOWN), 992, True, id="8 s after it, the offset being known"),
    pytest.param(INTERRUPTED, 1900, True, id="at once in a gap"),
    pytest.param(POLLS, 1998, True, id="between polls once the hold time is over"),
    pytest.param(POLLS, 1999, False, id="not between polls within the hold time"),
    pytest.param(replace(STREAM, unobserved=((990.0, 1000.0),)), 983, True, id="after a gap of 10 s as in a stream"),
]


@pytest.mark.parametrize(("coverage", "time", "expected"), PASSED)
def test_frames_have_passed_a_time(coverage, time, expected):
    assert coverage.can_be_decided(time, hold_s=2.0, present=2000.0) is expected


def sampled(*times):
    coverage = Coverage()
    for time in times:
        coverage = coverage.after_sample(time, arrived=time, time=time, uncertainty_s=0.0)
    return coverage


def test_frames_close_together_leave_nothing_unobserved():
    coverage = sampled(10.0, 11.0, 13.5)
    assert (coverage.known_since, coverage.last_observed_at, coverage.unobserved) == (10.0, 13.5, ())


def test_polls_make_one_span_of_many():
    assert sampled(0.0, 60.0, 120.0, 180.0).unobserved == ((0.0, 180.0),)


def test_two_gaps_are_two_spans():
    assert sampled(0.0, 60.0, 61.0, 120.0).unobserved == ((0.0, 60.0), (61.0, 120.0))


def test_what_is_long_past_is_forgotten():
    coverage = sampled(0.0, 60.0, 60.5, 4000.0, 4001.0)
    assert (coverage.known_since, coverage.unobserved) == (401.0, ((60.5, 4000.0),))
