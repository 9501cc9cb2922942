"""What is known of looking on and of what the timeline said, as the second witness beside frames. Pure.

Which of the timeline's edges are news, judging.py says.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from statistics import median
from typing import Literal

from sense_mqtt.core.transitions.alignment import Known, is_same_item, items_of
from sense_mqtt.core.transitions.on_off import STATE_AFTER, TimelineState
from sense_mqtt.core.wire.timeline import TimelineItem

LOOKED_ON_S = 3.0  # frames at most so far apart leave nothing unseen between them: six frames missed in a row
HOLE_MOST_S = 15.0  # a longer one is a gap, or the way from one poll to the next
SLACK_S = 1.0  # frames carry whole seconds, and the two clocks never quite agree
BRINK_S = 40.0  # what the timeline tells of shortly before the horizon is no news, but may be an edge that was told
TOLERANCE_S = 20.0  # frames lag by 0.7 to 14 s (protocol page, 4.4); until the offset of the two clocks is known
NARROW_TOLERANCE_S = 5.0  # and after
GRACE_S = 15.0  # frames come up to 14 s after their measurement (INVARIANTS 11)
SAMPLES_LEAST, SAMPLES_MOST = 3, 15  # matched edges that tell the offset
AHEAD_MOST_S = 3600.0  # what the timeline tells of later than this from now will not happen
REMEMBERED_S = 3600.0  # of the house; what the timeline tells later than that of a time before is not news
KNOWN_MOST = 64  # edges of one device
BLIND_MOST = 64  # spans


# What became of an edge of the timeline: told because no frame shows that time, as part of a run too short for frames,
# or as the end of a run that only the timeline told of; all else was not told.
Fate = Literal[
    "unobserved_edge", "short_run", "run_ended", "waits", "matched", "frames_decide", "no_change", "undone",
    "thresholds", "no_device",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is known of looking on, and what the timeline said that is not judged yet."""

    known_since: float | None = None  # what the timeline tells of before is no news; None: no frame has been seen, ever
    last_observed_at: float | None = None  # when the newest frame was seen that showed who is off
    last_observed_earliest: float | None = None  # and when that was measured at the earliest
    unobserved: tuple[tuple[float, float], ...] = ()  # spans in which nobody looked, oldest first
    pending_items: tuple[TimelineItem, ...] = ()  # not judged yet
    clock_offsets: tuple[float, ...] = ()  # seconds that the timeline's clock was ahead of the frames', newest last
    fates: tuple[tuple[TimelineItem, Fate], ...] = ()  # what became of the rumours that were judged last

    @property
    def is_continuous(self) -> bool:
        """The last two frames were so close together that nothing happened unseen between them."""
        return self.last_observed_at is not None and not (
            self.unobserved and self.unobserved[-1][1] >= self.last_observed_at
        )

    @property
    def streaming(self) -> bool:
        """Frames come one after the other, but perhaps for a hole of seconds that has just ended."""
        return self.last_observed_at is not None and (
            self.is_continuous or self.unobserved[-1][1] - self.unobserved[-1][0] <= HOLE_MOST_S
        )

    @property
    def knows_offset(self) -> bool:
        return len(self.clock_offsets) >= SAMPLES_LEAST

    @property
    def offset_s(self) -> float:
        return median(self.clock_offsets) if self.knows_offset else 0.0

    @property
    def tolerance_s(self) -> float:
        return NARROW_TOLERANCE_S if self.knows_offset else TOLERANCE_S

    @property
    def grace_s(self) -> float:
        """For frames to show what the timeline told first."""
        return NARROW_TOLERANCE_S + SLACK_S if self.knows_offset else GRACE_S


def look_on(witness: Coverage, time: float, vague_s: float = 0.0) -> Coverage:
    """A frame that shows who is off was seen, measured at `time` or up to `uncertainty_s` before."""
    sure = time - vague_s
    if witness.known_since is None or witness.last_observed_earliest is None:
        return replace(witness, known_since=time, last_observed_at=time, last_observed_earliest=sure)
    blind = witness.unobserved
    if time - witness.last_observed_earliest > LOOKED_ON_S:
        # Polls leave span after span: they are one.
        joins = blind and blind[-1][1] >= witness.last_observed_earliest
        blind = (*blind[:-1], (blind[-1][0], time)) if joins else (*blind, (witness.last_observed_earliest, time))
    horizon = max(witness.known_since, time - REMEMBERED_S)
    kept = tuple(span for span in blind[-BLIND_MOST:] if span[1] >= horizon) if blind else blind
    return replace(witness, last_observed_at=time, last_observed_earliest=sure, unobserved=kept, known_since=horizon)


def hear(
    witness: Coverage, items: Iterable[TimelineItem], known: Mapping[str, Sequence[Known]], present: float
) -> Coverage:
    """Take in what the timeline tells at `present` (seconds UTC), but what is old, of the future, told or waiting."""
    if witness.known_since is None:
        return witness
    since = witness.known_since + witness.offset_s - BRINK_S
    rumours = list(witness.pending_items)
    for item in items:
        edges = known.get(item.device, ())
        is_known = any(is_same_item(item, other) for other in chain(rumours, items_of(edges, item.device)))
        if max(since, _forgotten_until(edges)) < item.time <= present + AHEAD_MOST_S and not is_known:
            rumours.append(item)
    return replace(witness, pending_items=tuple(sorted(rumours, key=lambda item: item.time)))


def add_published(known: Iterable[Known], more: Iterable[Known]) -> tuple[Known, ...]:
    """Return the known edges with more among them: those that the timeline may still tell of, and the newest."""
    edges = sorted((*known, *more), key=lambda edge: edge.time)[-KNOWN_MOST:]
    return tuple(edge for edge in edges if edge.time >= edges[-1].time - REMEMBERED_S - 2 * TOLERANCE_S)


def occurred_at(edge: Known, witness: Coverage) -> float:
    """Return when an edge happened by the frames' clock, as well as both witnesses know."""
    if edge.told is None:
        return edge.time
    time = edge.told - witness.offset_s
    return time if edge.is_exact else min(max(time, edge.earliest), edge.time)


def newest_edge(known: Iterable[Known], witness: Coverage) -> Known | None:
    """Return the edge that happened last, None where there is none."""
    return max(known, key=lambda edge: occurred_at(edge, witness), default=None)


def timeline_state(known: Sequence[Known], witness: Coverage) -> TimelineState | None:
    """Return what the timeline has told of the newest edge of a device, where it has."""
    newest = newest_edge(known, witness)
    if newest is None or newest.told is None:
        return None
    state, time = STATE_AFTER[newest.event_type], occurred_at(newest, witness)
    if not newest.is_exact:
        return TimelineState(state, time, time)
    return TimelineState(state, time + SLACK_S, time + (SLACK_S if witness.knows_offset else NARROW_TOLERANCE_S))


def _forgotten_until(edges: Sequence[Known]) -> float:
    """Return until when a device had edges that are no longer kept: what the timeline tells of then is no news."""
    return max(edges[0].time, edges[0].told or 0.0) if len(edges) >= KNOWN_MOST else 0.0
