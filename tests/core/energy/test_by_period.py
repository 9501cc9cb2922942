"""Energy by period as a capability: what is published after each reading."""

import json
import math

from msgspec.structs import replace

from sense_mqtt.core.energy.by_period import ENERGY
from sense_mqtt.core.energy.periods import SCALES, DeviceConsumption, Energy
from sense_mqtt.core.home.state import DevicesListed, QueryResult, Tick
from sense_mqtt.core.publishing.reading_text import payload_of
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.wire.devices import read_device_list
from tests.support.core.builders import DRYER, HOME, frame, moment, policy, readings, run

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


def test_a_device_that_appears_later_gets_what_was_read_before_it():
    home, changes = run(HOME, (0, read(DAY)))
    assert [reading.device for reading in changes] == [None]
    home, changes = run(home, (1, frame(DRYER)))
    assert [json.loads(told)["consumption_kwh"] for told in readings(changes, "energy/day", "1a2b3c4d")] == [1.5]
    assert len(readings(changes, "energy/day", "always_on")) == 1
    assert readings(changes, "energy/day") == []
    _, changes = run(home, (2, frame(DRYER, at=2)))
    assert readings(changes, "energy/day", "1a2b3c4d") == []


def test_the_energy_of_a_device_that_sense_has_given_another_id_is_added_up():
    plug = {"id": "ssi-1", "name": "TV", "tags": {"DUID": "8006A", "SSIEnabled": "true"}}
    home, _ = run(HOME, (0, DevicesListed(read_device_list([plug]))))
    home, _ = run(home, (1, DevicesListed(read_device_list([{**plug, "id": "4xANDCuJ"}]))))
    both = tuple(DeviceConsumption(device, device, kwh) for device, kwh in (("ssi-1", 1.0), ("4xANDCuJ", 0.25)))
    _, changes = run(home, (2, read(replace(DAY, devices=both))))
    assert [json.loads(told)["consumption_kwh"] for told in readings(changes, "energy/day", "ssi-1")] == [1.25]


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


def due(home, now):
    """Return in how many seconds each scale is to be read, where that is in the next hour."""
    queries = ENERGY.queries(home, moment(now), policy()).items()
    waits = {name: query.due - moment(now).monotonic for name, query in queries}
    return {name: wait_s if math.isinf(wait_s) else round(wait_s) for name, wait_s in waits.items() if wait_s < 3600}


def test_each_period_is_read_at_once():
    assert due(HOME, 0) == dict.fromkeys(("day", "week", "month", "year", "cycle"), -math.inf)


def test_the_day_is_read_three_minutes_past_each_quarter_and_longer_periods_past_each_hour():
    # START is 400 s past 11:00; the 7 seconds are those of monitor 7.
    home, _ = run(HOME, *((0, read(replace(DAY, scale=scale))) for scale in SCALES))
    assert due(home, 0)["day"] == 900 + 187 - 400
    assert due(home, 300)["day"] == 600 + 187 - 400
    assert due(home, 1000)["week"] == 3600 + 187 - 400 - 1000
    home, _ = run(home, (690, read(DAY)))
    assert due(home, 690)["day"] == 1800 + 187 - 400 - 690


def test_a_clock_that_is_set_keeps_the_readings_past_the_quarter():
    home, _ = run(HOME, (0, read(DAY)))
    day = ENERGY.queries(home, Moment(moment(100).wall + 60, moment(100).monotonic), policy())["day"]
    assert day.due - moment(100).monotonic == 900 + 187 - 560


def test_an_answer_that_tells_nothing_is_not_asked_for_at_once_again():
    home, _ = run(HOME, (0, read(Energy("DAY", DAY.start, consumption_kwh=4294967.296))))
    assert due(home, 1)["day"] > 0


def test_what_another_capability_has_read_tells_nothing_of_energy():
    assert run(HOME, (0, QueryResult("meters", "hours", {"consumption_kwh": 1.0})))[1] == []


def test_the_log_says_what_was_read_and_what_is_published():
    home, _ = run(HOME, (0, read(DAY)))
    dipped = read(Energy("DAY", DAY.start))
    assert ENERGY.log_line(ENERGY.state_of(home), dipped) == "energy DAY: read unknown kWh, going on with 6.9 kWh"
    assert ENERGY.log_line(ENERGY.initial, dipped) == "energy DAY: read unknown kWh, going on with unknown kWh"
    assert ENERGY.log_line(ENERGY.initial, Tick()) is None
