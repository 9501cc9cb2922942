"""Energy by period as a capability: what is published after each reading."""

import json

from sense_mqtt.core.energy.by_period import ENERGY
from sense_mqtt.core.energy.periods import DeviceConsumption, Energy
from sense_mqtt.core.home.state import QueryResult, Tick
from sense_mqtt.core.publishing.reading_text import payload_of
from tests.support.core.builders import DRYER, HOME, frame, readings, run

DAY = Energy(
    "DAY",
    "2026-11-18T08:00:00.000Z",
    consumption_kwh=6.9,
    devices=tuple(DeviceConsumption(device, device, 1.5) for device in ("1a2b3c4d", "stranger", "solar", "always_on")),
)


def read(energy):
    """Return that Sense answered the query of the present day so."""
    return QueryResult("energy", "day", energy)


def test_energy_is_reported_of_the_house_and_of_devices_that_it_knows():
    solar = {"id": "solar", "name": "Solar", "w": 1.0}
    home, _ = run(HOME, (0, frame(DRYER, solar)))
    _, changes = run(home, (1, read(DAY)))
    assert [(reading.device, reading.key) for reading in changes] == [
        (None, "energy/day"),
        ("1a2b3c4d", "energy/day"),
        ("always_on", "energy/day"),
    ]
    assert json.loads(payload_of(changes[0])) == {
        "consumption_kwh": 6.9,
        "start": "2026-11-18T08:00:00.000Z",
        "updated": "2026-11-18T11:06:41.000Z",
    }
    assert json.loads(payload_of(changes[1])) == {
        "consumption_kwh": 1.5,
        "start": "2026-11-18T08:00:00.000Z",
        "updated": "2026-11-18T11:06:41.000Z",
    }


def test_energy_that_dips_is_held_back():
    home, _ = run(HOME, (0, read(DAY)))
    dipped = Energy("DAY", DAY.start, consumption_kwh=1.0)
    _, changes = run(home, (900, read(dipped)))
    assert json.loads(readings(changes, "energy/day")[0])["consumption_kwh"] == 6.9


def test_energy_that_cannot_be_tells_nothing():
    giant = Energy("DAY", DAY.start, consumption_kwh=4294967.296)
    home, changes = run(HOME, (0, read(giant)))
    assert changes == []
    home, _ = run(home, (900, read(DAY)))
    _, changes = run(
        home,
        (1800, read(giant)),
        (2700, read(Energy("DAY", DAY.start, 7.0))),
    )
    assert [json.loads(told)["consumption_kwh"] for told in readings(changes, "energy/day")] == [7.0]


def test_how_much_can_be_is_measured_by_the_clock_of_frames_where_it_is_ahead():
    began_now = Energy("DAY", "2026-11-18T11:06:40.000Z", consumption_kwh=23.4)
    _, changes = run(HOME, (0, read(began_now)))
    assert changes == []
    _, changes = run(HOME, (0, frame(at=3600)), (1, read(began_now)))
    assert len(readings(changes, "energy/day")) == 1


def test_a_new_day_tells_nothing_of_yesterday_of_a_device_that_has_used_nothing_yet():
    home, _ = run(HOME, (0, frame(DRYER)), (1, read(DAY)))
    today = Energy("DAY", "2026-11-19T08:00:00.000Z", consumption_kwh=0.1, devices=DAY.devices[-1:])
    home, changes = run(home, (86_400, read(today)))
    [told] = readings(changes, "energy/day", "1a2b3c4d")
    assert json.loads(told) == {"start": "2026-11-19T08:00:00.000Z", "updated": "2026-11-19T11:06:40.000Z"}
    assert len(readings(changes, "energy/day", "always_on")) == 1
    _, changes = run(home, (90_000, read(today)))
    assert readings(changes, "energy/day", "1a2b3c4d") == []


def test_each_scale_is_a_query_and_the_day_is_read_most_often():
    assert {name: query.every for name, query in ENERGY.queries.items()} == {
        "day": 1,
        "week": 4,
        "month": 4,
        "year": 4,
        "cycle": 4,
    }


def test_what_another_capability_has_read_tells_nothing_of_energy():
    assert run(HOME, (0, QueryResult("meters", "hours", {"consumption_kwh": 1.0})))[1] == []


def test_the_log_says_what_was_read_and_what_is_published():
    home, _ = run(HOME, (0, read(DAY)))
    dipped = read(Energy("DAY", DAY.start))
    assert ENERGY.log_line(ENERGY.state_of(home), dipped) == "energy DAY: read unknown kWh, going on with 6.9 kWh"
    assert ENERGY.log_line(ENERGY.initial, dipped) == "energy DAY: read unknown kWh, going on with unknown kWh"
    assert ENERGY.log_line(ENERGY.initial, Tick()) is None
