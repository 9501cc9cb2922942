"""A plain frame is only summed up, and that shows in nothing that is known or published afterwards."""

import math

import pytest
from msgspec.structs import replace

from sense_mqtt.core.catch_up import catch_up
from sense_mqtt.core.cycles.appliance import Appliance, Tally
from sense_mqtt.core.cycles.capability import CYCLES
from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.home import samples
from sense_mqtt.core.home.plain_frames import NEVER
from sense_mqtt.core.home.state import Home, Policy
from sense_mqtt.core.meters.integrate import with_part
from sense_mqtt.core.meters.total import METERS
from sense_mqtt.core.next_tick import next_tick
from sense_mqtt.core.observe import observe, observe_any
from sense_mqtt.core.readings.throttle import next_due
from sense_mqtt.core.solar.surplus import SURPLUS, SurplusState
from sense_mqtt.core.solar_rules import SolarRules
from sense_mqtt.core.wire.frames import RealtimeUpdate
from tests.support.core.builders import (
    DRYER,
    HOME,
    KETTLE,
    OTHER,
    PLUG,
    START,
    bare_frame,
    frame,
    listed,
    moment,
    policy,
    readings,
    run,
)
from tests.support.core.fuzz import throw
from tests.support.core.random_home import RULES, calm_observations
from tests.support.seeds import seeds

APPLIANCES = (DRYER["id"], KETTLE["id"], PLUG["id"], "d3")
POLICY = policy(
    {each: replace(RULES.get(each, DeviceRules()), cycle_pause_s=20.0) for each in APPLIANCES},
    house_interval_s=3.0,
    device_interval_s=7.0,
    stale_after_s=20.0,
    solar=SolarRules(on_above_w=500.0, off_below_w=400.0, hold_s=4.0),
)


def known(home: Home) -> list:
    """Return what is known of a home, energy rounded: it is summed up in another order."""
    home = catch_up(home)
    meters, cycles = with_part(METERS.state_of(home)), CYCLES.state_of(home)
    devices = [
        replace(each, switch=replace(each.switch, energy_ws=each.switch.energy_ws and round(each.switch.energy_ws, 3)))
        for each in samples.up_to_date(home).devices.values()
    ]
    appliances = {device: _of_appliance(each) for device, each in cycles.appliances.items()}
    totals = {counter: round(kwh, 9) for counter, kwh in meters.totals.items()}
    published = {subject: each.at for subject, each in home.published.items()}
    return [home.last_frame, home.solar_seen_at, home.coverage, published, devices, appliances, totals, meters.sample]


def _of_appliance(appliance: Appliance) -> Appliance:
    cycle = appliance.cycle and replace(appliance.cycle, tally=_rounded(appliance.cycle.tally))
    return replace(appliance, tally=_rounded(appliance.tally), cycle=cycle)


def _rounded(tally: Tally) -> Tally:
    return replace(tally, energy_ws=round(tally.energy_ws, 3), variance=round(tally.variance, 3))


def _as_decoded(update: RealtimeUpdate, home: Home) -> RealtimeUpdate:
    """Return a frame without the descriptions of devices that are known."""
    return replace(update, new_devices=tuple(info for info in update.new_devices if info.id not in home.known_ids))


@pytest.mark.parametrize("wanted", [POLICY, replace(POLICY, jump_w=150.0)], ids=["without jumps", "with jumps"])
@pytest.mark.parametrize("seed", seeds(20, quick=1))
def test_summing_up_plain_frames_gives_the_same_as_taking_in_each_of_them(seed, wanted):
    passing_over, taking_in, plain = HOME, HOME, 0
    for at, seen in calm_observations(throw(seed), 600):
        if isinstance(seen, RealtimeUpdate):
            seen = _as_decoded(seen, passing_over)
        passing_over, changes = observe(passing_over, seen, moment(at), wanted)
        taking_in, expected = observe_any(taking_in, seen, moment(at), wanted)
        assert changes == expected
        assert known(passing_over) == known(taking_in)
        plain += passing_over.plain is not None
    assert plain > 100


# --- which frames are plain

CALM = policy({PLUG["id"]: DeviceRules(on_above_w=70.0, off_below_w=60.0)}, solar=SolarRules(on_above_w=800.0))
WASHING = policy({DRYER["id"]: DeviceRules(cycle_pause_s=20.0)})
HIDDEN = {"id": "hidden", "name": "Shed", "w": 5.0, "tags": {"UserDeleted": "true"}}
ROWS = (DRYER, PLUG, HIDDEN)


def shown(*devices, at, **fields) -> RealtimeUpdate:
    """Return a frame with solar power that describes nothing."""
    return replace(frame(*devices, at=at, solar_w=900.0, **fields), new_devices=())


def begun(wanted: Policy = CALM) -> Home:
    """Return a home in which frames are plain from the one at 3 s on; its values were published at 0.5 s."""
    rows = [(0.5, frame(*ROWS, at=0.0, solar_w=900.0)), *((at, shown(*ROWS, at=at)) for at in (1.0, 2.0))]
    home, _ = run(HOME, (0.0, listed(*ROWS)), *rows, wanted=wanted)
    return home


def test_a_frame_with_other_watts_is_plain_and_nothing_else_is_touched():
    before = begun()
    home, changes = observe(
        before, shown({**DRYER, "w": 5000.0}, PLUG, {**HIDDEN, "w": 6.0}, at=3.0), moment(3.0), CALM
    )
    assert changes == ()
    assert (home.devices, home.coverage, home.last_frame) == (before.devices, before.coverage, before.last_frame)
    after = catch_up(home)
    assert (home.newest_epoch, after.newest_epoch) == (START + 3.0, START + 3.0)
    assert (after.plain, after.devices[DRYER["id"]].power_w) == (None, 5000.0)


def test_a_frame_without_the_row_of_what_is_always_on_is_plain_too():
    rows = [bare_frame(DRYER, OTHER, at=at) for at in (0.0, 1.0, 2.0, 3.0)]
    home, _ = run(
        HOME,
        *((at, replace(row, new_devices=row.new_devices[: 2 * (at == 0)])) for at, row in enumerate(rows)),
        wanted=CALM,
    )
    assert home.plain is not None
    assert catch_up(home).devices[DRYER["id"]].power_w == DRYER["w"]


def test_the_first_watts_that_are_to_be_published_are_not_those_of_a_plain_frame():
    before = catch_up(begun())
    before = replace(
        before, published={key: each for key, each in before.published.items() if key != (DRYER["id"], "power")}
    )
    home, changes = observe(before, shown({**DRYER, "w": 5000.0}, PLUG, HIDDEN, at=3.0), moment(3.0), CALM)
    assert home.plain is None
    assert readings(changes, "power", DRYER["id"]) == ["5000.0"]


def test_an_appliance_that_draws_without_having_turned_on_lets_no_frame_be_plain():
    home = begun(WASHING)
    washer = replace(CYCLES.state_of(home).appliances[DRYER["id"]], last=None)
    state = replace(CYCLES.state_of(home), appliances={DRYER["id"]: washer})
    assert CYCLES.passes_over(state, home, moment(3.0), WASHING) is NEVER


@pytest.mark.parametrize(
    "update",
    [
        pytest.param(shown(*ROWS, at=5.5), id="more than three seconds later"),
        pytest.param(shown(*ROWS, at=1.0), id="older"),
        pytest.param(shown(*ROWS, at=None), id="of unknown time"),
        pytest.param(shown(DRYER, HIDDEN, at=3.0), id="without a device"),
        pytest.param(shown(*ROWS, KETTLE, at=3.0), id="with one more"),
        pytest.param(shown(DRYER, KETTLE, HIDDEN, at=3.0), id="with another one"),
        pytest.param(shown(DRYER, {**PLUG, "w": 59.0}, HIDDEN, at=3.0), id="below a threshold"),
        pytest.param(shown(DRYER, {**PLUG, "attrs": ["Idle"]}, HIDDEN, at=3.0), id="with another attribute"),
        pytest.param(shown(DRYER, {**PLUG, "w": None}, HIDDEN, at=3.0), id="without watts"),
        pytest.param(shown(*ROWS, at=3.0, w=100.0), id="with enough of the sun"),
        pytest.param(replace(shown(*ROWS, at=3.0), solar_w=None), id="without solar power"),
        pytest.param(frame(*ROWS, at=3.0, solar_w=900.0), id="with a description"),
    ],
)
def test_such_a_frame_is_not_plain(update):
    home, _ = observe(begun(), update, moment(3.0), CALM)
    assert home.plain is None


def test_with_another_configuration_all_limits_are_worked_out_anew():
    home, _ = observe(begun(), shown(*ROWS, at=3.0), moment(3.0), CALM)
    assert home.plain is not None
    home, _ = observe(home, shown(*ROWS, at=4.0), moment(4.0), policy())
    assert home.plain is None


@pytest.mark.parametrize(
    ("update", "published"),
    [
        pytest.param(shown({**DRYER, "w": 5500.0}, PLUG, HIDDEN, at=3.0), None, id="of a device, a small one"),
        pytest.param(shown({**DRYER, "w": 5400.0}, PLUG, HIDDEN, at=3.0), "5400.0", id="of a device"),
        pytest.param(shown(*ROWS, at=3.0, w=390.0), None, id="of the house, a small one"),
        pytest.param(shown(*ROWS, at=3.0, w=420.0), "420.0", id="of the house"),
    ],
)
def test_a_frame_with_a_step_that_is_published_at_once_is_not_plain(update, published):
    jumps = policy(jump_w=100.0)
    home, changes = observe(begun(jumps), update, moment(3.0), jumps)
    assert (home.plain is None) is (published is not None)
    told = [*readings(changes, "power"), *readings(changes, "power", DRYER["id"])]
    assert told == ([] if published is None else [published])


def test_a_tick_is_due_once_the_interval_is_over_and_no_frame_is_awaited():
    home, _ = observe(begun(), shown(*ROWS, at=3.0), moment(3.0), CALM)
    assert next_tick(home, moment(3.0).monotonic, CALM) == pytest.approx(moment(10.5).monotonic, abs=0.01)
    home, _ = observe(home, shown(*ROWS, at=6.0), moment(10.4), CALM)
    assert next_tick(home, moment(10.4).monotonic, CALM) == pytest.approx(moment(11.4).monotonic, abs=0.01)


def test_where_nothing_was_published_yet_all_is_due():
    assert next_due(HOME, CALM) == -math.inf


@pytest.mark.parametrize("state", [SurplusState(), SurplusState(is_on=True, crossed_at=5.0)])
def test_the_surplus_passes_over_no_frame_before_it_has_said_something(state):
    bounds = SURPLUS.passes_over(state, begun(), moment(2.0), CALM)
    assert (bounds is NEVER) is (state.is_on is None)
    assert bounds.due == (-math.inf if state.is_on is None else 125.0)


def test_an_appliance_of_which_the_newest_sample_is_not_known_does_not_go_on():
    assert not Appliance(60.0).goes_on(is_on=True, power_w=5.0)
