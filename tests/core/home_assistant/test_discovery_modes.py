"""The modes of discovery: one message a device, one an entity, none."""

import json

import pytest
from msgspec.structs import replace

from sense_mqtt.core.home_assistant.discovery import (
    DeviceDescription,
    MonitorDescription,
    announce,
    announce_bridge,
    announce_device,
    announce_monitor,
    monitor_of,
)
from sense_mqtt.core.home_assistant.messages import DiscoveryOptions
from sense_mqtt.core.publishing.topics import Topics
from sense_mqtt.core.readings.bridge_entities import BRIDGE_DEVICE

MONITOR = MonitorDescription(123456, solar=True)
DRYER = DeviceDescription("1a2b3c4d", "Dryer")
LAMP = DeviceDescription("ssi-9f", "Lamp", kind="plug")
ALWAYS_ON = DeviceDescription("always_on", "Always On", kind="virtual")
DEVICE_STYLE = DiscoveryOptions("0.1.0", Topics())
SINGLE_STYLE = replace(DEVICE_STYLE, mode="single")
OFF_STYLE = replace(DEVICE_STYLE, mode="off")


def test_single_mode_tells_each_entity_on_a_topic_of_its_own() -> None:
    messages = announce_device(MONITOR, DRYER, SINGLE_STYLE)
    assert [config.topic for config in messages][:4] == [
        "homeassistant/binary_sensor/sense_mqtt_123456_1a2b3c4d/state/config",
        "homeassistant/sensor/sense_mqtt_123456_1a2b3c4d/power/config",
        "homeassistant/event/sense_mqtt_123456_1a2b3c4d/event/config",
        "homeassistant/sensor/sense_mqtt_123456_1a2b3c4d/consumption_day/config",
    ]


def test_single_mode_says_of_an_entity_what_device_mode_says() -> None:
    (config,) = announce_monitor(MONITOR, DEVICE_STYLE)
    whole = dict(config.payload or {})
    components = whole.pop("components")
    for config in announce_monitor(MONITOR, SINGLE_STYLE):
        _, platform, _, key, _ = config.topic.split("/")
        assert {**config.payload, "platform": platform} == {**whole, **components[key]}


def test_off_tells_nothing() -> None:
    assert announce(MONITOR, [DRYER, LAMP], OFF_STYLE) == ()


def test_the_same_is_reported_twice_in_the_same_bytes() -> None:
    once, again = (
        json.dumps([config.payload for config in announce(MONITOR, devices, DEVICE_STYLE)])
        for devices in ([DRYER, LAMP, ALWAYS_ON], [ALWAYS_ON, LAMP, DRYER])
    )
    assert once == again


# --- who it is about


@pytest.mark.parametrize("options", [DEVICE_STYLE, SINGLE_STYLE, OFF_STYLE], ids=["device", "single", "off"])
def test_the_bridge_itself_is_reported_in_the_mode_of_all_others(options: DiscoveryOptions) -> None:
    expected = {"device": 1, "single": len(BRIDGE_DEVICE), "off": 0}
    assert len(announce_bridge(options)) == expected[options.mode]


@pytest.mark.parametrize(
    ("node", "monitor"),
    [
        ("sense_mqtt_123456", 123456),
        ("sense_mqtt_123456_1a2b3c4d", 123456),
        ("sense_mqtt_bridge_sense", None),
        ("zigbee_123456", None),
        ("sense_mqtt_12a", None),
    ],
)
def test_a_device_of_home_assistant_belongs_to_a_monitor(node: str, monitor: int | None) -> None:
    assert monitor_of(node) == monitor
