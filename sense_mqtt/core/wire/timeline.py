"""Sense's own timeline: items as the feed pushes and REST lists them, made into edges of devices."""

from collections.abc import Iterable, Mapping
from typing import Any

from sense_mqtt.core.edges import Edge, EdgeKind, timeline_edge
from sense_mqtt.core.timestamps import read_timestamp
from sense_mqtt.core.wire.devices import rows_of, text

EDGE_KINDS: Mapping[str, EdgeKind] = {  # by the `type` of an item
    "DeviceOn": EdgeKind.TURNED_ON,
    "DeviceOff": EdgeKind.TURNED_OFF,
    "DeviceIdle": EdgeKind.IDLE,
}


def read_items(items: Iterable[Mapping[str, Any]]) -> tuple[Edge, ...]:
    """Return the edges in these items, oldest first; a `DeviceWasOn` holds both edges of its run."""
    edges = [edge for item in items for edge in _read_item(item)]
    return tuple(sorted(edges, key=lambda edge: edge.time))


def _read_item(item: Mapping[str, Any]) -> list[Edge]:
    return _read_run(item) if item.get("type") == "DeviceWasOn" else _read_edge(item)


def _read_edge(item: Mapping[str, Any]) -> list[Edge]:
    kind = EDGE_KINDS.get(str(item.get("type")))
    return _edge(item, kind, item.get("time")) if kind else []


def _read_run(item: Mapping[str, Any]) -> list[Edge]:
    children = [edge for child in rows_of(item.get("children")) for edge in _read_edge(child)]
    ended = EDGE_KINDS.get(str(item.get("device_state")), EdgeKind.TURNED_OFF)
    end_kind = EdgeKind.TURNED_OFF if ended is EdgeKind.TURNED_ON else ended
    known = {edge.kind is EdgeKind.TURNED_ON for edge in children}
    start = [] if True in known else _edge(item, EdgeKind.TURNED_ON, item.get("start_time"))
    end = [] if False in known else _edge(item, end_kind, item.get("time"))
    return [*start, *children, *end]


def _edge(item: Mapping[str, Any], kind: EdgeKind, time: Any) -> list[Edge]:
    # A DeviceWasOn reuses the guid of its DeviceOn.
    device, instant = text(item.get("device_id")), read_timestamp(time)
    if device is None or instant is None:
        return []
    return [timeline_edge(device, kind, instant, text(item.get("guid")))]
