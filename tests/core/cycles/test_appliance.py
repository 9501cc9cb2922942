"""One appliance: edges that are late, repeated or missing."""

import pytest

from sense_mqtt.core.cycles.appliance import Appliance, Cycle, PowerSample
from sense_mqtt.core.edges import EdgeKind

ON, OFF, IDLE = EdgeKind.TURNED_ON, EdgeKind.TURNED_OFF, EdgeKind.IDLE


def after(*edges: tuple[EdgeKind, float]) -> Appliance:
    appliance = Appliance(300.0)
    for kind, time in edges:
        appliance, over = appliance.edge(kind, time, "frame")
        assert over is None
    return appliance


def cycle_of(appliance: Appliance) -> tuple[float | None, float | None, int]:
    cycle = appliance.cycle
    assert cycle is not None
    return cycle.started, cycle.ended, cycle.phases


@pytest.mark.parametrize(
    ("edges", "cycle"),
    [
        ([(ON, 10), (OFF, 20)], (10, 20, 1)),
        ([(ON, 10), (IDLE, 20), (OFF, 30)], (10, 20, 1)),  # at standby it has ended already
        ([(ON, 10), (OFF, 5)], (10, None, 1)),
        ([(ON, 10), (OFF, 20), (ON, 12), (OFF, 15)], (10, 20, 2)),  # a phase before the end, found late
        ([(ON, 10), (OFF, 20), (ON, 2)], (2, 20, 2)),
        ([(ON, 10), (ON, 15)], (10, None, 2)),  # an end in between is missing
    ],
)
def test_edges_make_a_cycle(edges: list[tuple[EdgeKind, float]], cycle: tuple[float, float | None, int]):
    assert cycle_of(after(*edges)) == cycle


def test_what_is_older_than_a_cycle_that_was_told_changes_nothing():
    appliance = after((ON, 10), (OFF, 20)).over()
    assert appliance.edge(ON, 15, "timeline") == (appliance, None)


def test_an_end_without_a_begin_begins_nothing():
    assert after((OFF, 20)).cycle is None


def test_a_late_phase_before_one_of_unknown_begin_leaves_the_begin_unknown():
    appliance, _ = Appliance(300.0).show(is_on=True, since=None, time=10)
    assert cycle_of(appliance.edge(ON, 5, "timeline")[0]) == (None, None, 2)
    assert Cycle(None, 10).duration_s is None


@pytest.mark.parametrize(("since", "expected"), [(100.0, (10, None, 2)), (None, (10, None, 2))])
def test_a_state_without_its_edge_goes_on_with_the_cycle(since: float | None, expected: tuple[float, None, int]):
    appliance, over = after((ON, 10), (OFF, 20)).show(is_on=True, since=since, time=110)
    assert (cycle_of(appliance), over) == (expected, None)


@pytest.mark.parametrize(("since", "ended"), [(100.0, 100.0), (None, 110.0)])
def test_a_state_without_its_edge_ends_a_phase(since: float | None, ended: float):
    appliance, _ = after((ON, 10)).show(is_on=False, since=since, time=110)
    assert cycle_of(appliance) == (10, ended, 1)


def test_a_state_without_its_edge_after_the_pause_is_a_new_cycle():
    appliance, over = after((ON, 10), (OFF, 20)).show(is_on=True, since=900, time=910)
    assert cycle_of(appliance) == (900, None, 1)
    assert over is not None
    assert (over.started, over.ended) == (10, 20)


def test_the_energy_until_an_end_that_the_timeline_tells_is_that_of_the_last_power():
    appliance = after((ON, 0)).sample(PowerSample(0, 100.0)).sample(PowerSample(1, 100.0))
    appliance, _ = appliance.edge(OFF, 21, "timeline")
    assert appliance.cycle is not None
    assert appliance.cycle.tally.energy_kwh == pytest.approx(2100 / 3.6e6)
