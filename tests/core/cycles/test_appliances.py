"""Which devices have a cycle: Sense's own words, and the configuration."""

from typing import Any

import pytest

from sense_mqtt.core.cycles.appliances import pause_s
from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.wire.devices import read_device_info

BY_SENSE = DeviceRules()


def row(identity: str = "71fd0a56", icon: str | None = None, **tags: Any):
    return read_device_info(identity, {"id": identity, "name": "x", "icon": icon, "tags": tags})


@pytest.mark.parametrize(
    ("info", "has_cycle"),
    [
        (row(UserDeviceType="Washer"), True),
        (row(UserDeviceType="Dryer", icon="washer"), True),
        (row(UserDeviceType="Dishwasher"), True),
        (row(DefaultUserDeviceType="Washer", icon="dishes"), True),
        (row(Type="ElectricDryer"), True),
        (row(Type="WashingMachine"), True),
        (row(UserDeviceType="Washing Machine"), True),
        (row(icon="washer"), True),
        (row(icon="dishes"), True),
        (row(icon="heat"), False),
        (row(UserDeviceType="HairDryer", icon="washer"), False),
        (row(UserDeviceType="MysteryHeat", Type="ElectricDryer"), False),  # what people are shown counts
        (row(UserDeviceType="Fridge"), False),
        (row(), False),
        (row("always_on", UserDeviceType="Washer"), False),
    ],
)
def test_sense_says_which_devices_have_a_cycle(info: Any, has_cycle: bool):
    assert pause_s(info, BY_SENSE) == (300.0 if has_cycle else None)


@pytest.mark.parametrize("info", [row(UserDeviceType="Washer"), row(UserDeviceType="Fridge")])
def test_the_configuration_decides_otherwise(info: Any):
    assert pause_s(info, DeviceRules(cycle_pause_s=60.0)) == 60.0
    assert pause_s(info, DeviceRules(cycle_pause_s=0.0)) is None
