"""Days of a simulated house through the core: every kWh that is published beside the truth."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from sense_mqtt.core.timestamps import read_timestamp
from tests.support.core.trial import CONSUMPTION, ZONE, Trial

HOUR_S = 3600.0


def midnight(year, month, day):
    return datetime(year, month, day, tzinfo=ZoneInfo(ZONE)).timestamp()


AUTUMN, SPRING = midnight(2026, 11, 1), midnight(2027, 3, 14)  # the days of 25 and 23 hours


@pytest.fixture(scope="module", params=[(AUTUMN, 25), (SPRING, 23)], ids=["25 hours", "23 hours"])
def day(request):
    """A day with a change of clocks and how many hours it has; the trial goes on a little into the next day."""
    begins, hours = request.param
    trial = Trial(begins, frame_s=300.0, unfinished="absent")
    trial.run((hours + 1) * HOUR_S + 600)
    return trial, hours


def figures_of_day(trial, device):
    """Return (time, start of the day, kWh) of each message of `energy/day` that has a figure."""
    messages = trial.messages[device, "energy/day"]
    return [
        (each.at, read_timestamp(each.value["start"]), each.value[CONSUMPTION])
        for each in messages
        if CONSUMPTION in each.value
    ]


@pytest.mark.parametrize("device", [None, "always_on", "3f6b01d2"], ids=["the house", "always on", "the fridge"])
def test_a_few_minutes_past_each_hour_the_energy_of_the_day_is_the_truth_of_all_finished_hours(day, device):
    trial, hours = day
    for hour in range(1, hours):
        until = trial.begins + hour * HOUR_S
        kwh = [kwh for at, _, kwh in figures_of_day(trial, device) if at < until + 600][-1]
        assert kwh == pytest.approx(trial.truth(device, CONSUMPTION, trial.begins, until), abs=0.001)


@pytest.mark.parametrize("device", [None, "always_on"])
def test_nothing_of_a_new_day_is_published_under_the_start_of_the_day_before(day, device):
    trial, hours = day
    by_start = {}
    for _, start, kwh in figures_of_day(trial, device):
        by_start.setdefault(start, []).append(kwh)
    assert list(by_start) == [trial.begins, trial.begins + hours * HOUR_S]
    assert all(figures == sorted(figures) for figures in by_start.values())
