"""The published edges of one device: when they happened, which is the newest, and what that says of a sample."""

from collections.abc import Iterable, Sequence

import msgspec

from sense_mqtt.core.edges import Edge, State
from sense_mqtt.core.transitions.coverage import Coverage
from sense_mqtt.core.transitions.timing import CLOCK_SLACK_S, HISTORY_S, MAX_EDGES, NARROW_TOLERANCE_S, TOLERANCE_S


def add_published(edges: Iterable[Edge], more: Iterable[Edge]) -> tuple[Edge, ...]:
    """Return the published edges with more among them: those that the timeline may still tell of, and the newest."""
    kept = sorted((*edges, *more), key=lambda edge: edge.time)[-MAX_EDGES:]
    return tuple(edge for edge in kept if edge.time >= kept[-1].time - HISTORY_S - 2 * TOLERANCE_S)


def forgotten_until(edges: Sequence[Edge]) -> float:
    """Return until when a device had edges that are no longer kept, s UTC; 0 where all are kept."""
    return max(edges[0].time, edges[0].timeline_time or 0.0) if len(edges) >= MAX_EDGES else 0.0


def occurred_at(edge: Edge, coverage: Coverage) -> float:
    """Return when an edge happened by the frames' clock, as well as frames and timeline know, s UTC."""
    if edge.timeline_time is None:
        return edge.time
    time = edge.timeline_time - coverage.offset_s
    return time if edge.is_from_timeline else min(max(time, edge.not_before), edge.time)


def newest_edge(edges: Iterable[Edge], coverage: Coverage) -> Edge | None:
    """Return the edge that happened last, None where there is none."""
    return max(edges, key=lambda edge: occurred_at(edge, coverage), default=None)


class TimelineState(msgspec.Struct, frozen=True):
    """The state of a device after its newest edge, where the timeline has told of that edge.

    Times are s UTC by the frames' clock.
    """

    state: State
    since: float
    ignore_before: float  # a sample of before this shows an older state
    uncertain_until: float  # a sample that shows another state counts only after this: the two clocks may differ
    is_from_timeline: bool
    tolerance_s: float

    def is_same(self, edge: Edge, last_observed_before: float) -> bool:
        """True where the timeline told of this edge before a frame surely showed it: it is published already."""
        if not self.is_from_timeline or edge.kind.state is not self.state:
            return False
        # Two edges of one kind have another between them, which nobody told: one so near is the same, by another clock.
        return self.since >= last_observed_before or abs(edge.time - self.since) <= self.tolerance_s


def timeline_state(edges: Sequence[Edge], coverage: Coverage) -> TimelineState | None:
    """Return what the timeline has told of the newest edge of a device; None where it has told nothing of that."""
    newest = newest_edge(edges, coverage)
    if newest is None or newest.timeline_time is None:
        return None
    time, ignore_s, uncertain_s = occurred_at(newest, coverage), 0.0, 0.0
    if newest.is_from_timeline:
        ignore_s, uncertain_s = CLOCK_SLACK_S, CLOCK_SLACK_S if coverage.knows_offset else NARROW_TOLERANCE_S
    return TimelineState(
        newest.kind.state,
        time,
        time + ignore_s,
        time + uncertain_s,
        newest.is_from_timeline,
        coverage.tolerance_s,
    )
