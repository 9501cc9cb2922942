"""The table of entities: what may be relied on about its rows, and how numbers are written."""

from typing import get_args

import pytest

from sense_mqtt.core.cycles.capability import CYCLE_FINISHED
from sense_mqtt.core.edges import EdgeKind
from sense_mqtt.core.energy.entities import HOUSE_ENERGY
from sense_mqtt.core.energy.periods import FIGURES, NET_PRODUCTION_PCT
from sense_mqtt.core.entity import Entity
from sense_mqtt.core.readings.bridge_entities import BRIDGE, BRIDGE_DEVICE, FEEDS
from sense_mqtt.core.readings.entities import (
    DEVICE,
    DEVICE_EVENTS,
    HOUSE_READINGS,
    MONITOR,
    VIRTUAL_DEVICE,
)
from sense_mqtt.items import Transport

EVERY_ROW = (*MONITOR, *DEVICE, *BRIDGE, *BRIDGE_DEVICE)

# Home Assistant 2026.11, sensor/const.py: DEVICE_CLASS_UNITS and DEVICE_CLASS_STATE_CLASSES, as far as we need them
UNIT_AND_STATE_CLASS = {
    "power": {("W", "measurement")},
    "voltage": {("V", "measurement")},
    "frequency": {("Hz", "measurement")},
    "energy": {("kWh", "total"), ("kWh", "total_increasing")},
    "duration": {(unit, "measurement") for unit in ("s", "min", "h", "d")},
    "timestamp": {(None, None)},
    "enum": {(None, None)},
    "None": {(None, "measurement"), (None, "total_increasing"), (None, None)},  # a count; the version
}


@pytest.mark.parametrize("rows", [(*MONITOR, *BRIDGE), DEVICE, VIRTUAL_DEVICE, BRIDGE_DEVICE])
def test_keys_are_unique_on_one_device_of_home_assistant(rows: tuple[Entity, ...]) -> None:
    assert len({row.key for row in rows}) == len(rows)


@pytest.mark.parametrize("row", [row for row in EVERY_ROW if row.platform == "sensor"], ids=lambda row: row.key)
def test_unit_and_state_class_fit_the_device_class(row: Entity) -> None:
    share = (row.device_class, row.unit, row.state_class) == (None, "%", "measurement")
    assert share or (row.unit, row.state_class) in UNIT_AND_STATE_CLASS[str(row.device_class)]


@pytest.mark.parametrize("row", EVERY_ROW, ids=lambda row: row.key)
def test_a_number_has_a_unit_and_decimals_and_nothing_else_has(row: Entity) -> None:
    assert (row.unit is None) == (row.decimals is None) == (row.display_decimals is None)


def test_readings_are_the_rows_that_a_frame_tells() -> None:
    assert [row.key for row in HOUSE_READINGS] == [
        "power",
        "solar_power",
        "grid_power",
        "solar_share",
        "leg_1_power",
        "leg_2_power",
        "leg_1_voltage",
        "leg_2_voltage",
        "frequency",
        "surplus_power",
    ]


def test_virtual_devices_have_no_state_and_no_events() -> None:
    assert {row.platform for row in VIRTUAL_DEVICE} == {"sensor"}
    assert VIRTUAL_DEVICE[0].key == "power"


def test_figures_of_energy_are_those_that_are_published() -> None:
    assert tuple(row.field for row in HOUSE_ENERGY) == (*FIGURES, NET_PRODUCTION_PCT)


def test_only_the_present_day_is_enabled_at_first_and_no_restart() -> None:
    assert {row.topic for row in EVERY_ROW if not row.enabled} == {
        "request/restart",
        "last_frame",
        "energy/week",
        "energy/month",
        "energy/year",
        "energy/cycle",
    }


def test_the_values_of_feed_are_the_transports_and_offline() -> None:
    assert set(FEEDS) == {*get_args(Transport), "offline"}


def test_event_types_are_those_of_transitions() -> None:
    assert set(DEVICE_EVENTS) == {*EdgeKind, CYCLE_FINISHED}
