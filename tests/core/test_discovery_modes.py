"""The modes of discovery: one message a device, one an entity, none; and the ways back and from one to another."""

import json
from dataclasses import replace

import pytest

from sense_mqtt.core.discovery import (
    Config,
    DeviceFacts,
    MonitorFacts,
    Style,
    introduce,
    introduce_bridge,
    introduce_device,
    introduce_monitor,
    withdraw_bridge,
    withdraw_device,
)
from sense_mqtt.core.topics import Topics

MONITOR = MonitorFacts(123456, solar=True)
DRYER = DeviceFacts("1a2b3c4d", "Dryer")
LAMP = DeviceFacts("ssi-9f", "Lamp", kind="plug")
ALWAYS_ON = DeviceFacts("always_on", "Always On", kind="virtual")
DEVICE_STYLE = Style("0.1.0", Topics())
SINGLE_STYLE = replace(DEVICE_STYLE, mode="single")
OFF_STYLE = replace(DEVICE_STYLE, mode="off")


def test_single_mode_tells_each_entity_on_a_topic_of_its_own() -> None:
    configs = introduce_device(MONITOR, DRYER, SINGLE_STYLE)
    assert [config.topic for config in configs][:4] == [
        "homeassistant/binary_sensor/sense_mqtt_123456_1a2b3c4d/state/config",
        "homeassistant/sensor/sense_mqtt_123456_1a2b3c4d/power/config",
        "homeassistant/event/sense_mqtt_123456_1a2b3c4d/event/config",
        "homeassistant/sensor/sense_mqtt_123456_1a2b3c4d/consumption_day/config",
    ]


def test_single_mode_says_of_an_entity_what_device_mode_says() -> None:
    (config,) = introduce_monitor(MONITOR, DEVICE_STYLE)
    whole = dict(config.payload or {})
    components = whole.pop("components")
    for config in introduce_monitor(MONITOR, SINGLE_STYLE):
        _, platform, _, key, _ = config.topic.split("/")
        assert {**config.payload, "platform": platform} == {**whole, **components[key]}


def test_off_tells_nothing() -> None:
    assert introduce(MONITOR, [DRYER, LAMP], OFF_STYLE) == ()


def test_the_same_is_told_twice_in_the_same_bytes() -> None:
    once, again = (
        json.dumps([config.payload for config in introduce(MONITOR, devices, DEVICE_STYLE)])
        for devices in ([DRYER, LAMP, ALWAYS_ON], [ALWAYS_ON, LAMP, DRYER])
    )
    assert once == again


# --- withdrawing, and changing the mode


def test_device_is_withdrawn_with_one_empty_message() -> None:
    assert withdraw_device(123456, "1a2b3c4d", DEVICE_STYLE) == (
        Config("homeassistant/device/sense_mqtt_123456_1a2b3c4d/config", None),
    )


@pytest.mark.parametrize("device", [DRYER, LAMP, replace(ALWAYS_ON, id="1a2b3c4d")])
def test_withdrawing_in_single_mode_empties_every_topic_that_was_told(device: DeviceFacts) -> None:
    told = {config.topic for config in introduce_device(MONITOR, device, SINGLE_STYLE)}
    assert told <= {config.topic for config in withdraw_device(123456, device.id, SINGLE_STYLE)}


@pytest.mark.parametrize("style", [DEVICE_STYLE, SINGLE_STYLE, OFF_STYLE], ids=["device", "single", "off"])
def test_the_bridge_itself_is_told_and_withdrawn(style: Style) -> None:
    told, withdrawn = introduce_bridge(style), withdraw_bridge(style)
    assert [config.topic for config in told] == [config.topic for config in withdrawn]
    assert len(told) == (0 if style is OFF_STYLE else 1)
