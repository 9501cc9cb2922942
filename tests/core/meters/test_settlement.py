"""What the meters make of the hours that Sense tells of."""

from typing import Any

import pytest
from msgspec.structs import replace

from sense_mqtt.core.capability import HOUSE
from sense_mqtt.core.energy.hours import DayHours
from sense_mqtt.core.energy.periods import Energy, from_trends, from_usage
from sense_mqtt.core.home.identities import Identities
from sense_mqtt.core.home.state import QueryResult
from sense_mqtt.core.meters.total import METERS
from tests.support.core.builders import DRYER, HOME, KETTLE, START, frame, moment, policy, run
from tests.support.core.meter_figures import HOUR, NIGHT, documents, figures, kilowatts, told, totals
from tests.support.core.metered_house import MeteredHouse


def test_what_was_too_low_is_made_up_at_once_when_sense_has_said_it_twice():
    home, _ = run(HOME, *kilowatts(1.0, 0, 1.9))
    low = totals(home)[HOUSE, "consumption_kwh"]
    home, changes = run(home, (1.95 * HOUR, told(9.0, 1.5, 0.0)))
    assert totals(home)[HOUSE, "consumption_kwh"] == low
    home, changes = run(home, (2.2 * HOUR, told(9.0, 1.5, 0.2)))
    assert figures(changes)[-1] == pytest.approx(low + 0.5, abs=0.001)


def test_what_was_too_high_is_held_until_the_truth_has_caught_up():
    home, changes = run(HOME, *kilowatts(1.0, 0, 1.9))
    high = figures(changes)[-1]
    home, changes = run(home, *[(hours * HOUR, told(9.0, 0.5, 0.0)) for hours in (1.95, 2.2)])
    assert figures(changes) in ([], [high])
    home, changes = run(home, *kilowatts(1.0, 2.25, 2.6))
    assert figures(changes) == []
    home, changes = run(home, *kilowatts(1.0, 2.6, 3.0))
    assert figures(changes)[0] > high


@pytest.mark.parametrize("odd", [0.1, 40.0, 97.0], ids=["a dip", "a spike", "more than a panel can carry"])
def test_a_figure_that_does_not_come_again_is_not_believed(odd: float):
    home, _ = run(HOME, *kilowatts(1.0, 0, 1.9))
    home, _ = run(home, *[(hours * HOUR, told(9.0, each)) for hours, each in ((1.95, 1.0), (2.2, odd), (2.45, 1.0))])
    before = totals(home)[HOUSE, "consumption_kwh"]
    assert before == pytest.approx(totals(run(HOME, *kilowatts(1.0, 0, 1.9))[0])[HOUSE, "consumption_kwh"], abs=0.02)


def test_the_hour_of_the_first_start_is_not_settled_by_what_was_before():
    home, _ = run(HOME, *kilowatts(1.0, 0, 0.5))
    before = totals(home)
    home, _ = run(home, *[(hours * HOUR, told(9.0)) for hours in (2.0, 2.5)])
    assert totals(home) == before


def test_a_device_that_sense_does_not_mention_stays_as_it_was_integrated():
    seen = [(at, frame(DRYER, KETTLE, at=at)) for at in range(0, 6800, 30)]
    home, _ = run(HOME, *seen)
    before = totals(home)["99aabbcc", "consumption_kwh"]
    answers = {"1a2b3c4d": (1.0, 6.0), "stranger": (1.0, 2.0), "99aabbcc": (None, None)}
    home, _ = run(home, *[(hours * HOUR, told(0.3, 0.3, devices=answers)) for hours in (2.0, 2.5)])
    assert totals(home)["99aabbcc", "consumption_kwh"] == before
    assert totals(home)["1a2b3c4d", "consumption_kwh"] > 6.0
    assert ("stranger", "consumption_kwh") not in totals(home)


@pytest.mark.parametrize(
    ("identities", "answers"),
    [
        pytest.param(Identities().with_alias("again", "1a2b3c4d"), {"again": (1.0, 6.0)}, id="re-added"),
        pytest.param(
            Identities().with_alias("merged", "1a2b3c4d").with_children(["part"], "1a2b3c4d"),
            {"merged": (1.0, 6.0), "part": (0.5, 3.0)},
            id="merged, its part listed beside it",
        ),
        pytest.param(
            Identities().with_children(["part"], "1a2b3c4d"),
            {"other": (9.0, 9.0), "1a2b3c4d": (0.5, 6.0), "part": (0.5, None)},
            id="merged, the part without figures",
        ),
    ],
)
def test_a_meter_goes_on_where_sense_gives_a_device_another_id(identities: Identities, answers: dict[str, Any]):
    home, _ = run(HOME, *[(at, frame(DRYER, at=at)) for at in range(0, 6800, 30)])
    before = totals(home)["1a2b3c4d", "consumption_kwh"]
    hour = METERS.state_of(home).hours[NIGHT + HOUR]["1a2b3c4d", "consumption_kwh"]
    home = replace(home, identities=identities)
    home, _ = run(home, *[(hours * HOUR, told(0.3, 0.3, devices=answers)) for hours in (2.0, 2.5)])
    assert totals(home)["1a2b3c4d", "consumption_kwh"] == pytest.approx(before + 6.0 - hour, abs=0.001)


@pytest.mark.parametrize(
    ("used", "sun_kw", "expected"),
    [
        pytest.param((1.2, 3.1), 3.0, (0.0, 1.9), id="fed in"),
        pytest.param((4.0, 2.5), 3.0, (1.5, 0.0), id="drawn"),
    ],
)
def test_in_an_hour_without_a_gap_the_larger_way_takes_the_correction(
    used: tuple[float, float], sun_kw: float, expected: tuple[float, float]
):
    kw, made = used[0], sun_kw
    seen = kilowatts(kw, 0, 1.95, solar_w=1000 * sun_kw)
    home, _ = run(HOME, *seen)
    made_told, used_told = (3.1, 1.2) if kw < made else (2.5, 4.0)
    answers = [(hours * HOUR, told(9.0, used_told, production=(0.0, made_told))) for hours in (2.0, 2.5)]
    home, _ = run(home, *answers)
    hour = METERS.state_of(home).hours[NIGHT + HOUR]
    assert (hour[HOUSE, "from_grid_kwh"], hour[HOUSE, "to_grid_kwh"]) == pytest.approx(expected, abs=0.001)


def test_a_day_in_whose_answers_an_hour_is_missing_is_closed_a_day_after_its_end():
    home, _ = run(HOME, *kilowatts(1.0, 0, 1.9))
    home, _ = run(home, *[(hours * HOUR, told(1.0, 1.0, None)) for hours in (5.0, 12.0)])
    assert METERS.state_of(home).hours
    home, _ = run(home, (28 * HOUR, told(1.0, 1.0, None)))
    assert not METERS.state_of(home).hours


def test_an_hour_that_sense_never_tells_of_stays_as_it_is_after_a_month():
    home, _ = run(HOME, *kilowatts(1.0, 0, 1.9))
    before = totals(home)
    late = 32 * 24
    home, _ = run(home, *kilowatts(1.0, late, late + 1.0))
    assert min(METERS.state_of(home).hours) > START + 24 * HOUR
    assert totals(home)[HOUSE, "consumption_kwh"] == pytest.approx(before[HOUSE, "consumption_kwh"] + 1.0, abs=0.02)


def test_answers_without_hours_or_before_any_frame_are_passed_over():
    home, changes = run(HOME, (0, told(1.0)), (1, frame(at=1)), (2, QueryResult("energy", "day", Energy("DAY", None))))
    assert documents(changes) == []
    assert METERS.queries(home, moment(2), policy()) == {}


def test_hours_that_begin_at_half_past_are_settled_as_such():
    house = MeteredHouse(NIGHT, zone="America/St_Johns")
    house.run(3.8 * HOUR)
    assert METERS.state_of(house.home).offset_s == 1800.0
    assert abs(house.errors()["consumption_kwh"]) < 0.01


def test_the_hours_of_both_forms_of_answer_are_read():
    usage = {
        "start": "2026-11-18T08:00:00Z",
        "consumption": {"usage_breakdown_kwh": [1.0, None, "x"]},
        "device_breakdown": [{"id": "a", "consumption": {"usage_breakdown_kwh": [0.5]}}, {"id": 5}, {"id": "b"}],
    }
    hours = from_usage("DAY", usage, {"breakdown": {"production_kwh": [-0.1, 2.0]}}).hours
    assert hours == DayHours(1794988800.0, 3, (1.0, None, None), (0.0, 2.0), {"a": (0.5,)})
    assert hours.end == 1794988800.0 + 3 * HOUR
    trends = {
        "start": "2026-11-18T08:00:00.000Z",
        "consumption": {"totals": [1.0], "devices": [{"id": "a", "history": [0.5]}]},
        "production": {"totals": [2.0]},
    }
    assert from_trends("DAY", trends).hours == DayHours(1794988800.0, 1, (1.0,), (2.0,), {"a": (0.5,)})
    assert from_usage("DAY", {"start": "2026-11-18T08:00:00Z"}).hours is None
    assert from_usage("WEEK", usage).hours is None
