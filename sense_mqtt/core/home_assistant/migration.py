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
from dataclasses import dataclass, replace
from typing import NamedTuple

from sense_mqtt.core.home_assistant.discovery import (
    Config,
    DeviceFacts,
    MonitorFacts,
    Style,
    introduce_device,
    introduce_monitor,
    monitor_of,
    told_by,
)

_PLACEHOLDER = {"platform": "device_automation", "automation_type": "trigger", "type": "moved", "subtype": "moved"}


class Place(NamedTuple):
    """Of whom a discovery topic tells."""

    node: str  # the device in Home Assistant
    key: str | None  # the entity; None: the topic tells of the whole device


@dataclass(frozen=True, slots=True)
class Removal:
    """Steps that follow each other, each once Home Assistant had time for the one before."""

    steps: tuple[tuple[Config, ...], ...] = ()
    moving: frozenset[str] = frozenset()  # nodes that may be told anew only after the last step


def remove_obsolete(
    announced: Iterable[str], wanted: Iterable[Config], is_kept: Callable[[str], bool], style: Style
) -> Removal:
    """Return how to take back the discovery topics that are not `wanted`, but for those of nodes that are kept."""
    wanted = tuple(wanted)
    topics = {config.topic for config in wanted}
    places = {topic: place for topic in announced if topic not in topics and (place := read_place(topic))}
    obsolete = {topic: place for topic, place in places.items() if not is_kept(place.node)}
    told_elsewhere = {place for config in wanted for place in _places_of(config)}
    apart = {
        topic: _tell_each(topic, place.node, style)
        for topic, place in obsolete.items()
        if place.key is None and place not in told_elsewhere
    }
    moving = {topic: place for topic, place in obsolete.items() if place in told_elsewhere or apart.get(topic)}
    of_device = {topic: place.node for topic, place in moving.items() if place.key is None}
    single = tuple(config for configs in apart.values() for config in configs)
    steps = (
        tuple(Config(topic, {"migrate_discovery": True}) for topic in moving),
        tuple(_hold_place(topic, node, style) for topic, node in of_device.items()),
        tuple(Config(topic, None) for topic in obsolete),
        single,
        tuple(Config(config.topic, None) for config in single),
    )
    return Removal(tuple(step for step in steps if step), frozenset(place.node for place in moving.values()))


def read_place(topic: str) -> Place | None:
    """Return of whom a topic tells, below whatever prefix; None where it is none of ours."""
    match topic.split("/"):
        case [*_, "device", node, "config"]:
            return Place(node, None)
        case [*_, _, node, key, "config"]:
            return Place(node, key)
    return None


def _places_of(config: Config) -> Iterable[Place]:
    place = read_place(config.topic)
    keys = (None, place and place.key, *(config.payload or {}).get("components", ()))
    return [Place(place.node, key) for key in keys] if place else []


def _tell_each(topic: str, node: str, style: Style) -> tuple[Config, ...]:
    """Return the entities that a device topic may have told of, each on a topic of its own below the same prefix."""
    monitor = monitor_of(node)
    if monitor is None:
        return ()
    prefix = topic.removesuffix(f"/device/{node}/config")
    single = replace(style, mode="single", topics=replace(style.topics, prefix=prefix))
    device = node.removeprefix(f"sense_mqtt_{monitor}").removeprefix("_")
    if device:
        return introduce_device(MonitorFacts(monitor), DeviceFacts(device), single)
    return introduce_monitor(MonitorFacts(monitor, solar=True), single)


def _hold_place(topic: str, node: str, style: Style) -> Config:
    trigger = {**_PLACEHOLDER, "topic": style.topics.bridge("state")}
    payload = {"device": {"identifiers": [node]}, "origin": told_by(style), "components": {"moved": trigger}}
    return Config(topic, payload)
