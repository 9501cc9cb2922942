"""The simulated history: local periods, energy that agrees with the frames, and the older shapes."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from sense_mqtt.simulator.house.builtin import BEGINS, BuiltInHouse, RandomHouse
from sense_mqtt.simulator.payloads.frames import FrameMaker
from sense_mqtt.simulator.payloads.history import History
from sense_mqtt.simulator.payloads.periods import boundaries, parse

NEW_YORK = ZoneInfo("America/New_York")
DAY_S = 86_400

PERIODS = [
    ("a day", "DAY", "2026-06-16T12:00:00", 24, "2026-06-16T04:00:00"),
    ("the day spring begins", "DAY", "2026-03-08T12:00:00", 23, "2026-03-08T05:00:00"),
    ("the day summer time ends", "DAY", "2026-11-01T12:00:00", 25, "2026-11-01T04:00:00"),
    ("late in the evening it is still yesterday in UTC", "DAY", "2026-06-16T03:59:59", 24, "2026-06-15T04:00:00"),
    ("a week from Sunday", "WEEK", "2026-06-16T12:00:00", 7, "2026-06-14T04:00:00"),
    ("a month", "MONTH", "2026-02-10T12:00:00", 28, "2026-02-01T05:00:00"),
    ("a month with the change of clocks", "MONTH", "2026-03-10T12:00:00", 31, "2026-03-01T05:00:00"),
    ("a year", "YEAR", "2026-06-16T12:00:00", 12, "2026-01-01T05:00:00"),
    ("the cycle that began this month", "CYCLE", "2026-06-16T12:00:00", 30, "2026-06-15T04:00:00"),
    ("the cycle that began last year", "CYCLE", "2026-01-03T12:00:00", 31, "2025-12-15T05:00:00"),
    ("lower case", "day", "2026-06-16T12:00:00", 24, "2026-06-16T04:00:00"),
]


@pytest.mark.parametrize(
    ("scale", "at", "entries", "start"), [case[1:] for case in PERIODS], ids=[case[0] for case in PERIODS]
)
def test_periods(scale, at, entries, start):
    found = boundaries(scale, parse(at), NEW_YORK)
    assert len(found) - 1 == entries
    assert datetime.fromtimestamp(found[0], UTC).strftime("%Y-%m-%dT%H:%M:%S") == start
    assert found == sorted(found)


@pytest.mark.parametrize("text", ["2026-06-16T04:00:00", "2026-06-16T04:00:00Z", "2026-06-16T04:00:00.000Z"])
def test_times_are_read_as_utc(text):
    assert parse(text) == BEGINS


@pytest.fixture(scope="module")
def house():
    return BuiltInHouse(1)


@pytest.fixture(scope="module")
def history(house):
    return History(house, NEW_YORK)


def test_usage_agrees_with_the_frames(house, history):
    maker = FrameMaker(house)
    hour = BEGINS + 3 * 3600
    watts = [maker.polled(hour + second)["w"] for second in range(0, 3600, 10)]
    usage = history.usage("DAY", BEGINS + 1, BEGINS + DAY_S + 200)
    assert usage["consumption"]["usage_breakdown_kwh"][3] == pytest.approx(sum(watts) / 360 / 1000, rel=0.03)


def test_devices_sum_to_the_total(history):
    usage = history.usage("DAY", BEGINS + 1, BEGINS + DAY_S + 200)
    devices = [device["consumption"] for device in usage["device_breakdown"]]
    assert sum(device["usage_total_kwh"] for device in devices) == pytest.approx(
        usage["consumption"]["usage_total_kwh"]
    )
    for hour, total in enumerate(usage["consumption"]["usage_breakdown_kwh"]):
        assert sum(device["usage_breakdown_kwh"][hour] for device in devices) == pytest.approx(total)


def test_hours_to_come_are_zero_and_this_one_is_not_yet_whole(history):
    noon = BEGINS + 12 * 3600
    now = history.usage("DAY", noon, noon + 1800)["consumption"]["usage_breakdown_kwh"]
    whole = history.usage("DAY", noon, noon + DAY_S)["consumption"]["usage_breakdown_kwh"]
    assert now[:12] == whole[:12]
    assert 0 < now[12] < whole[12]
    assert now[13:] == [0.0] * 11


def test_before_the_monitor_was_installed_there_is_nothing(history):
    assert history.usage("MONTH", BEGINS - 60 * DAY_S, BEGINS)["consumption"]["usage_total_kwh"] == 0


def test_solar_flows_add_up(history):
    solar = history.solar("DAY", BEGINS + 1, BEGINS + DAY_S + 200)
    total, net = solar["total"], solar["breakdown"]["net_kwh"]
    assert total["net_kwh"] == pytest.approx(sum(net))
    assert total["net_kwh"] == pytest.approx(total["to_grid_kwh"] - total["from_grid_kwh"])
    assert total["production_kwh"] == pytest.approx(sum(solar["breakdown"]["production_kwh"]))
    assert solar["breakdown"]["production_kwh"][1] < 0  # at night, by a few Wh
    assert 0 < total["solar_percentage"] <= 100


def test_trends_tell_the_same_energy_in_the_old_shape(history):
    now = BEGINS + DAY_S + 200
    trends, usage = history.trends("day", BEGINS + 1, now), history.usage("DAY", BEGINS + 1, now)
    assert trends["consumption"]["totals"] == usage["consumption"]["usage_breakdown_kwh"]
    assert (trends["steps"], trends["scale"]) == (24, "day")
    assert "total_kwh" not in trends["production"]["devices"][0]
    for device in trends["consumption"]["devices"]:
        assert device["avgw"] == pytest.approx(device["total_kwh"] / 24)
        assert device["total_cost"] == sum(device["cost_history"])


def test_trends_alone_call_what_belongs_to_no_device_unknown(history):
    now = BEGINS + DAY_S + 200
    trended = history.trends("day", BEGINS + 1, now)["consumption"]["devices"]
    used = history.usage("DAY", BEGINS + 1, now)["device_breakdown"]
    names = [{row["id"]: row["name"] for row in rows}["unknown"] for rows in (trended, used)]
    assert names == ["Unknown", "Other"]


def test_a_home_without_solar_has_nulls_in_its_trends():
    trends = History(RandomHouse(5, 1), NEW_YORK).trends("DAY", BEGINS, BEGINS + 7200)
    assert trends["production"] == {"total": 0}
    assert (trends["from_grid"], trends["to_grid"], trends["solar_powered"]) == (None, None, None)


def test_the_curve_gives_low_and_high_and_marks_what_is_missing(history):
    curve = history.curve("SECOND", BEGINS - 2, 1800, None, BEGINS + 1200)
    assert all(low <= high for low, high in curve["totals"][:300])
    assert curve["totals"][-1] == [1, -1]
    assert len(history.curve("MINUTE", BEGINS, 99_999, "always_on", BEGINS)["totals"]) == 10_080


@pytest.mark.parametrize(
    ("day", "at", "start", "entries"),
    [(1, "2026-06-16T12:00:00", "2026-06-01", 30), (31, "2026-03-01T12:00:00", "2026-02-28", 31)],
    ids=["the first of the month", "a day that February lacks"],
)
def test_the_billing_cycle_begins_on_the_day_of_the_account(day, at, start, entries):
    found = boundaries("CYCLE", parse(at), NEW_YORK, day)
    assert (datetime.fromtimestamp(found[0], NEW_YORK).strftime("%Y-%m-%d"), len(found) - 1) == (start, entries)


def test_an_unfinished_hour_is_absent_until_two_minutes_past_its_end(house):
    history = History(house, NEW_YORK, unfinished="absent")
    hours = [history.usage("DAY", BEGINS, BEGINS + after_s)["consumption"] for after_s in (3 * 3600, 3 * 3600 + 121)]
    assert [sum(1 for kwh in each["usage_breakdown_kwh"] if kwh) for each in hours] == [2, 3]


def test_an_unfinished_hour_is_low_and_high_in_turn_and_finished_ones_stay(house):
    history = History(house, NEW_YORK, unfinished="spiky")
    times = [BEGINS + 3 * 3600 + 150 + 300 * number for number in range(10)]
    found = [history.usage("DAY", BEGINS, at)["consumption"]["usage_breakdown_kwh"] for at in times]
    assert len({tuple(hours[:3]) for hours in found}) == 1
    under_way = [hours[3] for hours in found]
    assert under_way != sorted(under_way)
