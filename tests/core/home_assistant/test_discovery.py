"""What Home Assistant is told of a monitor and its devices."""

from typing import Any

import pytest
from msgspec.structs import replace

from sense_mqtt.core.capabilities import CAPABILITIES
from sense_mqtt.core.home_assistant.discovery import (
    DeviceDescription,
    MonitorDescription,
    announce,
    announce_device,
    announce_monitor,
)
from sense_mqtt.core.home_assistant.messages import DiscoveryMessage, DiscoveryOptions
from sense_mqtt.core.publishing.topics import Topics

MONITOR = MonitorDescription(123456, solar=True, firmware="1.64.2")
DRYER = DeviceDescription("1a2b3c4d", "Dryer", "LG", "DLEX", " Laundry ", "Dryer")
LAMP = DeviceDescription("ssi-9f", "Lamp", kind="plug")
ALWAYS_ON = DeviceDescription("always_on", "Always On", kind="virtual")
SOLAR = DeviceDescription("solar", "Solar", kind="virtual")
DEVICE_STYLE = DiscoveryOptions("0.1.0", Topics())
SINGLE_STYLE = replace(DEVICE_STYLE, mode="single")

BRIDGE_STATE = {"topic": "sense/bridge/state"}
CAPABILITY_ROWS = [row for capability in CAPABILITIES for row in capability.device_entities]
TRIGGER_KEYS = ["trigger_turned_on", "trigger_turned_off", "trigger_cycle_finished"]
DEVICE_KEYS = ["state", "power", "event", *(row.key for row in CAPABILITY_ROWS), *TRIGGER_KEYS]
VIRTUAL_DEVICE_KEYS = ["power", *(row.key for row in CAPABILITY_ROWS if not row.real_only)]


def payload_of(messages: tuple[DiscoveryMessage, ...]) -> dict[str, Any]:
    (config,) = messages
    return dict(config.payload or {})


def components_of(messages: tuple[DiscoveryMessage, ...]) -> dict[str, dict[str, Any]]:
    return payload_of(messages)["components"]


# --- device mode


def test_monitor_comes_first_and_devices_in_order_of_their_ids() -> None:
    messages = announce(MONITOR, [LAMP, ALWAYS_ON, SOLAR, DRYER], DEVICE_STYLE)
    assert [config.topic for config in messages] == [
        "homeassistant/device/sense_mqtt_123456/config",
        "homeassistant/device/sense_mqtt_123456_1a2b3c4d/config",
        "homeassistant/device/sense_mqtt_123456_always_on/config",
        "homeassistant/device/sense_mqtt_123456_ssi-9f/config",
    ]


def test_device_payload_says_once_what_its_entities_share() -> None:
    payload = payload_of(announce_device(MONITOR, DRYER, DEVICE_STYLE))
    assert list(payload.pop("components")) == DEVICE_KEYS
    assert payload == {
        "device": {
            "identifiers": ["sense_mqtt_123456_1a2b3c4d"],
            "name": "Dryer",
            "manufacturer": "LG",
            "model": "DLEX",
            "suggested_area": "Laundry",
            "configuration_url": "https://home.sense.com",
            "via_device": "sense_mqtt_123456",
        },
        "origin": {"name": "sense-mqtt", "sw_version": "0.1.0"},
        "availability": [BRIDGE_STATE, {"topic": "sense/123456/availability"}],
        "availability_mode": "all",
        "qos": 1,
    }


def test_monitor_payload_names_its_firmware_and_no_parent() -> None:
    assert payload_of(announce_monitor(MONITOR, DEVICE_STYLE))["device"] == {
        "identifiers": ["sense_mqtt_123456"],
        "name": "Sense",
        "manufacturer": "Sense",
        "model": "Energy Monitor",
        "sw_version": "1.64.2",
        "configuration_url": "https://home.sense.com",
    }


@pytest.mark.parametrize(
    ("facts", "about"),
    [
        (DeviceDescription("a"), {"name": "Device a", "manufacturer": "Sense", "model": "Detected device"}),
        (
            DeviceDescription("a", " ", "", "", "", ""),
            {"name": "Device a", "manufacturer": "Sense", "model": "Detected device"},
        ),
        (DeviceDescription("a", "Oven", type="Oven"), {"name": "Oven", "manufacturer": "Sense", "model": "Oven"}),
        (LAMP, {"name": "Lamp", "manufacturer": "Sense", "model": "Smart plug"}),
        (ALWAYS_ON, {"name": "Always On", "manufacturer": "Sense", "model": "Virtual device"}),
    ],
)
def test_what_is_not_known_of_a_device_is_filled_or_left_out(facts: DeviceDescription, about: dict[str, str]) -> None:
    device = payload_of(announce_device(MONITOR, facts, DEVICE_STYLE))["device"]
    assert {
        key: device[key] for key in device if key not in ("identifiers", "configuration_url", "via_device")
    } == about


def test_component_of_a_device_reads_its_topics() -> None:
    components = components_of(announce_device(MONITOR, DRYER, DEVICE_STYLE))
    assert components["state"]["platform"] == "binary_sensor"
    assert components["state"]["state_topic"] == "sense/123456/device/1a2b3c4d/state"
    assert components["state"]["json_attributes_topic"] == "sense/123456/device/1a2b3c4d/attributes"
    assert components["consumption_year"]["state_topic"] == "sense/123456/device/1a2b3c4d/energy/year"


def test_virtual_device_has_power_and_energy_only() -> None:
    keys = list(components_of(announce_device(MONITOR, ALWAYS_ON, DEVICE_STYLE)))
    assert keys == VIRTUAL_DEVICE_KEYS


def test_solar_is_shown_by_the_monitor_and_is_no_device() -> None:
    assert announce_device(MONITOR, SOLAR, DEVICE_STYLE) == ()


@pytest.mark.parametrize(("solar", "shown"), [(True, True), (False, False), (None, False)])
def test_solar_readings_are_shown_once_the_home_is_known_to_have_solar(solar: bool | None, shown: bool) -> None:
    components = components_of(announce_monitor(replace(MONITOR, solar=solar), DEVICE_STYLE))
    for key in ("solar_power", "grid_power", "solar_share", "production_day", "to_grid_cycle", "solar_powered_month"):
        assert (key in components) is shown
    assert {"power", "consumption_day", "connectivity", "event", "feed", "login", "refresh"} <= components.keys()


@pytest.mark.parametrize("key", ["connectivity", "last_frame", "feed", "login", "refresh"])
def test_what_stays_true_while_the_feed_is_away_hangs_on_the_bridge_alone(key: str) -> None:
    components = components_of(announce_monitor(MONITOR, DEVICE_STYLE))
    assert components[key]["availability"] == [BRIDGE_STATE]
    assert "availability" not in components["power"]


def test_bridge_entities_read_the_bridge() -> None:
    components = components_of(announce_monitor(MONITOR, DEVICE_STYLE))
    assert components["feed"]["state_topic"] == "sense/bridge/health"
    assert components["login"]["state_topic"] == "sense/bridge/health"
    assert components["refresh"]["command_topic"] == "sense/bridge/request/refresh"


def test_ids_depend_on_no_name_and_no_base_topic() -> None:
    renamed = announce_device(replace(MONITOR, name="Home"), replace(DRYER, name="Oven"), DEVICE_STYLE)
    moved = announce_device(MONITOR, DRYER, replace(DEVICE_STYLE, topics=Topics(base="energy", prefix="ha")))
    for messages in (renamed, moved):
        assert components_of(messages)["power"]["unique_id"] == "sense_mqtt_123456_1a2b3c4d_power"
        assert payload_of(messages)["device"]["identifiers"] == ["sense_mqtt_123456_1a2b3c4d"]
    assert moved[0].topic == "ha/device/sense_mqtt_123456_1a2b3c4d/config"


def test_id_that_no_topic_may_hold_is_made_safe() -> None:
    messages = announce_device(MONITOR, DeviceDescription("a/b +#"), DEVICE_STYLE)
    assert messages[0].topic == "homeassistant/device/sense_mqtt_123456_a_b___/config"
    assert components_of(messages)["state"]["state_topic"] == "sense/123456/device/a_b___/state"


@pytest.mark.parametrize("options", [DEVICE_STYLE, SINGLE_STYLE], ids=["device", "single"])
def test_nothing_is_null_but_the_name_of_a_main_feature(options: DiscoveryOptions) -> None:
    nulls = [
        path for config in announce(MONITOR, [DRYER, LAMP, ALWAYS_ON], options) for path in find_nulls(config.payload)
    ]
    assert {path[-1] for path in nulls} == {"name"}
    assert len(nulls) == 2  # the dryer and the lamp


def find_nulls(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in find_nulls(inner, (*path, key))]
    if isinstance(value, list):
        return [found for inner in value for found in find_nulls(inner, path)]
    return [path] if value is None else []


@pytest.mark.parametrize("options", [DEVICE_STYLE, SINGLE_STYLE], ids=["device", "single"])
def test_names_of_entities_do_not_repeat_the_name_of_their_device(options: DiscoveryOptions) -> None:
    for config in announce(MONITOR, [DRYER, LAMP], options):
        payload = dict(config.payload or {})
        for component in payload.get("components", {"": payload}).values():
            if "subtype" not in component:  # a trigger has no name
                assert payload["device"]["name"].lower() not in (component["name"] or "").lower()
