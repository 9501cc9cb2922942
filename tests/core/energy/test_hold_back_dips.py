"""Which figures of energy are published: what dips is held back, and what cannot be is never told."""

import pytest
from msgspec.structs import replace

from sense_mqtt.core.energy.dips import HELD_BACK_S, PANEL_KW, AcceptedEnergy, hold_back_dips
from sense_mqtt.core.energy.periods import (
    DeviceConsumption,
    Energy,
)
from sense_mqtt.core.timestamps import Moment, read_timestamp
from tests.support.core.energy import DRYER, START, SUNNY

# --- what is believed

EARLIER, LATER = "2026-11-20T05:00:00.000Z", "2026-11-22T05:00:00.000Z"
BEGAN = read_timestamp(START)


def at(after_s, *, hours=30.0):
    """Return a moment so many seconds after one that is `hours` after START."""
    return Moment(BEGAN + hours * 3600 + after_s, 500.0 + after_s)


def accept_all(*readings, before=None, hours=30.0):
    """Return what may be published after each reading, a (second, energy) each."""
    kept, told = before and AcceptedEnergy(before, at(0.0).monotonic), []
    for after_s, read in readings:
        kept = hold_back_dips(kept, read, at(after_s, hours=hours))
        told.append(kept and kept.energy)
    return told


ACCEPTED = [
    ("the first reading", None, SUNNY),
    ("a counter that grew", SUNNY, replace(SUNNY, consumption_kwh=12.5)),
    ("nothing new", SUNNY, SUNNY),
    ("a new period", SUNNY, Energy("DAY", LATER, 0.0)),
    ("a period after one without start", replace(SUNNY, start=None), replace(SUNNY, consumption_kwh=1.0)),
    ("a figure that appears", Energy("DAY", START, 12.0), SUNNY),
    ("a balance that falls", SUNNY, replace(SUNNY, net_production_kwh=-3.0, solar_powered_pct=50.0)),
    ("less than is published", SUNNY, replace(SUNNY, consumption_kwh=11.9997)),
]
HELD_BACK = [
    ("a counter that fell", SUNNY, replace(SUNNY, to_grid_kwh=2.4)),
    ("a counter that went", SUNNY, replace(SUNNY, production_kwh=None)),
    ("a share that went", SUNNY, replace(SUNNY, solar_powered_pct=None)),
    ("another counter that grew meanwhile", SUNNY, replace(SUNNY, to_grid_kwh=0.0, consumption_kwh=13.0)),
    ("an earlier period", SUNNY, replace(SUNNY, start=EARLIER, consumption_kwh=30.0)),
    ("a period without start", SUNNY, replace(SUNNY, start=None)),
    (
        "a device that fell",
        replace(SUNNY, devices=(DRYER,)),
        replace(SUNNY, devices=(DeviceConsumption("1a2b3c4d", "", 1),)),
    ),
    ("a device that went", replace(SUNNY, devices=(DRYER,)), SUNNY),
]
PACES = [
    pytest.param(60.0, id="read once a minute"),
    pytest.param(900.0, id="read as by default"),
    pytest.param(7200.0, id="read seldom"),
]


@pytest.mark.parametrize(("before", "read"), [row[1:] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
def test_accepted(before, read):
    assert accept_all((900.0, read), before=before) == [read]


@pytest.mark.parametrize("pace_s", PACES)
@pytest.mark.parametrize(("before", "read"), [row[1:] for row in HELD_BACK], ids=[row[0] for row in HELD_BACK])
def test_held_back_until_it_has_lasted(before, read, pace_s):
    times = [pace_s * number for number in range(1, round(HELD_BACK_S / pace_s) + 3)]
    told = accept_all(*((time, read) for time in times), before=before)
    first, *others = zip(times, told, strict=True)
    assert first == (pace_s, before)
    assert [energy for _, energy in others] == [before if time <= HELD_BACK_S else read for time, _ in others]


def test_a_dip_is_measured_in_time_however_often_it_is_read():
    year, dip = Energy("YEAR", EARLIER, 5231.4), Energy("YEAR", EARLIER, 2104.7)
    by_the_minute = [(60.0 * minute, dip) for minute in range(1, 56)]
    pressed = [(10.0 + press, dip) for press in range(5)]
    assert set(accept_all(*by_the_minute, before=year, hours=2000.0)) == {year}
    assert set(accept_all(*pressed, before=year, hours=2000.0)) == {year}


def test_each_dip_has_its_own_time_from_the_last_good_figure():
    dip, good = replace(SUNNY, consumption_kwh=1.0), replace(SUNNY, consumption_kwh=12.5)
    readings = [(1800.0, dip), (3600.0, good), (5400.0, dip), (7200.0, dip), (9000.0, dip)]
    assert accept_all(*readings, before=SUNNY) == [SUNNY, good, good, good, dip]


def test_a_device_is_held_back_alone():
    other = DeviceConsumption("unknown", "Other", 5.0)
    before = replace(SUNNY, devices=(DRYER, other))
    after = replace(SUNNY, consumption_kwh=13.0, devices=(replace(DRYER, consumption_kwh=1.0), other))
    assert accept_all((900.0, after), before=before) == [replace(SUNNY, consumption_kwh=13.0, devices=(DRYER, other))]


SUNLESS = Energy("DAY", START, 13.0)  # Sense has answered `history/usage`, and not `history/usage/solar`


def test_figures_of_the_sun_that_sense_does_not_give_stay_beside_the_consumption_that_goes_on():
    told = accept_all((900.0, SUNLESS), (1800.0, replace(SUNLESS, consumption_kwh=14.0)), before=SUNNY)
    assert told == [replace(SUNNY, consumption_kwh=13.0), replace(SUNNY, consumption_kwh=14.0)]


def test_figures_of_the_sun_that_have_been_missing_for_long_are_gone():
    times = [900.0 * number for number in range(1, round(HELD_BACK_S / 900.0) + 3)]
    assert accept_all(*((time, SUNLESS) for time in times), before=SUNNY)[-1] == SUNLESS


def test_a_consumption_that_dips_while_the_sun_is_missing_is_held_back_too():
    dipped = replace(SUNLESS, consumption_kwh=3.0)
    assert accept_all((900.0, dipped), (1800.0, SUNLESS), before=SUNNY) == [SUNNY, replace(SUNNY, consumption_kwh=13.0)]


def test_a_new_day_shows_no_figure_of_the_sun_of_the_day_before():
    assert accept_all((900.0, replace(SUNLESS, start=LATER)), before=SUNNY) == [replace(SUNLESS, start=LATER)]


def test_what_the_inverter_draws_at_night_holds_nothing_back():
    night = [replace(SUNNY, production_kwh=10.0 - 0.003 * hour, consumption_kwh=12.0 + hour) for hour in (1, 2, 3)]
    told = accept_all(*((3600.0 * number, read) for number, read in enumerate(night)), before=SUNNY)
    assert told == [replace(read, production_kwh=10.0) for read in night]


def test_the_house_is_held_back_without_its_devices():
    new, more = DeviceConsumption("unknown", "Other", 5.0), replace(DRYER, consumption_kwh=3.0)
    after = replace(SUNNY, consumption_kwh=11.0, devices=(more, new))
    told = accept_all((900.0, after), before=replace(SUNNY, devices=(DRYER,)))
    assert told == [replace(SUNNY, devices=(more, new))]


# --- what cannot be

IMPOSSIBLE = 4294967.296


def day(kwh, **more):
    return Energy("DAY", START, kwh, **more)


def test_an_impossible_figure_is_never_published_and_holds_back_no_true_one():
    readings = [
        (900.0 * number, day(kwh)) for number, kwh in enumerate((9.8, IMPOSSIBLE, 9.9, *[IMPOSSIBLE] * 8, 10.0))
    ]
    assert accept_all(*readings, hours=10.0) == [day(9.8), day(9.8), *[day(9.9)] * 9, day(10.0)]


def test_a_start_two_minutes_ago_cannot_have_used_the_energy_of_yesterday():
    assert accept_all((0.0, day(23.4)), (60.0, day(0.05)), hours=2 / 60) == [None, day(0.05)]
    yesterday = Energy("DAY", EARLIER, 23.3)
    told = accept_all((0.0, day(23.4)), (60.0, day(0.05)), before=yesterday, hours=2 / 60)
    assert told == [yesterday, day(0.05)]


@pytest.mark.parametrize("figure", ["consumption_kwh", "production_kwh", "from_grid_kwh", "to_grid_kwh"])
def test_each_counter_has_its_bound(figure):
    assert accept_all((0.0, replace(SUNNY, **{figure: IMPOSSIBLE}))) == [None]


@pytest.mark.parametrize("kwh", [IMPOSSIBLE, -IMPOSSIBLE])
def test_the_balance_has_its_bound_on_both_sides(kwh):
    assert accept_all((0.0, replace(SUNNY, net_production_kwh=kwh))) == [None]


def test_a_device_that_cannot_be_is_left_out_and_what_was_reported_of_it_stays():
    other, impossible = DeviceConsumption("unknown", "Other", 5.0), replace(DRYER, consumption_kwh=IMPOSSIBLE)
    assert accept_all((0.0, replace(SUNNY, devices=(impossible, other)))) == [replace(SUNNY, devices=(other,))]
    [told] = accept_all((900.0, replace(SUNNY, devices=(impossible, other))), before=replace(SUNNY, devices=(DRYER,)))
    assert {device.id: device for device in told.devices} == {"1a2b3c4d": DRYER, "unknown": other}


BOUNDS = [
    pytest.param("DAY", 10.0, 10 * PANEL_KW, True, id="all that a panel can carry"),
    pytest.param("DAY", 10.0, 11 * PANEL_KW, False, id="an hour more"),
    pytest.param("DAY", 300.0, 26 * PANEL_KW, False, id="a day has 25 hours at most, whenever it began"),
    pytest.param("DAY", -0.01, 0.0, True, id="our clock is half a minute behind"),
    pytest.param("DAY", -0.01, 3.0, False, id="our clock is half a minute behind, and so much cannot be yet"),
    pytest.param("DAY", -1.0, 25 * PANEL_KW, True, id="our clock is an hour behind: the length of a day counts"),
    pytest.param("DAY", -1.0, 26 * PANEL_KW, False, id="our clock is an hour behind, and no day has so much"),
    pytest.param("WEEK", 200.0, 160 * PANEL_KW, True, id="a week"),
    pytest.param("MONTH", 800.0, 740 * PANEL_KW, True, id="a month"),
    pytest.param("YEAR", 9000.0, 8700 * PANEL_KW, True, id="a year"),
    pytest.param("CYCLE", 3000.0, 2900 * PANEL_KW, True, id="a cycle of four months"),
]


@pytest.mark.parametrize(("scale", "hours", "kwh", "can_be"), BOUNDS)
def test_no_figure_is_more_than_a_panel_can_have_carried_since_the_start(scale, hours, kwh, can_be):
    energy = Energy(scale, START, kwh)
    assert accept_all((0.0, energy), hours=hours) == [energy if can_be else None]


@pytest.mark.parametrize(("kwh", "can_be"), [(25 * PANEL_KW, True), (26 * PANEL_KW, False)])
def test_a_period_without_start_has_the_bound_of_the_longest(kwh, can_be):
    energy = Energy("DAY", None, kwh)
    assert accept_all((0.0, energy)) == [energy if can_be else None]
