"""What Home Assistant is told of a monitor and its devices, so that they show up there by themselves (MQTT discovery).

Unique ids come from Sense's ids alone, and so do discovery ids: in a device payload the topic's object id with the
component's key, which `single` topics therefore carry as node and object id. No name, base topic or mode may change
them: people's settings hang on them. (The bridge has no id of Sense's: its own come from its base topic.)
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from sense_mqtt.core.entity import Entity
from sense_mqtt.core.home_assistant.components import EntityTopics
from sense_mqtt.core.home_assistant.icons import device_icon
from sense_mqtt.core.home_assistant.messages import WRITERS, DiscoveryDevice, DiscoveryMessage, DiscoveryOptions
from sense_mqtt.core.home_assistant.triggers import DEVICE_TRIGGERS, MONITOR_TRIGGERS, DeviceTrigger
from sense_mqtt.core.publishing.topics import Topics
from sense_mqtt.core.readings.bridge_entities import BRIDGE, BRIDGE_DEVICE
from sense_mqtt.core.readings.entities import DEVICE, MONITOR, VIRTUAL_DEVICE
from sense_mqtt.core.topic_ids import sanitize_id
from sense_mqtt.core.wire.devices import Kind

DEVICE_ROWS: Mapping[Kind, tuple[Entity, ...]] = {"detected": DEVICE, "plug": DEVICE, "virtual": VIRTUAL_DEVICE}
MODELS: Mapping[Kind, str] = {"detected": "Detected device", "plug": "Smart plug", "virtual": "Virtual device"}

WITH_DEVICE_ICON = ("state", "power", "event")  # rows that show the icon of their device
WEB_APP = "https://home.sense.com"

_NODE = re.compile(r"sense_mqtt_(\d+)(?:_|$)")


class MonitorDescription(Struct, frozen=True):
    """What Home Assistant shows of a monitor. Never its serial number, which is a secret."""

    id: int
    solar: bool | None = None  # None: not known yet; nothing that needs solar is introduced
    name: str | None = None
    firmware: str | None = None


class DeviceDescription(Struct, frozen=True):
    """What Home Assistant shows of a device."""

    id: str
    name: str | None = None
    make: str | None = None
    model: str | None = None
    location: str | None = None
    type: str | None = None
    icon: str | None = None
    kind: Kind = "detected"
    left_out: frozenset[str] = frozenset()  # keys of rows that this device does not have


def announce(
    monitor: MonitorDescription, devices: Iterable[DeviceDescription], options: DiscoveryOptions
) -> tuple[DiscoveryMessage, ...]:
    """Return all that a new listener must be told, the monitor first: its devices name it as what they hang on."""
    announcements = [
        announce_device(monitor, device, options) for device in sorted(devices, key=lambda device: device.id)
    ]
    return (*announce_monitor(monitor, options), *(message for messages in announcements for message in messages))


def announce_monitor(monitor: MonitorDescription, options: DiscoveryOptions) -> tuple[DiscoveryMessage, ...]:
    """Return what to tell of the monitor itself and of the bridge behind it."""
    topics = options.topics
    house = [
        EntityTopics(row, topics.monitor(monitor.id, row.topic))
        for row in MONITOR
        if monitor.solar or not row.solar_only
    ]
    bridge = [_place_on_bridge(topics, row) for row in BRIDGE]
    name = _name(monitor.name, "Sense")
    about = {
        "name": name,
        "manufacturer": "Sense",
        "model": "Energy Monitor",
        "sw_version": monitor.firmware,
        "configuration_url": WEB_APP,
    }
    entities, events = (*house, *bridge), topics.monitor(monitor.id, "event")
    device = DiscoveryDevice(_node(monitor.id), monitor.id, about, entities, MONITOR_TRIGGERS, events)
    return WRITERS[options.mode](device, options)


def announce_device(
    monitor: MonitorDescription, device: DeviceDescription, options: DiscoveryOptions
) -> tuple[DiscoveryMessage, ...]:
    """Return what to tell of one device; of `solar` nothing, the monitor shows it."""
    if device.id == "solar":
        return ()
    icon = device_icon(device.type, device.icon, device.kind)
    rows = [row for row in DEVICE_ROWS[device.kind] if row.key not in device.left_out]
    about = {
        "name": _name(device.name, f"Device {device.id}"),
        "manufacturer": _name(device.make, "Sense"),
        "model": _name(device.model, _name(device.type, MODELS[device.kind])),
        "suggested_area": _name(device.location, None),
        "configuration_url": WEB_APP,
        "via_device": _node(monitor.id),
    }
    described = DiscoveryDevice(
        _node(monitor.id, device.id),
        monitor.id,
        about,
        tuple(_place_on(options.topics, monitor.id, device.id, row, icon) for row in rows),
        _triggers_of(device, rows),
        options.topics.device(monitor.id, device.id, "event"),
    )
    return WRITERS[options.mode](described, options)


def _triggers_of(device: DeviceDescription, rows: Iterable[Entity]) -> tuple[DeviceTrigger, ...]:
    keys = {row.key for row in rows}
    shown = (trigger for trigger in DEVICE_TRIGGERS if device.kind == "plug" or not trigger.plugs_only)
    return tuple(trigger for trigger in shown if trigger.needs in keys)


def announce_bridge(
    options: DiscoveryOptions, *, monitors: int = 0, node: str | None = None
) -> tuple[DiscoveryMessage, ...]:
    """Return what to tell of the bridge itself, which serves so many monitors; `node`: of another bridge."""
    topics = options.topics
    name = " ".join(("Sense bridge", *([] if topics.base == "sense" else [topics.base]), *_shard(topics)))
    about = {"name": name, "manufacturer": "sense-mqtt", "model": "Bridge", "sw_version": options.version}
    absent = tuple(row for row in BRIDGE_DEVICE if row.one_monitor and monitors > 1)
    entities = tuple(_place_on_bridge(topics, row) for row in BRIDGE_DEVICE if row not in absent)
    device = DiscoveryDevice(node or _bridge_node(topics), None, about, entities, removed=absent)
    return WRITERS[options.mode](device, options)


def monitor_of(node: str) -> int | None:
    """Return the monitor that a device of Home Assistant is, or belongs to; None for the bridge and for others'."""
    found = _NODE.match(node)
    return int(found[1]) if found else None


def _place_on(topics: Topics, monitor: int, device: str, row: Entity, icon: str) -> EntityTopics:
    attributes = None if row.attributes is None else topics.device(monitor, device, row.attributes)
    own_icon = icon if row.key in WITH_DEVICE_ICON else None
    return EntityTopics(row, topics.device(monitor, device, row.topic), attributes, icon=own_icon)


def _place_on_bridge(topics: Topics, row: Entity) -> EntityTopics:
    command = None if row.command is None else topics.bridge(f"request/{row.command}")
    return EntityTopics(row, topics.bridge(row.topic), command_topic=command)


def _bridge_node(topics: Topics) -> str:
    return f"sense_mqtt_bridge_{sanitize_id(topics.base)}{topics.bridge_level.removeprefix('bridge')}"


def _shard(topics: Topics) -> list[str]:
    index = topics.bridge_level.removeprefix("bridge-")
    return [] if index == topics.bridge_level else [index]


def _node(monitor: int, device: str | None = None) -> str:
    return f"sense_mqtt_{monitor}" if device is None else f"sense_mqtt_{monitor}_{sanitize_id(device)}"


def _name(given: str | None, otherwise: Any) -> Any:
    return (given or "").strip() or otherwise
