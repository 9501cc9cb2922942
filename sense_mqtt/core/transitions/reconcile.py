"""Which edges of the timeline are to be published: what frames showed of one device and the timeline, reconciled.

The rules, with their reasons in docs/decisions/0002-reconciling-frames-and-timeline.md:
1. A published edge has the span of time in which it must have happened.
2. Published edges and items of the timeline are aligned (alignment.py), anew each time.
3. An item that is left without a partner is decided by the table DECISIONS.
4. One that repeats the state before it is no edge; two that undo each other within a hold time longer than FLICKER_S
   are flapping, as the user wants it.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum, StrEnum
from itertools import pairwise

import msgspec

from sense_mqtt.core.edges import Edge, EdgeKind
from sense_mqtt.core.transitions.alignment import match
from sense_mqtt.core.transitions.coverage import Coverage
from sense_mqtt.core.transitions.on_off import Context
from sense_mqtt.core.transitions.published_edges import occurred_at
from sense_mqtt.core.transitions.timing import CONTINUOUS_S, FLICKER_S, SHORT_RUN_S

TURNED_ON = EdgeKind.TURNED_ON


class Observed(Enum):
    """What frames can say of the time of an item."""

    NOT_YET = "frames that may show the edge can still come"
    NO = "no frame covers the time"
    YES = "frames cover the time, and showed no such edge"


class Shape(Enum):
    """What an item is, beside the others of its device."""

    SINGLE = "one edge"
    MAY_BEGIN_SHORT_RUN = "a `turned_on` so new that the end of a short run may still come"
    OF_SHORT_RUN = "one of the two edges of a short run, while frames showed nothing but that the device was off"
    ENDS_TIMELINE_RUN = "the end of a run whose begin only the timeline told"


class Decision(StrEnum):
    """What becomes of an item, and why; the values name the reasons of the debug log."""

    WAIT = "waits"
    PUBLISH_UNOBSERVED = "unobserved_edge"
    PUBLISH_SHORT_RUN = "short_run"
    PUBLISH_END = "run_ended"
    DROP_OBSERVED = "frames_decide"
    DROP_MATCHED = "matched"  # it is a published edge
    DROP_REPEATED = "no_change"  # the device was in that state already
    DROP_FLAPPING = "undone"  # within the hold time
    DROP_THRESHOLDS = "thresholds"  # the user's thresholds decide, of which Sense knows nothing
    DROP_NO_DEVICE = "no_device"  # hidden, virtual or unknown


PUBLISHED = (Decision.PUBLISH_UNOBSERVED, Decision.PUBLISH_SHORT_RUN, Decision.PUBLISH_END)

DECISIONS: Mapping[tuple[Observed, Shape], Decision] = {
    (Observed.NOT_YET, Shape.SINGLE): Decision.WAIT,
    (Observed.NOT_YET, Shape.MAY_BEGIN_SHORT_RUN): Decision.WAIT,
    (Observed.NOT_YET, Shape.OF_SHORT_RUN): Decision.WAIT,
    (Observed.NOT_YET, Shape.ENDS_TIMELINE_RUN): Decision.WAIT,
    (Observed.NO, Shape.SINGLE): Decision.PUBLISH_UNOBSERVED,
    (Observed.NO, Shape.MAY_BEGIN_SHORT_RUN): Decision.PUBLISH_UNOBSERVED,
    (Observed.NO, Shape.OF_SHORT_RUN): Decision.PUBLISH_UNOBSERVED,
    (Observed.NO, Shape.ENDS_TIMELINE_RUN): Decision.PUBLISH_UNOBSERVED,
    (Observed.YES, Shape.SINGLE): Decision.DROP_OBSERVED,  # frames and timeline disagree: frames count
    (Observed.YES, Shape.MAY_BEGIN_SHORT_RUN): Decision.WAIT,
    (Observed.YES, Shape.OF_SHORT_RUN): Decision.PUBLISH_SHORT_RUN,  # over before Sense detected it: no frame shows it
    (Observed.YES, Shape.ENDS_TIMELINE_RUN): Decision.PUBLISH_END,
}


class Reconciliation(msgspec.Struct, frozen=True):
    """What became of the items about one device."""

    edges: tuple[Edge, ...]  # the published ones, with their items
    new_events: tuple[Edge, ...] = ()  # to be published, oldest first
    pending: tuple[Edge, ...] = ()  # to be decided later
    clock_offsets: tuple[float, ...] = ()  # s, of the edges that were matched
    decisions: tuple[tuple[Edge, Decision], ...] = ()  # for each item


def reconcile(items: Sequence[Edge], context: Context, present: float, *, is_on: bool) -> Reconciliation:
    """Return what the items about one device mean at `present`, s UTC. `is_on`: what the last frame showed."""
    rules, coverage, edges = context.rules, context.coverage, context.edges
    if rules.on_above_w is not None or rules.off_below_w is not None:
        return Reconciliation(tuple(edges), decisions=tuple((item, Decision.DROP_THRESHOLDS) for item in items))
    matched, left = match(items, edges, coverage.offset_s, coverage.tolerance_s)
    decisions = dict.fromkeys(items, Decision.DROP_MATCHED)
    decisions |= _decide(left, matched, context, present, is_on=is_on)
    pending = [item for item in left if decisions[item] is Decision.WAIT]
    publish = [item for item in left if decisions[item] in PUBLISHED]
    changing = _without_repeats(publish, matched, coverage)
    new = _without_flapping(changing, [*matched, *pending], context)
    decisions |= {item: Decision.DROP_REPEATED for item in publish if item not in changing}
    decisions |= {item: Decision.DROP_FLAPPING for item in changing if item not in new}
    offsets = _offsets(edges, matched)
    return Reconciliation(tuple(matched), tuple(new), tuple(pending), tuple(offsets), tuple(decisions.items()))


def _decide(
    items: Sequence[Edge], edges: Sequence[Edge], context: Context, present: float, *, is_on: bool
) -> dict[Edge, Decision]:
    coverage = context.coverage
    observed = {item: _observed(item, context, present) for item in items}
    short = {
        edge
        for run in _short_runs(items, edges, coverage, is_on=is_on)
        if observed[run[1]] is not Observed.NOT_YET  # while the end may turn out to be flapping, nothing is a run
        for edge in run
    }
    shapes = {item: Shape.OF_SHORT_RUN if item in short else _shape(item, edges, coverage) for item in items}
    return {item: DECISIONS[observed[item], shapes[item]] for item in items}


def _offsets(before: Iterable[Edge], matched: Iterable[Edge]) -> Iterator[float]:
    for old, new in zip(before, matched, strict=True):
        if old.timeline_time is None and new.timeline_time is not None and new.time - new.not_before <= CONTINUOUS_S:
            yield new.timeline_time - new.time


# --- the two questions of the table


def _observed(item: Edge, context: Context, present: float) -> Observed:
    time, coverage = item.time - context.coverage.offset_s, context.coverage
    if not coverage.can_be_decided(time, context.hold_s(item.kind.state), present):
        return Observed.NOT_YET
    return Observed.YES if coverage.was_observed(time) else Observed.NO


def _shape(item: Edge, edges: Sequence[Edge], coverage: Coverage) -> Shape:
    if item.kind is TURNED_ON:
        newest = coverage.last_observed_at if coverage.last_observed_at is not None else math.inf
        is_new = item.time - coverage.offset_s > newest - coverage.grace_s - SHORT_RUN_S
        return Shape.MAY_BEGIN_SHORT_RUN if is_new else Shape.SINGLE
    before = [edge for edge in edges if edge.time < item.time]
    if before and before[-1].is_from_timeline and before[-1].kind is TURNED_ON:
        return Shape.ENDS_TIMELINE_RUN
    return Shape.SINGLE


def _short_runs(
    items: Sequence[Edge], edges: Sequence[Edge], coverage: Coverage, *, is_on: bool
) -> Iterator[tuple[Edge, Edge]]:
    """Yield both edges of each whole run near which frames showed nothing but that the device was off."""
    for first, second in pairwise(items):
        is_run = first.kind is TURNED_ON and second.kind is not TURNED_ON
        begin, end = first.time - coverage.offset_s, second.time - coverage.offset_s
        is_before_all = coverage.known_since is not None and begin <= coverage.known_since
        if not is_run or is_before_all or second.time - first.time > SHORT_RUN_S:
            continue
        if not _was_on(begin, end, edges, coverage, is_on=is_on):
            yield first, second


def _was_on(begin: float, end: float, edges: Sequence[Edge], coverage: Coverage, *, is_on: bool) -> bool:
    """True if the device was on in [begin, end], within the tolerance of the clocks."""
    switched = [(occurred_at(edge, coverage), edge.kind is TURNED_ON) for edge in edges]
    if any(begin - coverage.tolerance_s <= time <= end + coverage.tolerance_s for time, _ in switched):
        return True
    before, after = [on for time, on in switched if time < begin], [on for time, on in switched if time > end]
    if before:
        return before[-1]
    return not after[0] if after else is_on


# --- what is no edge


def _without_repeats(items: Iterable[Edge], edges: Sequence[Edge], coverage: Coverage) -> list[Edge]:
    before = list(_in_time(edges, coverage))
    changing: list[Edge] = []
    for item in sorted(items, key=lambda item: item.time):
        time = item.time - coverage.offset_s
        earlier = [edge for edge in before if edge[0] <= time]
        if not earlier or max(earlier)[1] is not item.kind:
            before.append((time, item.kind))
            changing.append(item)
    return changing


def _in_time(edges: Sequence[Edge], coverage: Coverage) -> Iterator[tuple[float, EdgeKind]]:
    """Yield time and kind of each edge, newest first: one that only a frame told was before the next of that sort."""
    latest = math.inf
    for edge in reversed(edges):
        time = occurred_at(edge, coverage)
        if not edge.is_from_timeline:
            is_paired = edge.timeline_time is not None
            latest = time = time if is_paired else min(time, math.nextafter(latest, 0.0))
        yield time, edge.kind


def _without_flapping(items: Iterable[Edge], others: Sequence[Edge], context: Context) -> list[Edge]:
    kept: list[Edge] = []
    for item in items:
        if kept and _undoes(kept[-1], item, others, context):
            kept.pop()
        else:
            kept.append(item)
    return kept


def _undoes(first: Edge, second: Edge, others: Sequence[Edge], context: Context) -> bool:
    hold_s = context.hold_s(first.kind.state)
    is_pair = (first.kind is TURNED_ON) != (second.kind is TURNED_ON)
    if not is_pair or hold_s <= FLICKER_S or second.time - first.time >= hold_s:
        return False
    coverage = context.coverage
    begin, end = first.time - coverage.offset_s, second.time - coverage.offset_s
    return not any(begin < occurred_at(edge, coverage) < end for edge in others)
