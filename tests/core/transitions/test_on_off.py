"""On, off and idle of one device, sample by sample."""

import pytest

from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.edges import State
from sense_mqtt.core.transitions.on_off import STEPS, Context, Sample, SwitchState, apply_sample, settle
from sense_mqtt.core.wire.devices import DevicePower

AT_ONCE = DeviceRules(off_delay_s=0)
ON, IDLE, OFF, UNWEIGHED = DevicePower("a", w=1000.0), DevicePower("a", w=0.9, attrs=("Idle",)), None, DevicePower("a")


def context(rules):
    return Context("a", rules)


def apply_all(*samples, rules=AT_ONCE, switch=None):
    """Apply samples (second, power[, source]) in order; return the state and the transitions."""
    switch, transitions = switch or SwitchState(), []
    for at, power, *source in samples:
        switch, transition = apply_sample(switch, Sample(power, 1000.0 + at, 50.0 + at, *source), context(rules))
        transitions += [transition] if transition else []
    return switch, transitions


def test_every_state_has_a_step_for_every_sample():
    shown = (State.ON, State.IDLE, State.OFF)
    pairs = [(state, held) for state in shown for held in (None, *shown) if held is not state]
    assert set(STEPS) == {(State.UNKNOWN, None), *pairs}
    assert all(set(steps) == set(shown) for steps in STEPS.values())


def published(transitions):
    return [(transition.edge.kind, transition.edge.time - 1000.0) for transition in transitions]


@pytest.mark.parametrize(("row", "state"), [(ON, "on"), (IDLE, "idle"), (OFF, "off")])
def test_the_first_sample_makes_state_and_no_transition(row, state):
    switch, transitions = apply_all((0, row))
    assert (switch.state, switch.since, transitions) == (state, None, [])


def test_on_idle_and_off_are_three_states_and_each_change_is_reported():
    _, transitions = apply_all((0, OFF), (1, ON), (2, IDLE), (3, OFF), (4, IDLE), (5, ON), (6, OFF))
    assert published(transitions) == [
        ("turned_on", 1),
        ("idle", 2),
        ("turned_off", 3),
        ("idle", 4),
        ("turned_on", 5),
        ("turned_off", 6),
    ]


HELD = [
    pytest.param([(1, OFF), (2, ON), (9, ON)], {}, [], id="back before it has lasted"),
    pytest.param([(1, OFF), (2, OFF), (3, OFF)], {}, [("turned_off", 1)], id="lasts: told with when it began"),
    pytest.param([(1, OFF), (2, OFF)], {}, [], id="has not lasted yet"),
    pytest.param([(1, OFF), (2, ON), (3, OFF), (4, OFF)], {}, [], id="each attempt begins anew"),
    pytest.param([(1, IDLE), (2, OFF), (3, OFF)], {}, [("turned_off", 1)], id="idle on the way: over since it began"),
    pytest.param(
        [(n, (IDLE, OFF)[n % 2]) for n in range(1, 5)],
        {},
        [
            ("turned_off", 1),
        ],
        id="flapping below on ends the run",
    ),
    pytest.param([(1, OFF), (5, OFF)], {"off_delay_s": 30}, [], id="a longer rule"),
    pytest.param([(1, OFF), (31, OFF)], {"off_delay_s": 30}, [("turned_off", 1)], id="exactly as long as the rule"),
]


@pytest.mark.parametrize(("seen", "rules", "expected"), HELD)
def test_an_off_is_held_back_until_it_has_lasted(seen, rules, expected):
    _, transitions = apply_all((0, ON), *seen, rules=DeviceRules(**{"off_delay_s": 2, **rules}))
    assert published(transitions) == expected


SLOW = DeviceRules(on_delay_s=10, off_delay_s=30)
TURNS = [
    pytest.param([(0, IDLE), (1, OFF), (5, ON), (15, ON)], [("turned_on", 5)], id="on after an off that did not last"),
    pytest.param([(0, OFF), (1, ON), (5, IDLE), (12, IDLE)], [], id="idle has not lasted though on and idle have"),
    pytest.param([(0, OFF), (1, ON), (5, IDLE), (35, IDLE)], [("idle", 5)], id="idle after an on that did not last"),
    pytest.param([(0, OFF), (1, ON), (5, OFF), (9, ON), (18, ON)], [], id="on anew after a break"),
    pytest.param([(0, OFF), (1, ON), (5, OFF), (9, ON), (19, ON)], [("turned_on", 9)], id="on anew, lasted"),
]


@pytest.mark.parametrize(("seen", "expected"), TURNS)
def test_between_on_and_not_on_the_wait_begins_anew(seen, expected):
    _, transitions = apply_all(*seen, rules=SLOW)
    assert published(transitions) == expected


def test_a_held_back_change_settles_without_further_samples():
    rules = DeviceRules(off_delay_s=2)
    switch, _ = apply_all((0, ON), (1, OFF), rules=rules)
    assert settle(switch, 53.9, context(rules)) == (switch, None)
    settled, transition = settle(switch, 54.0, context(rules))  # 2 s and one of grace after it was seen
    assert (settled.state, settled.held, settled.since) == ("off", None, 1001.0)
    assert (transition.edge.kind, transition.edge.time, transition.power_w) == ("turned_off", 1001.0, 0.0)


def test_nothing_settles_where_nothing_is_held_back():
    switch, _ = apply_all((0, ON))
    assert settle(switch, 1e9, context(AT_ONCE)) == (switch, None)


THRESHOLDS = [
    pytest.param({"on_above_w": 100}, [99.9, 100, 99.9], [("turned_on", 2), ("turned_off", 3)], id="above only"),
    pytest.param({"off_below_w": 20}, [19, 20, 19], [("turned_on", 2), ("turned_off", 3)], id="below only"),
    pytest.param(
        {"on_above_w": 100, "off_below_w": 20}, [50, 100, 50, 19], [("turned_on", 2), ("turned_off", 4)], id="both"
    ),
    pytest.param({"on_above_w": 0}, [-1, 0], [("turned_on", 2)], id="zero is a threshold"),
]


@pytest.mark.parametrize(("thresholds", "watts", "expected"), THRESHOLDS)
def test_thresholds_replace_what_sense_says(thresholds, watts, expected):
    seen = [(n + 1, DevicePower("a", w=float(w))) for n, w in enumerate(watts)]
    _, transitions = apply_all((0, OFF), *seen, rules=DeviceRules(off_delay_s=0, **thresholds))
    assert published(transitions) == expected


def test_a_plug_below_its_threshold_is_idle_only_where_sense_says_so():
    rules = DeviceRules(off_delay_s=0, on_above_w=100)
    _, transitions = apply_all((0, DevicePower("a", w=150.0)), (1, IDLE), (2, DevicePower("a", w=50.0)), rules=rules)
    assert published(transitions) == [("idle", 1), ("turned_off", 2)]


def test_a_threshold_without_watts_leaves_it_to_presence():
    _, transitions = apply_all((0, OFF), (1, UNWEIGHED), rules=DeviceRules(on_above_w=100))
    assert published(transitions) == [("turned_on", 1)]


# --- what a run was


def test_a_run_is_measured_from_its_first_sample_to_its_last():
    _, transitions = apply_all((0, OFF), (10, ON), (20, DevicePower("a", w=500.0)), (30, OFF))
    off = transitions[-1]
    assert off.duration_s == 20
    assert off.energy_kwh == pytest.approx(15_000 / 3.6e6)  # 1000 W for 10 s and 500 W for 10 s


def test_the_energy_of_a_run_includes_the_time_in_which_its_on_was_held_back():
    rules = DeviceRules(on_delay_s=10, off_delay_s=0)
    _, transitions = apply_all((0, OFF), (10, ON), (20, ON), (30, OFF), rules=rules)
    assert transitions[-1].duration_s == 20
    assert transitions[-1].energy_kwh == pytest.approx(20_000 / 3.6e6)


def test_the_energy_of_a_run_excludes_the_time_in_which_its_off_was_held_back():
    rules = DeviceRules(on_above_w=100, off_delay_s=10)
    low = DevicePower("a", w=50.0)
    _, transitions = apply_all((0, OFF), (10, ON), (20, low), (25, low), (30, low), rules=rules)
    assert transitions[-1].duration_s == 10
    assert transitions[-1].energy_kwh == pytest.approx(10_000 / 3.6e6)


def test_an_off_that_did_not_last_is_part_of_the_run():
    rules = DeviceRules(off_delay_s=10)
    _, transitions = apply_all((0, OFF), (10, ON), (20, OFF), (25, ON), (30, OFF), (40, OFF), rules=rules)
    assert transitions[-1].duration_s == 20
    assert transitions[-1].energy_kwh == pytest.approx(15_000 / 3.6e6)


UNMEASURED = [
    pytest.param([(0, ON), (10, OFF)], None, id="it was on in the first sample"),
    pytest.param([(0, OFF), (1, ON), (2, UNWEIGHED), (3, ON), (4, OFF)], 3, id="a sample without watts"),
    pytest.param([(0, OFF), (1, ON), (152, ON), (153, OFF)], 152, id="too long between two samples"),
    pytest.param([(0, OFF), (1, ON), (5, ON, "reconnect"), (9, OFF)], 8, id="a gap in it"),
    pytest.param([(0, OFF), (1, ON), (5, ON), (3, ON, "reconnect"), (9, OFF)], 8, id="an old frame after a gap"),
    pytest.param([(0, OFF), (1, ON, "reconnect"), (5, ON), (9, OFF)], 8, id="its start fell into a gap"),
]


@pytest.mark.parametrize(("seen", "duration_s"), UNMEASURED)
def test_energy_is_unknown_where_not_all_of_the_run_was_seen(seen, duration_s):
    _, transitions = apply_all(*seen)
    assert transitions[-1].edge.kind == "turned_off"
    assert (transitions[-1].energy_kwh, transitions[-1].duration_s) == (None, duration_s)


def test_a_websocket_that_is_opened_again_at_once_leaves_the_energy_known():
    """Sense drops each after a quarter of an hour."""
    _, transitions = apply_all((0, OFF), (1, ON), (5, ON), (7, ON, "reconnect"), (9, OFF))
    assert transitions[-1].energy_kwh == pytest.approx(8_000 / 3.6e6)


def test_a_gap_within_a_held_back_on_leaves_the_energy_unknown():
    rules = DeviceRules(on_delay_s=10, off_delay_s=0)
    _, transitions = apply_all((0, OFF), (10, ON), (20, ON, "reconnect"), (30, OFF), rules=rules)
    assert (transitions[-1].energy_kwh, transitions[-1].duration_s) == (None, 20)


def test_energy_needs_more_than_a_state_that_was_recalled():
    _, transitions = apply_all((10, OFF), switch=SwitchState(State.ON, 1000.0))
    assert (transitions[0].duration_s, transitions[0].energy_kwh) == (10, None)


def test_power_is_that_of_the_newest_sample():
    rules = DeviceRules(on_delay_s=2)
    _, transitions = apply_all((0, OFF), (1, ON), (3, DevicePower("a", w=7.0)), rules=rules)
    assert transitions[0].power_w == 7.0


def test_the_source_is_that_of_the_sample_which_showed_it_first():
    rules = DeviceRules(on_delay_s=2)
    _, transitions = apply_all((0, OFF), (1, ON, "reconnect"), (3, ON), rules=rules)
    assert transitions[0].source == "reconnect"


# --- time


CLOCKS = [
    pytest.param([5, 5, 5, 5], [5, 5.001, 5.002], id="within one second"),
    pytest.param([0, 100, 40, 41], [100, 100.001, 100.002], id="a clock that slips back a little"),
    pytest.param([0, 1000, 10, 11], [1000, 10, 11], id="a clock that is set back is believed"),
]


@pytest.mark.parametrize(("seconds", "times"), CLOCKS)
def test_times_of_one_device_only_grow_unless_the_clock_was_set_back(seconds, times):
    rows = (OFF, ON, OFF, ON)
    _, transitions = apply_all(*zip(seconds, rows, strict=True))
    assert [round(time, 3) for _, time in published(transitions)] == times


def test_a_clock_set_back_does_not_hold_a_change_back_for_ever():
    rules = DeviceRules(off_delay_s=2)
    switch, _ = apply_all((3600, ON), (3601, OFF), (2, OFF), rules=rules)
    _, transition = settle(switch, 50.0 + 3604, context(rules))
    assert transition.edge.kind == "turned_off"


def test_energy_never_falls_when_the_clock_steps_back():
    _, transitions = apply_all((0, OFF), (10, ON), (20, ON), (15, ON), (30, OFF))
    assert transitions[-1].energy_kwh == pytest.approx(25_000 / 3.6e6)
