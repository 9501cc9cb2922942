"""Which times frames have covered."""

from sense_mqtt.core.transitions.coverage import Coverage


def test_frames_close_together_leave_nothing_unobserved():
    coverage = Coverage()
    for time in (10.0, 11.0, 13.5):
        coverage = coverage.after_sample(time)
    assert (coverage.known_since, coverage.last_observed_at, coverage.unobserved) == (10.0, 13.5, ())


def test_polls_make_one_span_of_many():
    coverage = Coverage()
    for time in (0.0, 60.0, 120.0, 180.0):
        coverage = coverage.after_sample(time)
    assert coverage.unobserved == ((0.0, 180.0),)


def test_two_gaps_are_two_spans():
    coverage = Coverage()
    for time in (0.0, 60.0, 61.0, 120.0):
        coverage = coverage.after_sample(time)
    assert coverage.unobserved == ((0.0, 60.0), (61.0, 120.0))


def test_what_is_long_past_is_forgotten():
    coverage = Coverage().after_sample(0.0).after_sample(60.0).after_sample(60.5)
    coverage = coverage.after_sample(4000.0).after_sample(4001.0)
    assert (coverage.known_since, coverage.unobserved) == (401.0, ((60.5, 4000.0),))
