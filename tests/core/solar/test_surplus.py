"""`surplus_power` and `surplus`: thresholds, hold time, and what happens where nobody saw the sun."""

from typing import Any

import pytest

from sense_mqtt.core.capability import HOUSE
from sense_mqtt.core.changes import StateChanged
from sense_mqtt.core.home.state import Home, Tick
from sense_mqtt.core.solar_rules import SolarRules
from sense_mqtt.core.stored_home import restore, snapshot
from sense_mqtt.core.wire.frames import RealtimeUpdate
from tests.support.core.builders import HOME, frame, policy, readings, run

QUICK = policy(house_interval_s=0.0, solar=SolarRules(on_above_w=500.0, off_below_w=100.0, hold_s=10.0))
Seen = tuple[float, RealtimeUpdate]


def surplus(watts: float, at: float) -> Seen:
    """Return a frame at a second, of a house that uses 300 W and produces so much more."""
    return at, frame(at=at, solar_w=300.0 + watts)


def told(*seen: Any, home: Home = HOME) -> list[str]:
    return readings(run(home, *seen, wanted=QUICK)[1], "surplus")


POWERS = [
    (800.0, "500.0"),
    (300.0, "0.0"),
    (100.0, "0.0"),
    (-2.6, "0.0"),
    (300.06, "0.1"),  # of the figures as they are published: 300.1 less 300.0
]


@pytest.mark.parametrize(("solar_w", "expected"), POWERS)
def test_surplus_power_is_production_less_consumption_and_never_below_0(solar_w: float, expected: str) -> None:
    _, changes = run(HOME, (0.0, frame(solar_w=solar_w)))
    assert readings(changes, "surplus_power") == [expected]


def test_home_without_solar_has_no_surplus() -> None:
    _, changes = run(HOME, (0.0, frame()), (60.0, frame(at=60.0)))
    assert readings(changes, "surplus_power") == readings(changes, "surplus") == []


HOLDS = [
    pytest.param([surplus(900, 0), surplus(900, 9.5)], ["OFF"], id="not yet"),
    pytest.param([surplus(500, 0), surplus(500, 10)], ["OFF", "ON"], id="at the threshold, for as long"),
    pytest.param(
        [surplus(900, 0), surplus(499, 5), surplus(900, 6), surplus(900, 15)], ["OFF"], id="a dip begins anew"
    ),
    pytest.param(
        [surplus(900, 0), surplus(900, 10), surplus(100, 20), surplus(100, 40)], ["OFF", "ON"], id="between both"
    ),
    pytest.param(
        [surplus(900, 0), surplus(900, 10), surplus(99, 20), surplus(99, 29.5), surplus(99, 30)],
        ["OFF", "ON", "OFF"],
        id="below, for as long",
    ),
    pytest.param(
        [surplus(900, 0), surplus(900, 10), surplus(0, 20), surplus(150, 25), surplus(0, 26), surplus(0, 35)],
        ["OFF", "ON"],
        id="a moment above keeps it on",
    ),
    pytest.param([surplus(900, 0), surplus(900, 50)], ["OFF"], id="nobody saw it for as long as a house is stale"),
]


@pytest.mark.parametrize(("seen", "expected"), HOLDS)
def test_surplus_changes_once_it_has_lasted(seen: list[Seen], expected: list[str]) -> None:
    assert told(*seen) == expected


def test_surplus_without_hold_changes_at_once() -> None:
    at_once = policy(house_interval_s=0.0, solar=SolarRules(hold_s=0.0))
    _, changes = run(HOME, surplus(900, 0), surplus(0, 1), surplus(900, 2), wanted=at_once)
    assert readings(changes, "surplus") == ["ON", "OFF", "ON"]


def test_time_alone_does_not_turn_it_on() -> None:
    assert told(surplus(900, 0), (30.0, Tick())) == ["OFF"]


def test_frame_without_solar_power_is_passed_over() -> None:
    assert told(surplus(900, 0), (5.0, frame(at=5.0)), surplus(900, 10)) == ["OFF", "ON"]


def test_surplus_is_emptied_where_solar_power_is_missing_and_told_again_when_it_is_back() -> None:
    seen = [surplus(900, 0), *[(at, frame(at=at)) for at in (40.0, 46.0, 80.0)], surplus(900, 81)]
    assert told(*seen) == ["OFF", "", "OFF"]


def test_surplus_between_both_thresholds_goes_on_after_a_restart() -> None:
    home, _ = run(HOME, surplus(900, 0), surplus(900, 10), wanted=QUICK)
    after = restore(7, snapshot(home), policy())
    assert told(surplus(200, 300), home=after) == ["ON"]


def test_surplus_is_stored_when_it_changes_and_only_then() -> None:
    _, changes = run(HOME, surplus(900, 0), surplus(900, 5), surplus(900, 10), surplus(900, 11), wanted=QUICK)
    assert [change for change in changes if change == StateChanged("surplus")] == 2 * [StateChanged("surplus")]


@pytest.mark.parametrize("stored", [{}, {"is_on": 1}, {"is_on": None}])
def test_surplus_that_cannot_be_read_is_not_known(stored: dict[str, Any]) -> None:
    rows = {**snapshot(HOME), ("surplus", HOUSE): stored}
    assert told(surplus(200, 0), home=restore(7, rows, policy())) == ["OFF"]
