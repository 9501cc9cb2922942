"""How a device of Home Assistant, with its entities and triggers, becomes discovery messages.

One retained payload a device (`device`: Home Assistant 2024.12 and newer), or one an entity (`single`: older ones).
Facts without another source: Home Assistant 2026.11, components/mqtt/discovery.py and schemas.py.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from msgspec import Struct

from sense_mqtt.core.entity import Entity
from sense_mqtt.core.home_assistant.components import EntityTopics, describe_component, without_none
from sense_mqtt.core.home_assistant.triggers import DeviceTrigger, describe_trigger
from sense_mqtt.core.publishing.topics import Topics

Mode = Literal["device", "single", "off"]


class DiscoveryOptions(Struct, frozen=True):
    """How to tell it, and who tells it."""

    version: str  # of sense-mqtt
    topics: Topics
    mode: Mode = "device"


class DiscoveryMessage(Struct, frozen=True):
    """A discovery message, always retained. Without a payload it is empty, and takes back what was told there."""

    topic: str
    payload: Mapping[str, Any] | None


class DiscoveryDevice(Struct, frozen=True):
    """One device of Home Assistant."""

    node: str  # its identifier, and the beginning of its entities' unique ids
    monitor: int | None  # None: the bridge itself
    about: Mapping[str, Any]
    entities: tuple[EntityTopics, ...]
    triggers: tuple[DeviceTrigger, ...] = ()
    events: str = ""  # the topic that the triggers hear
    removed: tuple[Entity, ...] = ()  # that it may have had before

    def components(self, options: DiscoveryOptions) -> Iterable[tuple[str, str, Mapping[str, Any]]]:
        """Yield platform, key and description of each entity and each trigger."""
        for entity in self.entities:
            yield entity.row.platform, entity.row.key, self.describe(entity, options)
        for trigger in self.triggers:
            yield "device_automation", trigger.key, describe_trigger(trigger, self.events)

    def describe(self, entity: EntityTopics, options: DiscoveryOptions) -> dict[str, Any]:
        component = describe_component(entity, node=self.node, name=self.about["name"], monitor=self.monitor)
        only_bridge = {"availability": [_bridge_state(options)]} if entity.row.always_available else {}
        return only_bridge | component

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
    components = {key: {"platform": platform, **about} for platform, key, about in device.components(options)}
    components |= {row.key: {"platform": row.platform} for row in device.removed}  # nothing else: it is removed
    return (
        DiscoveryMessage(
            options.topics.discovery("device", device.node), {**device.frame(options), "components": components}
        ),
    )


def _entity_messages(device: DiscoveryDevice, options: DiscoveryOptions) -> tuple[DiscoveryMessage, ...]:
    return tuple(
        DiscoveryMessage(options.topics.discovery(f"{platform}/{device.node}", key), {**device.frame(options), **about})
        for platform, key, about in device.components(options)
    )


def _no_messages(device: DiscoveryDevice, options: DiscoveryOptions) -> tuple[DiscoveryMessage, ...]:  # noqa: ARG001 - one shape for all writers
    return ()


WRITERS: Mapping[Mode, Callable[[DiscoveryDevice, DiscoveryOptions], tuple[DiscoveryMessage, ...]]] = {
    "device": _device_message,
    "single": _entity_messages,
    "off": _no_messages,
}


def origin(options: DiscoveryOptions) -> dict[str, str]:
    """Return who tells, for Home Assistant's log."""
    return {"name": "sense-mqtt", "sw_version": options.version}


def _bridge_state(options: DiscoveryOptions) -> dict[str, str]:
    return {"topic": options.topics.bridge("state")}
