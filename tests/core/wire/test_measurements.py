"""What one frame says of the whole house."""

from decimal import Decimal

import pytest

from sense_mqtt.core.entity import Measurement
from sense_mqtt.core.payloads import write_number
from sense_mqtt.core.wire import measurements
from sense_mqtt.core.wire.frames import RealtimeUpdate, read_update

BALANCE = (measurements.power, measurements.solar_power, measurements.grid_power)
BARE = RealtimeUpdate(w=500.0)
SUNNY = read_update(
    {
        "w": 2000.0,
        "channels": [900.0, 1100.0],
        "voltage": [120.1, 121.2],
        "hz": 59.98,
        "solar_w": 1500.0,
        "solar_pct": 74,
        "grid_w": 501,
    }
)
OLD_SUNNY = RealtimeUpdate(w=2000.0, solar_w=1500.0)  # before 2020 neither grid_w nor, always, solar_pct
NIGHT = read_update({"w": 500.0, "solar_w": -7.0, "channels": [500.0], "voltage": [120.0]})


MEASURED = [
    (measurements.power, BARE, 500.0),
    (measurements.solar_power, BARE, None),
    (measurements.solar_power, SUNNY, 1500.0),
    (measurements.solar_power, NIGHT, 0.0),
    (measurements.grid_power, BARE, None),
    (measurements.grid_power, read_update({"w": 2736.0, "grid_w": 2654}), None),  # a recorded home without solar
    (measurements.grid_power, SUNNY, 500.0),
    (measurements.grid_power, OLD_SUNNY, 500.0),
    (measurements.grid_power, NIGHT, 500.0),
    (measurements.grid_power, RealtimeUpdate(w=100.0, solar_w=300.0), -200.0),
    (measurements.surplus_power, BARE, None),
    (measurements.surplus_power, NIGHT, 0.0),
    (measurements.surplus_power, RealtimeUpdate(w=100.0, solar_w=300.0), 200.0),
    (measurements.solar_share, BARE, None),
    (measurements.solar_share, SUNNY, 75.0),
    (measurements.solar_share, OLD_SUNNY, 75.0),
    (measurements.solar_share, NIGHT, 0.0),
    (measurements.solar_share, RealtimeUpdate(w=100.0, solar_w=300.0), 100.0),
    (measurements.solar_share, read_update({"w": 100.0, "solar_pct": 30}), None),
    (measurements.solar_share, RealtimeUpdate(w=0.0, solar_w=300.0), 100.0),
    (measurements.solar_share, RealtimeUpdate(w=0.0, solar_w=0.0), 0.0),
    (measurements.leg_1_power, SUNNY, 900.0),
    (measurements.leg_2_power, SUNNY, 1100.0),
    (measurements.leg_2_power, NIGHT, None),
    (measurements.leg_1_voltage, SUNNY, 120.1),
    (measurements.leg_2_voltage, SUNNY, 121.2),
    (measurements.leg_1_voltage, BARE, None),
    (measurements.frequency, SUNNY, 59.98),
    (measurements.frequency, BARE, None),
]


@pytest.mark.parametrize(("measure", "update", "value"), MEASURED)
def test_measure_is_what_the_frame_tells_and_else_unknown(
    measure: Measurement, update: RealtimeUpdate, value: float | None
) -> None:
    assert measure(update) == value


@pytest.mark.parametrize(("w", "solar_w"), [(0.05, 0.05), (100.04, 50.06), (1234.55, 1234.45), (9e6, 0.04), (0.1, 0.3)])
def test_grid_is_what_is_reported_of_power_less_what_is_reported_of_the_sun(w, solar_w):
    update = RealtimeUpdate(w=w, solar_w=solar_w)
    told = {measure: Decimal(write_number(measure(update), 1)) for measure in BALANCE}
    assert told[measurements.grid_power] == told[measurements.power] - told[measurements.solar_power]


@pytest.mark.parametrize(
    ("value", "decimals", "written"),
    [
        (5584.66, 1, "5584.7"),
        (59.984, 2, "59.98"),
        (0.0, 1, "0.0"),
        (-0.04, 1, "0.0"),
        (-0.4, 0, "0"),
        (-10.5, 1, "-10.5"),
        (54.0, 0, "54"),
        (1e7, 1, "10000000.0"),
    ],
)
def test_numbers_are_plain_decimals(value: float, decimals: int, written: str) -> None:
    assert write_number(value, decimals) == written
