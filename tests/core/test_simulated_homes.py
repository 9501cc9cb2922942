"""Every true transition of a house once, whatever its frames, its timeline, its gaps and restarts are like."""

import pytest

from tests.support.core import simulated_home
from tests.support.seeds import seeds

pytestmark = pytest.mark.no_cover  # others cover all that these do


@pytest.mark.parametrize("seed", seeds(8, quick=0))
def test_in_a_stream_every_transition_is_reported_once(seed):
    _hold(simulated_home.stream(seed, 900.0).comparison(polled=False), 30)


@pytest.mark.parametrize("seed", seeds(12, quick=0))
def test_between_polls_every_transition_is_reported_once(seed):
    _hold(simulated_home.poll(seed, 3600.0).comparison(polled=True), 100)


def test_in_minutes_of_a_stream_every_transition_is_reported_once():
    _hold(simulated_home.stream(0, 360.0).comparison(polled=False), 12)


def test_between_polls_of_half_an_hour_every_transition_is_reported_once():
    _hold(simulated_home.poll(0, 1800.0).comparison(polled=True), 50)


def _hold(verdict, least):
    wrong = (verdict.missing, verdict.invented, verdict.wrong_time, verdict.out_of_order, verdict.doubled_for_no_reason)
    assert wrong == ([], [], [], [], [])
    assert verdict.doubled_after_kill == verdict.doubled_after_cut == 0
    assert verdict.delivered >= least
