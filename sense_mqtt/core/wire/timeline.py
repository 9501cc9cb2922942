"""Sense's own timeline: items as the feed pushes and REST lists them, made into edges of devices."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sense_mqtt.core.timestamps import read_timestamp
from sense_mqtt.core.wire.devices import rows_of, text

EdgeType = Literal["turned_on", "turned_off", "idle"]

EDGE_TYPES: Mapping[str, EdgeType] = {"DeviceOn": "turned_on", "DeviceOff": "turned_off", "DeviceIdle": "idle"}


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """One edge that Sense's timeline tells of."""

    device: str
    edge: EdgeType
    time: float  # seconds UTC
    guid: str | None = None  # a DeviceWasOn reuses the guid of its DeviceOn


def read_items(items: Iterable[Mapping[str, Any]]) -> tuple[TimelineItem, ...]:
    """Return the edges in these items, oldest first; a `DeviceWasOn` holds both edges of its run."""
    edges = [edge for item in items for edge in _read_item(item)]
    return tuple(sorted(edges, key=lambda edge: edge.time))


def _read_item(item: Mapping[str, Any]) -> list[TimelineItem]:
    return _read_run(item) if item.get("type") == "DeviceWasOn" else _read_edge(item)


def _read_edge(item: Mapping[str, Any]) -> list[TimelineItem]:
    edge = EDGE_TYPES.get(str(item.get("type")))
    return _edge(item, edge, item.get("time")) if edge else []


def _read_run(item: Mapping[str, Any]) -> list[TimelineItem]:
    children = [edge for child in rows_of(item.get("children")) for edge in _read_edge(child)]
    ended = EDGE_TYPES.get(str(item.get("device_state")), "turned_off")
    known = {edge.edge == "turned_on" for edge in children}
    start = [] if True in known else _edge(item, "turned_on", item.get("start_time"))
    end = [] if False in known else _edge(item, "turned_off" if ended == "turned_on" else ended, item.get("time"))
    return [*start, *children, *end]


def _edge(item: Mapping[str, Any], edge: EdgeType, time: Any) -> list[TimelineItem]:
    device, instant = text(item.get("device_id")), read_timestamp(time)
    if device is None or instant is None:
        return []
    return [TimelineItem(device, edge, instant, text(item.get("guid")))]
