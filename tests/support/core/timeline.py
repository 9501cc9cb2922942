"""What Sense's timeline tells of the dryer, between frames; times are seconds after START."""

from collections.abc import Mapping
from typing import Any

from sense_mqtt.core.changes import Change, Event
from sense_mqtt.core.edges import Edge, EdgeKind, timeline_edge
from sense_mqtt.core.home.timeline_events import TimelineRead
from sense_mqtt.core.wire.frames import RealtimeUpdate, TimelineChange
from tests.support.core.builders import DRYER, START, frame

D = str(DRYER["id"])


def item(kind: str, at: float, device: str = D, guid: str | None = None) -> Edge:
    return timeline_edge(device, EdgeKind(kind), START + at, guid)


def read(*items: Edge) -> TimelineRead:
    """Return these items as REST tells them."""
    return TimelineRead(items)


def pushed(*items: Edge) -> TimelineChange:
    """Return these items as the feed pushes them."""
    return TimelineChange(added=items)


def removed(*items: Edge, **more: tuple[Edge, ...]) -> TimelineChange:
    return TimelineChange(removed=items, **more)


def stream(begin: int, end: int, *devices: Mapping[str, Any]) -> list[tuple[float, RealtimeUpdate]]:
    """Return frames that list these devices, one a second."""
    return [(at, frame(*devices, at=at)) for at in range(begin, end)]


def published(changes: list[Change]) -> list[tuple[str, float, str, bool]]:
    """Return (event type, time, source, late) of each event of a device."""
    return [
        (c.event_type, round(c.time - START, 3), c.fields["source"], c.fields["late"])
        for c in changes
        if isinstance(c, Event) and c.device
    ]


def edges(changes: list[Change]) -> list[tuple[str, float]]:
    """Return (event type, time) of each event of a device."""
    return [(kind, at) for kind, at, *_ in published(changes)]
