"""Which icon a device has in Home Assistant."""

import pytest

from sense_mqtt.core.home_assistant.icons import device_icon
from sense_mqtt.core.wire.devices import Kind


@pytest.mark.parametrize(
    ("device_type", "icon", "kind", "shown"),
    [
        ("ElectricDryer", "washer", "detected", "mdi:tumble-dryer"),  # the type says more than Sense's icon
        ("Dryer", "washer", "detected", "mdi:tumble-dryer"),
        ("MysteryHeat", "heat", "detected", "mdi:heating-coil"),
        (None, "toaster_oven", "detected", "mdi:toaster-oven"),
        ("SmartPlug", "lightbulb", "plug", "mdi:lightbulb"),
        (None, "Lighting", "detected", "mdi:lightbulb"),
        (None, "alwayson", "virtual", "mdi:clock-outline"),
        ("Unheard of", "unheard of", "detected", "mdi:flash-outline"),
        (None, None, "plug", "mdi:power-plug"),
        ("", "", "virtual", "mdi:home-lightning-bolt"),
    ],
)
def test_the_type_decides_then_the_icon_then_the_kind(
    device_type: str | None, icon: str | None, kind: Kind, shown: str
) -> None:
    assert device_icon(device_type, icon, kind) == shown
