"""How Home Assistant forgets what it was told on discovery topics that no longer hold.

An entity that is told on another topic from now on (another mode, another prefix) keeps its settings: it is unloaded
with `migrate_discovery` first, and only then is its old topic emptied. An emptied device topic without a component is
logged as a warning, so such a topic holds a device trigger, which leaves nothing behind, in between.

What is told nowhere any more is removed by emptying the topics of its entities. A device topic moves to such topics
first: Home Assistant itself empties the topic of each disabled entity that goes with a device, which it would log as a
warning for each where that is the device's own. Facts: Home Assistant 2026.2, components/mqtt/discovery.py and
entity.py.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from sense_mqtt.core.home_assistant.discovery import (
    DeviceDescription,
    MonitorDescription,
    announce_bridge,
    announce_device,
    announce_monitor,
    monitor_of,
)
from sense_mqtt.core.home_assistant.messages import DiscoveryMessage, DiscoveryOptions, origin
from sense_mqtt.core.home_assistant.triggers import DEVICE_TRIGGERS, MONITOR_TRIGGERS

# Removed by name: Home Assistant keeps a trigger that `migrate_discovery` unloads, and warns once its device goes.
_TRIGGER_KEYS = frozenset(trigger.key for trigger in (*DEVICE_TRIGGERS, *MONITOR_TRIGGERS))
_PLACEHOLDER = {"platform": "device_automation", "automation_type": "trigger", "type": "moved", "subtype": "moved"}


class DiscoveryTopic(NamedTuple):
    """Of whom a discovery topic tells."""

    node: str  # the device in Home Assistant
    key: str | None  # the entity; None: the topic tells of the whole device


class Removal(Struct, frozen=True):
    """Steps that follow each other, each once Home Assistant had time for the one before."""

    steps: tuple[tuple[DiscoveryMessage, ...], ...] = ()
    moving: frozenset[str] = frozenset()  # nodes that may be told anew only after the last step


def remove_obsolete(
    announced: Iterable[str],
    wanted: Iterable[DiscoveryMessage],
    is_kept: Callable[[str], bool],
    options: DiscoveryOptions,
) -> Removal:
    """Return how to take back the discovery topics that are not `wanted`, but for those of nodes that are kept."""
    wanted = tuple(wanted)
    topics = {message.topic for message in wanted}
    places = {topic: place for topic in announced if topic not in topics and (place := read_discovery_topic(topic))}
    obsolete = {topic: place for topic, place in places.items() if not is_kept(place.node)}
    told_elsewhere = {place for message in wanted for place in _entities_of(message)}
    apart = {
        topic: _announce_each(topic, place.node, options)
        for topic, place in obsolete.items()
        if place.key is None and place not in told_elsewhere
    }
    moving = {topic: place for topic, place in obsolete.items() if place in told_elsewhere or apart.get(topic)}
    of_device = {topic: place.node for topic, place in moving.items() if place.key is None}
    single = tuple(message for messages in apart.values() for message in messages)
    unloaded = [topic for topic, place in moving.items() if place.key not in _TRIGGER_KEYS]
    steps = (
        tuple(_remove_triggers(topic, node, options) for topic, node in of_device.items() if monitor_of(node)),
        tuple(DiscoveryMessage(topic, {"migrate_discovery": True}) for topic in unloaded),
        tuple(_hold_place(topic, node, options) for topic, node in of_device.items()),
        tuple(DiscoveryMessage(topic, None) for topic in obsolete),
        single,
        tuple(DiscoveryMessage(message.topic, None) for message in single),
    )
    return Removal(tuple(step for step in steps if step), frozenset(place.node for place in moving.values()))


def read_discovery_topic(topic: str) -> DiscoveryTopic | None:
    """Return of whom a topic tells, below whatever prefix; None where it is none of ours."""
    match topic.split("/"):
        case [*_, "device", node, "config"]:
            return DiscoveryTopic(node, None)
        case [*_, _, node, key, "config"]:
            return DiscoveryTopic(node, key)
    return None


def _entities_of(message: DiscoveryMessage) -> Iterable[DiscoveryTopic]:
    place = read_discovery_topic(message.topic)
    keys = (None, place and place.key, *(message.payload or {}).get("components", ()))
    return [DiscoveryTopic(place.node, key) for key in keys] if place else []


def _announce_each(topic: str, node: str, options: DiscoveryOptions) -> tuple[DiscoveryMessage, ...]:
    """Return the entities that a device topic may have told of, each on a topic of its own below the same prefix."""
    monitor = monitor_of(node)
    prefix = topic.removesuffix(f"/device/{node}/config")
    single = replace(options, mode="single", topics=replace(options.topics, prefix=prefix))
    if monitor is None:
        return announce_bridge(single, node=node)
    device = node.removeprefix(f"sense_mqtt_{monitor}").removeprefix("_")
    if device:
        return announce_device(MonitorDescription(monitor), DeviceDescription(device), single)
    return announce_monitor(MonitorDescription(monitor, solar=True), single)


def _remove_triggers(topic: str, node: str, options: DiscoveryOptions) -> DiscoveryMessage:
    components = {key: {"platform": "device_automation"} for key in sorted(_TRIGGER_KEYS)}
    payload = {"device": {"identifiers": [node]}, "origin": origin(options), "components": components}
    return DiscoveryMessage(topic, payload)


def _hold_place(topic: str, node: str, options: DiscoveryOptions) -> DiscoveryMessage:
    trigger = {**_PLACEHOLDER, "topic": options.topics.bridge("state")}
    payload = {"device": {"identifiers": [node]}, "origin": origin(options), "components": {"moved": trigger}}
    return DiscoveryMessage(topic, payload)
