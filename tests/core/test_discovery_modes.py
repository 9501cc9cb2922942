"""The modes of discovery: one message a device, one an entity, none; and the ways back and from one to another."""

import json
from dataclasses import replace
from typing import Any

import pytest

from sense_mqtt.core.discovery import (
    Config,
    DeviceFacts,
    MonitorFacts,
    Style,
    change_mode,
    introduce,
    introduce_device,
    introduce_monitor,
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


@pytest.mark.parametrize(("was", "style"), [("single", DEVICE_STYLE), ("device", SINGLE_STYLE)])
def test_changing_the_mode_lets_go_takes_over_and_then_empties(was: Any, style: Style) -> None:
    old = introduce(MONITOR, [DRYER], replace(style, mode=was))
    let_go, take_over, emptied = change_mode(MONITOR, [DRYER], was, style)
    assert let_go == tuple(Config(config.topic, {"migrate_discovery": True}) for config in old)
    assert take_over == introduce(MONITOR, [DRYER], style)
    assert emptied == tuple(Config(config.topic, None) for config in old)


def test_changing_the_mode_empties_what_solar_told_even_before_solar_is_known() -> None:
    _, _, emptied = change_mode(replace(MONITOR, solar=None), [], "single", DEVICE_STYLE)
    assert Config("homeassistant/sensor/sense_mqtt_123456/solar_power/config", None) in emptied


def test_switching_discovery_off_empties_and_on_introduces() -> None:
    introduced = introduce(MONITOR, [DRYER], DEVICE_STYLE)
    assert change_mode(MONITOR, [DRYER], "device", OFF_STYLE) == (
        tuple(Config(config.topic, None) for config in introduced),
    )
    assert change_mode(MONITOR, [DRYER], "off", DEVICE_STYLE) == (introduced,)


def test_mode_that_stays_is_introduced_and_nothing_else() -> None:
    assert change_mode(MONITOR, [DRYER], "device", DEVICE_STYLE) == (introduce(MONITOR, [DRYER], DEVICE_STYLE),)
