"""A few schedules of the fault harness, at every place where faults are injected; `make faults` runs a thousand."""

from dataclasses import replace

import pytest

from tests.support.checkout import skip_unless_in_ci
from tests.support.faults.crash_points import MOMENTS
from tests.support.faults.fault_table import FAULTS, NAMES
from tests.support.faults.plan import Mode, draw
from tests.support.faults.schedule import Result, run
from tests.support.mqtt.mosquitto import HOW_TO_GET_IT, find_mosquitto

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(autouse=True)
def _broker() -> None:
    if find_mosquitto() is None:
        skip_unless_in_ci(HOW_TO_GET_IT)


def wrongs(result: Result) -> dict[str, object]:
    """Return all of a result that should not be."""
    comparison = result.comparison
    found = {
        "missing": comparison.missing,
        "invented": comparison.invented,
        "wrong time": comparison.wrong_time,
        "out of order": comparison.out_of_order,
        "doubled": comparison.doubled_for_no_reason,
        "retained": result.wrong_retained,
        "crashes": result.crashes,
        "no recovery": [names for names, took in result.recoveries_s if took is None],
        "failure": result.failure,
    }
    return {name: what for name, what in found.items() if what}


def of(*places: str) -> tuple[str, ...]:
    return tuple(name for name, fault in FAULTS.items() if fault.where in places)


def test_a_quiet_house_is_reported_exactly():
    result = run(replace(draw(3, NAMES, "stream"), steps=()))
    assert wrongs(result) == {}
    assert result.comparison.sources.keys() == {"frame"}
    assert result.comparison.doubled_after_kill == result.comparison.doubled_after_cut == 0


@pytest.mark.parametrize(
    ("seed", "places", "mode"),
    [
        pytest.param(11, ("feed connection",), "stream", id="feed connection", marks=pytest.mark.long),
        pytest.param(12, ("REST connection", "clock"), "stream", id="REST and clock", marks=pytest.mark.long),
        pytest.param(13, ("broker connection", "broker"), "stream", id="broker and its connection"),
        pytest.param(14, ("bridge", "disk"), "stream", id="bridge and disk"),
        pytest.param(15, ("cloud",), "stream", id="cloud", marks=pytest.mark.long),
        pytest.param(16, ("cloud", "broker connection", "bridge"), "poll", id="polling"),
    ],
)
def test_nothing_is_lost_or_invented(seed: int, places: tuple[str, ...], mode: Mode):
    result = run(draw(seed, of(*places), mode))
    assert wrongs(result) == {}
    assert result.comparison.transitions >= 20


def test_the_bridge_is_killed_at_the_moment_that_was_ordered():
    result = run(draw(17, ("crash_after_record", "crash_before_publish"), "stream"))
    assert set(result.reached) == {"crash_after_record", "crash_before_publish"}
    assert {f"crash_{moment}" for moment in MOMENTS} <= set(NAMES)
