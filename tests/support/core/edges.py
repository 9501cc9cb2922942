"""Edges of one device, as short as a test wants them."""

from sense_mqtt.core.edges import Edge, EdgeKind, timeline_edge
from sense_mqtt.core.transitions.coverage import Coverage

DEVICE = "1a2b3c4d"
ON, OFF, IDLE = EdgeKind
# Frames covered all times from 0 to 1000 s.
STREAM = Coverage(known_since=0.0, last_observed_at=1000.0, last_observed_earliest=1000.0, is_interrupted=False)


def item(kind: EdgeKind, time: float, guid: str | None = None) -> Edge:
    """Return an edge as the timeline tells it."""
    return timeline_edge(DEVICE, kind, time, guid)


def shown(kind: EdgeKind, time: float, *, not_before: float | None = None) -> Edge:
    """Return an edge that a stream showed, or after a gap the first frame, where `not_before` says since when."""
    return Edge(DEVICE, kind, time, time - 0.5 if not_before is None else not_before)
