"""Days of a simulated house through the core: every kWh that is published beside the truth."""

from collections import defaultdict

import pytest

from sense_mqtt.core.timestamps import read_timestamp
from sense_mqtt.simulator.house.appliances import APPLIANCES
from sense_mqtt.simulator.house.builtin import RandomHouse
from sense_mqtt.simulator.house.stepped import SteppedHouse
from tests.support.core.meter_claims import (
    HOUR_S,
    UNSETTLED,
    is_settled,
    meters_of,
    shrinks,
    since_of,
    untrue_when_settled,
)
from tests.support.core.ten_days import AUTUMN, BEGINS_BEFORE_S, KETTLE, MICROWAVE, PLUG, SPRING, live_ten_days
from tests.support.core.trial import CONSUMPTION, Trial

pytestmark = pytest.mark.no_cover  # others cover all that these do


CHANGED_DAYS = [
    pytest.param((AUTUMN, 25), id="25 hours"),
    pytest.param((SPRING, 23), id="23 hours", marks=pytest.mark.long),
]


@pytest.fixture(scope="module", params=CHANGED_DAYS)
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


# --- what it costs

CALLS_MORE = 4  # an hour, beside energy by period


def test_all_that_is_read_beside_energy_by_period_costs_sense_at_most_four_calls_an_hour(day):
    trial, hours = day
    assert sum(trial.calls.values()) - trial.calls["energy"] <= CALLS_MORE * hours
    assert trial.calls["energy"] == pytest.approx(16 * (hours + 1), abs=16)


def test_a_home_without_solar_is_asked_half_as_much_of_its_energy():
    trial = Trial(AUTUMN, house=SteppedHouse(RandomHouse(3, begins=AUTUMN)), frame_s=300.0)
    trial.run(3 * HOUR_S)
    assert trial.calls["energy"] == pytest.approx(8 * 3, abs=8)
    assert sum(trial.calls.values()) - trial.calls["energy"] <= CALLS_MORE * 3


# --- meters

LEAST_KWH = 0.003  # what is published has three digits
HALF_POLL_S = 30.0  # a device that switches between two polls is counted for half of the time between them
WASHER, OVEN = "71fd0a56", "d3a7562e"  # they pulse about as often as they are polled
SWITCHES = defaultdict(lambda: 6, {WASHER: 12, OVEN: 12})  # within an hour and a half, until it is settled
WATTS = {appliance.device.id: 1.02 * appliance.w for appliance in APPLIANCES}
WATTS |= {KETTLE: WATTS[KETTLE] + WATTS[MICROWAVE]}
HOUSE_W = 12_000.0  # the car, the water heater and the heat pump switch at once, in the worst case


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("change", [AUTUMN, SPRING], ids=["clocks back", "clocks forward"])
def test_after_ten_days_every_meter_is_the_truth_of_the_finished_hours_and_none_has_ever_shrunk(change):
    trial = Trial(change - BEGINS_BEFORE_S)
    live_ten_days(trial, away_s=0.0, is_polled=True)
    meters = list(meters_of(trial))
    assert [fault for meter in meters for fault in shrinks(meter)] == []
    assert [fault for meter in meters for fault in untrue_at_the_end(trial, *meter)] == []
    assert [fault for meter in meters for fault in untrue_between(trial, *meter)] == []
    assert {device for device, _, _ in meters} >= {None, "always_on", "unknown", KETTLE, PLUG}


def test_between_settlements_every_meter_is_within_two_percent_also_after_a_kill():
    trial = Trial(AUTUMN)
    trial.run(4.6 * HOUR_S)
    trial.restart(killed=True)
    trial.run(1.4 * HOUR_S)
    meters = list(meters_of(trial))
    assert [fault for meter in meters for fault in shrinks(meter)] == []
    assert [fault for meter in meters for fault in untrue_between(trial, *meter)] == []


def untrue_at_the_end(trial, device, figure, told):
    """Yield where the last figure is not the truth up to the last finished hour.

    Pulses that no poll shows leave no doubt: of the washer what is too high is held.
    """
    if device != MICROWAVE:  # it is a part of the kettle since
        held = step_kwh(device) / 2 if device == WASHER else 0.0
        yield from untrue_when_settled(trial, (device, figure, told), trial.begins + 243 * HOUR_S, held_kwh=held)


def untrue_between(trial, device, figure, told):
    """Yield where a figure is not close to the truth, once what was missed in gaps is settled."""
    for message, kwh in told:
        true = trial.truth(device, figure, since_of(message), message.at)
        near, step = UNSETTLED * true + LEAST_KWH, step_kwh(device)
        if is_settled(trial, figure, message.at) and not -near - step <= kwh - true <= near + step / 2:
            yield f"{device} {figure} {kwh} for {true:.3f} after {hours_of(trial, message)}"


def step_kwh(device):
    """Return what may be counted too much or too little where it switches between two polls."""
    return SWITCHES[device] * WATTS.get(device, 0.0 if device else HOUSE_W) * HALF_POLL_S / 3_600_000


def hours_of(trial, message):
    return f"{(message.at - trial.begins) / HOUR_S:.2f} h"
