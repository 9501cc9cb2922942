"""`Edge`: one switching of a device, with the span of time in which it must have happened."""

from enum import StrEnum

import msgspec


class State(StrEnum):
    """Whether a device runs. A plug below its standby threshold is `idle`."""

    UNKNOWN = "unknown"  # no frame has shown the device yet
    OFF = "off"
    ON = "on"
    IDLE = "idle"


class EdgeKind(StrEnum):
    """The event type of an edge."""

    TURNED_ON = "turned_on"
    TURNED_OFF = "turned_off"
    IDLE = "idle"

    @property
    def state(self) -> State:
        """The state that follows."""
        return _STATES[self]


_STATES = {EdgeKind.TURNED_ON: State.ON, EdgeKind.TURNED_OFF: State.OFF, EdgeKind.IDLE: State.IDLE}
KIND_TO = {state: kind for kind, state in _STATES.items()}  # the edge that leads to a state


class Edge(msgspec.Struct, frozen=True):
    """One switching of one device: known from frames, from Sense's timeline, or from both."""

    device: str
    kind: EdgeKind
    time: float  # s UTC, as published: of the first sample that showed it, else of the timeline's item
    not_before: float  # s UTC: of the sample before; `time` itself where only the timeline knows it
    timeline_time: float | None = None  # s UTC by the timeline's clock; None: the timeline has not told of it
    guid: str | None = None  # of the timeline's item

    @property
    def is_from_timeline(self) -> bool:
        """True where the timeline told of it first, so that it belongs to this item and to no other."""
        return self.not_before == self.time == self.timeline_time


def timeline_edge(device: str, kind: EdgeKind, time: float, guid: str | None = None) -> Edge:
    """Return an edge as an item of Sense's timeline tells it, at `time` by the timeline's clock."""
    return Edge(device, kind, time, time, time, guid)
