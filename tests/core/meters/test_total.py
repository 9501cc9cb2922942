"""What the meters publish and store."""

from typing import Any

import pytest
from msgspec.structs import replace

from sense_mqtt.core.capability import HOUSE
from sense_mqtt.core.meters.rows import read_rows
from sense_mqtt.core.meters.state import Meters
from sense_mqtt.core.meters.total import METERS
from tests.support.core.builders import DRYER, HOME, SOLAR, frame, run
from tests.support.core.meter_figures import documents, figures, kilowatts, restarted, totals

# --- what is published


def test_nothing_is_published_before_the_first_figure_and_0_never():
    home, changes = run(HOME, (0, frame(DRYER)), (0.4, frame(DRYER)))
    assert documents(changes) == []
    home, changes = run(home, (1, frame(DRYER, at=1)), (15, frame(DRYER, at=15)))
    assert documents(changes, "1a2b3c4d") == [
        {"consumption_kwh": 0.023, "since": "2026-11-18T11:06:40.000Z", "updated": "2026-11-18T11:06:55.000Z"}
    ]
    assert documents(changes, "unknown") == []


def test_a_figure_waits_for_its_interval():
    _, changes = run(HOME, *[(at, frame(DRYER, at=at, w=6000.0)) for at in range(100)])
    assert len(documents(changes)) == 9
    assert len(documents(changes, "1a2b3c4d")) == 2


def test_a_house_with_solar_tells_production_and_both_ways_of_the_grid():
    sun = {"solar_w": 3000.0}
    _, changes = run(HOME, *kilowatts(1.0, 0, 0.5, **sun), *kilowatts(4.0, 0.5, 1.0, **sun))
    assert {name: kwh for name, kwh in documents(changes)[-1].items() if name.endswith("kwh")} == pytest.approx(
        {"consumption_kwh": 2.5, "production_kwh": 3.0, "from_grid_kwh": 0.5, "to_grid_kwh": 1.0}, abs=0.03
    )


def test_the_sun_has_no_meter_of_its_own():
    _, changes = run(HOME, *[(at, frame(SOLAR, DRYER, at=at)) for at in range(100)])
    assert documents(changes, "solar") == []


def test_a_frame_of_an_earlier_time_counts_nothing():
    home, _ = run(HOME, *kilowatts(1.0, 0, 0.1))
    before = totals(home)
    home, _ = run(home, (400, frame(at=100)), (401, frame(at=100)))
    assert totals(home) == before


# --- what is stored


def test_after_a_crash_nothing_less_than_before_is_published():
    home, changes = run(HOME, *kilowatts(1.0, 0, 0.4))
    newest = figures(changes)[-1]
    after, changes = run(restarted(home), *kilowatts(1.0, 0.41, 0.45))
    assert figures(changes) == []
    assert figures(run(restarted(after), *kilowatts(1.0, 0.45, 0.5))[1]) == []
    after, changes = run(after, *kilowatts(1.0, 0.45, 1.0))
    assert newest < figures(changes)[0] < newest + 0.2


def test_what_a_device_may_use_is_not_reserved_any_more_once_it_is_off():
    seen = [(at, frame(*([DRYER] if at < 100 else []), at=at)) for at in range(0, 200, 2)]
    home, _ = run(HOME, *seen)
    assert ("1a2b3c4d", "consumption_kwh") not in METERS.state_of(restarted(home)).unsure
    _, changes = run(restarted(home), *[(at, frame(DRYER, at=at)) for at in range(200, 300, 2)])
    assert figures(changes, "1a2b3c4d")[0] < 0.2


def test_an_event_writes_no_row_of_the_meters():
    home, _ = run(HOME, *[(at, frame(DRYER, at=at)) for at in range(0, 58, 2)])
    before = METERS.snapshot(METERS.state_of(home))
    home, _ = run(home, (58, frame(at=58)))
    assert METERS.snapshot(METERS.state_of(home)) == before


@pytest.mark.parametrize(
    "rows",
    [
        {},
        {"a": {"since": 1.0}},
        {HOUSE: {"since": "x"}},
        {HOUSE: {"since": 1.0}, "a": {}},
        {HOUSE: {"since": 1.0, "figures": 5, "hours": {"x": {}, "2026-11-18T11:00:00.000Z": {"consumption_kwh": "x"}}}},
    ],
)
def test_rows_that_cannot_be_read_are_not_known(rows: Any):
    read = read_rows(rows)
    assert read.totals == {}
    assert read.since == ({HOUSE: 1.0} if rows.get(HOUSE, {}).get("since") == 1.0 else {})


def test_a_device_beyond_the_most_has_no_meter():
    many = Meters(since={str(number): 0.0 for number in range(1001)})
    home, _ = run(replace(HOME, capabilities={"meters": many}), (0, frame(DRYER)), (1, frame(DRYER, at=1)))
    assert "1a2b3c4d" not in METERS.state_of(home).since
