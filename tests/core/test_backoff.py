"""The waits between attempts."""

from random import Random

import pytest

from sense_mqtt.core.backoff import Backoff, Retries


def highest(_low: float, high: float) -> float:
    return high


def lowest(low: float, _high: float) -> float:
    return low


def test_a_wait_is_never_nothing():
    retries = Retries(Backoff(least_s=0.1), lowest)
    assert [retries.next_wait_s() for _ in range(3)] == [0.1, 0.1, 0.1]


@pytest.mark.parametrize(("failures", "ceiling_s"), [(0, 1.0), (3, 8.0), (9, 300.0), (10_000, 300.0)])
def test_the_ceiling_after_so_many_failures(failures, ceiling_s):
    assert Backoff().ceiling_s(failures) == ceiling_s


def test_the_least_gives_way_to_a_smaller_ceiling():
    assert Backoff(first_s=0.01, most_s=0.02, least_s=0.1).wait_s(0, highest) == 0.01


def test_waits_are_spread_over_the_whole_range():
    uniform = Random(1).uniform
    drawn = [Backoff().wait_s(20, uniform) for _ in range(1000)]
    assert min(drawn) < 10
    assert max(drawn) > 290
    assert 140 < sum(drawn) / 1000 < 160


def test_without_figures_the_usual_ones_count():
    assert Retries(Backoff(), highest).next_wait_s() == 1.0


def test_each_failure_in_a_row_doubles_the_ceiling_up_to_the_most():
    retries = Retries(Backoff(first_s=1, most_s=10), highest)
    assert [retries.next_wait_s() for _ in range(6)] == [1, 2, 4, 8, 10, 10]


def test_after_a_success_the_waits_are_short_again():
    retries = Retries(Backoff(first_s=1, most_s=10), highest)
    retries.next_wait_s()
    retries.next_wait_s()
    retries.reset()
    assert (retries.failures, retries.next_wait_s()) == (0, 1)
