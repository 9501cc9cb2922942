"""What Home Assistant is told of a monitor and its devices, so that they show up there by themselves (MQTT discovery).

One retained payload a device (`device`: Home Assistant 2024.12 and newer), or one an entity (`single`: older ones).
Unique ids come from Sense's ids alone, and so do discovery ids: in a device payload the topic's object id with the
component's key, which `single` topics therefore carry as node and object id. No name, base topic or mode may change
them: people's settings hang on them. Facts without another source: Home Assistant 2026.11,
components/mqtt/discovery.py and schemas.py.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sense_mqtt.core.entity import Entity
from sense_mqtt.core.home_assistant.components import EntityTopics, describe_component, without_none
from sense_mqtt.core.publishing.topics import Topics
from sense_mqtt.core.readings.entities import BRIDGE, DEVICE, MONITOR, VIRTUAL_DEVICE
from sense_mqtt.core.topic_ids import sanitize_id
from sense_mqtt.core.wire.devices import Kind

Mode = Literal["device", "single", "off"]

DEVICE_ROWS: Mapping[Kind, tuple[Entity, ...]] = {"detected": DEVICE, "plug": DEVICE, "virtual": VIRTUAL_DEVICE}
MODELS: Mapping[Kind, str] = {"detected": "Detected device", "plug": "Smart plug", "virtual": "Virtual device"}

_NODE = re.compile(r"sense_mqtt_(\d+)(?:_|$)")


@dataclass(frozen=True, slots=True)
class MonitorDescription:
    """What Home Assistant shows of a monitor. Never its serial number, which is a secret."""

    id: int
    solar: bool | None = None  # None: not known yet; nothing that needs solar is introduced
    name: str | None = None
    firmware: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceDescription:
    """What Home Assistant shows of a device."""

    id: str
    name: str | None = None
    make: str | None = None
    model: str | None = None
    location: str | None = None
    type: str | None = None
    kind: Kind = "detected"
    left_out: frozenset[str] = frozenset()  # keys of rows that this device does not have


@dataclass(frozen=True, slots=True)
class DiscoveryOptions:
    """How to tell it, and who tells it."""

    version: str  # of sense-mqtt
    topics: Topics
    mode: Mode = "device"


@dataclass(frozen=True, slots=True)
class DiscoveryMessage:
    """A discovery message, always retained. Without a payload it is empty, and takes back what was told there."""

    topic: str
    payload: Mapping[str, Any] | None


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
    about = {"name": name, "manufacturer": "Sense", "model": "Energy Monitor", "sw_version": monitor.firmware}
    return _WRITERS[options.mode](DiscoveryDevice(_node(monitor.id), monitor.id, about, (*house, *bridge)), options)


def announce_device(
    monitor: MonitorDescription, device: DeviceDescription, options: DiscoveryOptions
) -> tuple[DiscoveryMessage, ...]:
    """Return what to tell of one device; of `solar` nothing, the monitor shows it (contract 1.2)."""
    if device.id == "solar":
        return ()
    rows = [
        _place_on(options.topics, monitor.id, device.id, row)
        for row in DEVICE_ROWS[device.kind]
        if row.key not in device.left_out
    ]
    about = {
        "name": _name(device.name, f"Device {device.id}"),
        "manufacturer": _name(device.make, "Sense"),
        "model": _name(device.model, _name(device.type, MODELS[device.kind])),
        "suggested_area": _name(device.location, None),
        "via_device": _node(monitor.id),
    }
    return _WRITERS[options.mode](
        DiscoveryDevice(_node(monitor.id, device.id), monitor.id, about, tuple(rows)), options
    )


def announce_bridge(options: DiscoveryOptions) -> tuple[DiscoveryMessage, ...]:
    """Return what to tell while no monitor is known: that a person must log in, and nothing else can be shown."""
    rows = [_place_on_bridge(options.topics, row) for row in BRIDGE if row.key == "login"]
    about = {"name": "Sense bridge", "manufacturer": "sense-mqtt", "model": "Bridge", "sw_version": options.version}
    node = f"sense_mqtt_bridge_{sanitize_id(options.topics.base)}{options.topics.bridge_level.removeprefix('bridge')}"
    return _WRITERS[options.mode](DiscoveryDevice(node, None, about, tuple(rows)), options)


def origin(options: DiscoveryOptions) -> dict[str, str]:
    """Return who tells, for Home Assistant's log."""
    return {"name": "sense-mqtt", "sw_version": options.version}


def monitor_of(node: str) -> int | None:
    """Return the monitor that a device of Home Assistant is, or belongs to; None for the bridge and for others'."""
    found = _NODE.match(node)
    return int(found[1]) if found else None


# --- how a device of Home Assistant, with its entities, becomes messages


@dataclass(frozen=True, slots=True)
class DiscoveryDevice:
    """One device of Home Assistant."""

    node: str  # its identifier, and the beginning of its entities' unique ids
    monitor: int | None  # None: the bridge itself
    about: Mapping[str, Any]
    entities: tuple[EntityTopics, ...]

    def describe(self, entity: EntityTopics, options: DiscoveryOptions) -> dict[str, Any]:
        component = describe_component(entity, node=self.node, name=self.about["name"], monitor=self.monitor)
        only_bridge = {"availability": [_bridge_state(options)]} if entity.row.always_available else {}
        return component | only_bridge

    def frame(self, options: DiscoveryOptions) -> dict[str, Any]:
        """Return what is said of the device, and what is alike for all its entities."""
        return {
            "device": without_none({"identifiers": [self.node], **self.about}),
            "origin": origin(options),
            "availability": [_bridge_state(options), *self._availability(options)],
            "availability_mode": "all",
            "qos": 1,
        }

    def _availability(self, options: DiscoveryOptions) -> list[dict[str, str]]:
        return [] if self.monitor is None else [{"topic": options.topics.monitor(self.monitor, "availability")}]


def _device_message(device: DiscoveryDevice, options: DiscoveryOptions) -> tuple[DiscoveryMessage, ...]:
    components = {
        entity.row.key: {"platform": entity.row.platform, **device.describe(entity, options)}
        for entity in device.entities
    }
    return (
        DiscoveryMessage(
            options.topics.discovery("device", device.node), {**device.frame(options), "components": components}
        ),
    )


def _entity_messages(device: DiscoveryDevice, options: DiscoveryOptions) -> tuple[DiscoveryMessage, ...]:
    return tuple(
        DiscoveryMessage(
            options.topics.discovery(f"{entity.row.platform}/{device.node}", entity.row.key),
            {**device.frame(options), **device.describe(entity, options)},
        )
        for entity in device.entities
    )


def _no_messages(device: DiscoveryDevice, options: DiscoveryOptions) -> tuple[DiscoveryMessage, ...]:  # noqa: ARG001 - one shape for all writers
    return ()


_WRITERS: Mapping[Mode, Callable[[DiscoveryDevice, DiscoveryOptions], tuple[DiscoveryMessage, ...]]] = {
    "device": _device_message,
    "single": _entity_messages,
    "off": _no_messages,
}


def _place_on(topics: Topics, monitor: int, device: str, row: Entity) -> EntityTopics:
    attributes = None if row.attributes is None else topics.device(monitor, device, row.attributes)
    return EntityTopics(row, topics.device(monitor, device, row.topic), attributes)


def _place_on_bridge(topics: Topics, row: Entity) -> EntityTopics:
    command = None if row.command is None else topics.bridge(f"request/{row.command}")
    return EntityTopics(row, topics.bridge(row.topic), command_topic=command)


def _bridge_state(options: DiscoveryOptions) -> dict[str, str]:
    return {"topic": options.topics.bridge("state")}


def _node(monitor: int, device: str | None = None) -> str:
    return f"sense_mqtt_{monitor}" if device is None else f"sense_mqtt_{monitor}_{sanitize_id(device)}"


def _name(given: str | None, otherwise: Any) -> Any:
    return (given or "").strip() or otherwise
