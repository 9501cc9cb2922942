"""Days of a house with a known truth: what the meters say before and after Sense's hours settle them."""

from datetime import UTC, datetime

import pytest

from tests.support.core.metered_house import MeteredHouse

HOUR, DAY = 3600.0, 86_400.0
MORNING = datetime(2026, 11, 19, 18, 0, tzinfo=UTC).timestamp()
EVENING = datetime(2026, 11, 19, 5, 0, tzinfo=UTC).timestamp()  # of the day before; no sun until it is over
CLOCKS_BACK = datetime(2026, 10, 31, 4, 0, tzinfo=UTC).timestamp()
CLOCKS_ON = datetime(2026, 3, 7, 5, 0, tzinfo=UTC).timestamp()


def exact(house: MeteredHouse, within: float) -> bool:
    return all(abs(error) <= within for error in house.errors().values())


STARTS = [
    pytest.param(EVENING, id="24 hours", marks=pytest.mark.long),
    pytest.param(CLOCKS_BACK, id="25 hours"),
    pytest.param(CLOCKS_ON, id="23 hours", marks=pytest.mark.long),
]


@pytest.mark.parametrize("start", STARTS)
def test_after_days_with_outages_restarts_and_a_crash_each_meter_is_the_truth(start: float):
    house = MeteredHouse(start)
    house.run(5 * HOUR)
    house.run(2 * HOUR, feed=False)
    house.run(4 * HOUR)
    house.stop()
    house.run(1.5 * HOUR, feed=False, rest=False)
    house.run(10 * HOUR, rest=False)
    house.crash()
    house.run(24 * HOUR)
    house.run(3 * HOUR + 900)
    assert exact(house, 0.001), house.errors()
    assert list(house.shrunk()) == []


@pytest.mark.no_cover  # others cover all that it does
def test_without_sense_the_frames_alone_are_close():
    house = MeteredHouse(MORNING)
    house.run(30 * HOUR, rest=False)
    assert exact(house, 0.005), house.errors()


def test_a_gap_is_filled_within_the_hour_after_it_and_at_once():
    house = MeteredHouse(MORNING)
    house.run(2 * HOUR)
    house.run(2 * HOUR, feed=False)
    low = house.errors()["consumption_kwh"]
    house.run(0.75 * HOUR)
    assert low < -0.2
    assert exact(house, 0.02), house.errors()


def test_a_process_that_was_away_for_days_makes_up_for_them_day_by_day():
    house = MeteredHouse(EVENING)
    house.run(2 * HOUR)
    house.stop()
    house.run(3 * DAY, feed=False, rest=False)
    house.run(4 * HOUR)
    assert exact(house, 0.001), house.errors()
    assert house.questions <= 8


def test_an_hour_that_is_not_over_settles_nothing():
    house = MeteredHouse(MORNING)
    house.run(0.9 * HOUR)  # Sense has told too little of it, four times
    assert abs(house.errors()["consumption_kwh"]) < 0.04, house.errors()


@pytest.mark.no_cover  # others cover all that it does
def test_what_is_stored_of_a_day_is_little():
    house = MeteredHouse(MORNING)
    house.run(DAY)
    assert house.stores <= 24 * 8
    assert house.bytes_stored <= 500_000
