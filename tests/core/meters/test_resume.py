"""What a crash leaves out of the rows is counted from the first frame after it, and nothing is counted twice."""

import json

import pytest

from sense_mqtt.core.capability import HOUSE
from sense_mqtt.core.home.state import Interrupted
from sense_mqtt.core.meters.rows import read_rows
from sense_mqtt.core.meters.total import METERS
from tests.support.core.builders import DRYER, HOME, START, frame, run
from tests.support.core.meter_figures import HOUR, NIGHT, figures, kilowatts, restarted, told, totals
from tests.support.core.metered_house import MeteredHouse

HOUSE_METER, DRYER_METER = (HOUSE, "consumption_kwh"), ("1a2b3c4d", "consumption_kwh")


def dryer(first, last, step_s=2, **fields):
    """Return frames in which the dryer is on, between two times in seconds after START."""
    return [(at, frame(DRYER, at=at, w=6000.0, **fields)) for at in range(first, last, step_s)]


@pytest.mark.parametrize("ends_at", [300, 700, 1010, 1500])
def test_of_a_steady_load_a_crash_loses_nothing(ends_at):
    home, _ = run(HOME, *dryer(0, ends_at))
    home, _ = run(restarted(home), *dryer(ends_at + 20, ends_at + 22))
    kwh = totals(home)
    assert kwh[HOUSE_METER] == pytest.approx(6.0 * (ends_at + 20) / 3600, abs=0.002)
    assert kwh[DRYER_METER] == pytest.approx(5.5847 * (ends_at + 20) / 3600, abs=0.002)


def test_a_second_crash_right_after_the_first_frame_counts_nothing_twice():
    home, _ = run(HOME, *dryer(0, 900))
    for at in (910, 930, 950):
        home, _ = run(restarted(home), *dryer(at, at + 2))
    assert totals(home)[HOUSE_METER] == pytest.approx(6.0 * 950 / 3600, abs=0.002)


def test_an_answer_of_sense_before_the_first_frame_leaves_the_rows_as_they_were():
    home, _ = run(HOME, *dryer(0, 900))
    home, _ = run(restarted(home), (905, told(None)), (906, Interrupted()))
    home, _ = run(restarted(home), *dryer(910, 912))
    assert totals(home)[HOUSE_METER] == pytest.approx(6.0 * 910 / 3600, abs=0.002)


def test_a_crash_over_the_end_of_an_hour_leaves_both_hours_complete():
    over = int(NIGHT + HOUR - START)
    home, _ = run(HOME, *dryer(over - 1500, over - 30))
    home, _ = run(restarted(home), *dryer(over + 60, over + 62))
    hours = METERS.state_of(home).hours
    assert hours[NIGHT][HOUSE_METER] == pytest.approx(6.0 * 1500 / 3600, abs=0.002)
    assert hours[NIGHT + HOUR][HOUSE_METER] == pytest.approx(6.0 * 60 / 3600, abs=0.002)


def test_an_hour_with_a_crash_is_one_without_a_gap():
    home, _ = run(HOME, *kilowatts(1.0, 0, 1.5))
    home, _ = run(restarted(home), *kilowatts(1.0, 1.51, 1.95))
    assert METERS.state_of(home).hours[NIGHT + HOUR][HOUSE, "observed_s"] == pytest.approx(HOUR, abs=1)


@pytest.mark.parametrize("stop", [True, False], ids=["a stop", "a crash"])
def test_while_no_process_was_there_nothing_is_counted(stop):
    home, _ = run(HOME, *dryer(0, 900), *([(900, Interrupted())] if stop else []))
    counted = totals(restarted(home))[HOUSE_METER]
    home, _ = run(restarted(home), *dryer(1600, 1602))
    assert totals(home)[HOUSE_METER] == counted


def test_after_a_stop_a_restart_within_the_time_of_a_gap_loses_nothing():
    home, _ = run(HOME, *dryer(0, 900), (900, Interrupted()))
    home, _ = run(restarted(home), *dryer(930, 932))
    assert totals(home)[HOUSE_METER] == pytest.approx(6.0 * 930 / 3600, abs=0.002)


def test_of_a_load_that_went_in_the_meantime_no_more_is_published_than_is_certain():
    home, _ = run(HOME, *dryer(0, 900))
    before = METERS.state_of(restarted(home))
    home, _ = run(restarted(home), (950, frame(at=950)), (951, frame(at=951)))
    after = METERS.state_of(home)
    assert after.totals[DRYER_METER] > before.totals[DRYER_METER]
    assert after.shown[DRYER_METER] == before.shown[DRYER_METER]


def test_rows_of_a_version_that_did_not_tell_until_when_they_count_go_on_as_they_are():
    home, _ = run(HOME, *dryer(0, 900))
    rows = json.loads(json.dumps(METERS.snapshot(METERS.state_of(home))))
    assert all(row.pop("last") for row in rows.values())
    assert read_rows(rows).totals == METERS.state_of(restarted(home)).totals


def test_a_row_is_not_written_again_for_the_time_until_which_it_counts():
    home, _ = run(HOME, *dryer(0, 300), *((at, frame(at=at)) for at in range(300, 400, 2)), (400, Interrupted()))
    before = METERS.snapshot(METERS.state_of(home))
    home, _ = run(home, *((at, frame(at=at)) for at in range(400, 900, 2)), (900, Interrupted()))
    after = METERS.snapshot(METERS.state_of(home))
    assert after["1a2b3c4d"] is before["1a2b3c4d"]
    assert after[HOUSE]["last"]["time"] > before[HOUSE]["last"]["time"]


def test_a_crash_each_hour_costs_a_house_with_polls_next_to_nothing():
    house = MeteredHouse(NIGHT)
    for _ in range(8):
        house.run(0.9 * HOUR)
        house.crash()
        house.run(0.1 * HOUR)
    assert abs(house.errors()["consumption_kwh"]) < 0.005, house.errors()
    assert list(house.shrunk()) == []


@pytest.mark.parametrize("crashed_after_s", [200, 260, 320])
def test_once_the_hour_of_a_crash_is_settled_little_is_held_back_of_a_load_that_went_meanwhile(crashed_after_s):
    over = int(NIGHT + HOUR - START)
    end = over + 600 + crashed_after_s
    idle = [(at, frame(at=at)) for at in range(over - 600, over + 600, 2)]
    before, changes = run(HOME, *dryer(0, 20), *idle, *dryer(over + 600, end))
    newest = figures(changes, DRYER_METER[0])[-1]
    used = 5.5847 * (end - over - 600 + 10) / 3600
    hours = {"devices": {DRYER_METER[0]: (0.031, used)}}
    later = [(at, frame(at=at)) for at in range(end + 20, over + 2 * int(HOUR), 10)]
    answers = [(over + HOUR + late, told(1.0, 1.0, **hours)) for late in (300, 1200)]
    home, changes = run(restarted(before), *later, *answers)
    assert figures(changes, DRYER_METER[0]) == []
    end = over + 2 * int(HOUR)
    _, changes = run(home, *dryer(end, end + 120))
    first = figures(changes, DRYER_METER[0])[0]
    assert newest < first < 0.031 + used + 0.04
