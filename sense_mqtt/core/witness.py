"""The timeline as second witness: which of its edges frames have shown, and which only it knows. Pure.

The rule, with its reasons in docs/decisions/0002-two-witnesses.md:
1. An edge that was told is `known`, with the span of time in which it must have happened.
2. Known edges and the timeline's are laid side by side (alignment.py), anew each time. What is left are candidates.
3. In a stream, frames decide: a candidate waits until frames have passed it, and is dropped where they looked on.
   It counts where nobody looked: in a gap, between polls, before the first frame after a start.
4. A candidate that repeats the state before it is no edge; two that undo each other within the hold time are flapping.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from statistics import median

from sense_mqtt.core.alignment import Known, is_same_item, items_of, match
from sense_mqtt.core.rules import DeviceRules
from sense_mqtt.core.timeline import TimelineItem
from sense_mqtt.core.transitions import STATE_AFTER, Certain

LOOKED_ON_S = 3.0  # frames at most so far apart leave nothing unseen between them: six frames missed in a row
SLACK_S = 1.0  # frames carry whole seconds, and the two clocks never quite agree
BRINK_S = 40.0  # what the timeline tells of shortly before the horizon is no news, but may be an edge that was told
TOLERANCE_S = 20.0  # frames lag by 0.7 to 14 s (protocol page, 4.4); until the offset of the two clocks is known
NARROW_TOLERANCE_S = 5.0  # and after
SAMPLES_LEAST, SAMPLES_MOST = 3, 15  # matched edges that tell the offset
GRACE_S = 15.0  # beyond the hold time, for frames to show what the timeline told first
REMEMBERED_S = 3600.0  # of the house; what the timeline tells later than that of a time before is not news
KNOWN_MOST = 64  # edges of one device
BLIND_MOST = 64  # spans


@dataclass(frozen=True, slots=True)
class Witness:
    """What is known of looking on, and what the timeline said that is not judged yet."""

    horizon: float | None = None  # what the timeline tells of before is no news; None: no frame has been seen, ever
    looked: float | None = None  # when the newest frame was seen that showed who is off
    sure: float | None = None  # and when that was measured at the earliest
    blind: tuple[tuple[float, float], ...] = ()  # spans in which nobody looked, oldest first
    rumours: tuple[TimelineItem, ...] = ()  # not judged yet
    offsets: tuple[float, ...] = ()  # seconds that the timeline's clock was ahead of the frames', newest last

    @property
    def watching(self) -> bool:
        """The last two frames were so close together that nothing happened unseen between them."""
        return self.looked is not None and not (self.blind and self.blind[-1][1] >= self.looked)

    @property
    def knows_offset(self) -> bool:
        return len(self.offsets) >= SAMPLES_LEAST

    @property
    def offset_s(self) -> float:
        return median(self.offsets) if self.knows_offset else 0.0

    @property
    def tolerance_s(self) -> float:
        return NARROW_TOLERANCE_S if self.knows_offset else TOLERANCE_S


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the rumours about one device."""

    known: tuple[Known, ...]  # with what was matched
    news: tuple[TimelineItem, ...]  # to be told, oldest first
    waiting: tuple[TimelineItem, ...]
    offsets: tuple[float, ...]  # seconds, of the edges that were matched


def look_on(witness: Witness, time: float, vague_s: float = 0.0) -> Witness:
    """A frame that shows who is off was seen, measured at `time` or up to `vague_s` before."""
    sure = time - vague_s
    if witness.horizon is None or witness.sure is None:
        return replace(witness, horizon=time, looked=time, sure=sure)
    blind = witness.blind
    if time - witness.sure > LOOKED_ON_S:
        # Polls leave span after span: they are one.
        joins = blind and blind[-1][1] >= witness.sure
        blind = (*blind[:-1], (blind[-1][0], time)) if joins else (*blind, (witness.sure, time))
    horizon = max(witness.horizon, time - REMEMBERED_S)
    kept = tuple(span for span in blind[-BLIND_MOST:] if span[1] >= horizon) if blind else blind
    return replace(witness, looked=time, sure=sure, blind=kept, horizon=horizon)


def hear(witness: Witness, items: Iterable[TimelineItem], known: Mapping[str, Sequence[Known]]) -> Witness:
    """Take in what the timeline tells, but what is old, told already or waiting."""
    if witness.horizon is None:
        return witness
    since = witness.horizon + witness.offset_s - BRINK_S
    rumours = list(witness.rumours)
    for item in items:
        edges = known.get(item.device, ())
        is_known = any(is_same_item(item, other) for other in chain(rumours, items_of(edges, item.device)))
        if item.time > max(since, _forgotten_until(edges)) and not is_known:
            rumours.append(item)
    return replace(witness, rumours=tuple(sorted(rumours, key=lambda item: item.time)))


def judge(
    witness: Witness,
    rumours: Sequence[TimelineItem],
    known: Sequence[Known],
    rules: DeviceRules,
    *,
    gap: bool,
    present: float,
) -> Verdict:
    """Return what the rumours about one device mean at `present`, seconds UTC. `gap`: no frames come at present."""
    if rules.on_above_w is not None or rules.off_below_w is not None:
        return Verdict(tuple(known), (), (), ())  # the user's thresholds decide, of which Sense knows nothing
    matched, left = match(rumours, known, witness.offset_s, witness.tolerance_s)
    waiting = [] if gap else [item for item in left if _may_still_be_seen(item, witness, rules, present)]
    unseen = [item for item in left if item not in waiting and _nobody_looked(item, witness, gap=gap)]
    news = _without_flapping(_that_change(unseen, matched, witness), [*matched, *map(_known, waiting)], rules, witness)
    return Verdict(tuple(matched), tuple(news), tuple(waiting), tuple(_offsets(known, matched)))


def remember(known: Iterable[Known], more: Iterable[Known]) -> tuple[Known, ...]:
    """Return the known edges with more among them: those that the timeline may still tell of, and the newest."""
    edges = sorted((*known, *more), key=lambda edge: edge.time)[-KNOWN_MOST:]
    return tuple(edge for edge in edges if edge.time >= edges[-1].time - REMEMBERED_S - 2 * TOLERANCE_S)


def happened(edge: Known, witness: Witness) -> float:
    """Return when an edge happened by the frames' clock, as well as both witnesses know."""
    if edge.told is None:
        return edge.time
    time = edge.told - witness.offset_s
    return time if edge.is_exact else min(max(time, edge.earliest), edge.time)


def newest_of(known: Iterable[Known], witness: Witness) -> Known | None:
    """Return the edge that happened last, None where there is none."""
    return max(known, key=lambda edge: happened(edge, witness), default=None)


def certain_of(known: Sequence[Known], witness: Witness) -> Certain | None:
    """Return what the timeline has told of the newest edge of a device, where it has."""
    newest = newest_of(known, witness)
    if newest is None or newest.told is None:
        return None
    state, time = STATE_AFTER[newest.event_type], happened(newest, witness)
    if not newest.is_exact:
        return Certain(state, time, time)
    return Certain(state, time + SLACK_S, time + (SLACK_S if witness.knows_offset else NARROW_TOLERANCE_S))


def _offsets(before: Iterable[Known], matched: Iterable[Known]) -> Iterator[float]:
    for old, new in zip(before, matched, strict=True):
        if old.told is None and new.told is not None and new.time - new.earliest <= LOOKED_ON_S:
            yield new.told - new.time


# --- which of the others are news


def _may_still_be_seen(item: TimelineItem, witness: Witness, rules: DeviceRules, present: float) -> bool:
    hold_s = rules.on_delay_s if item.edge == "turned_on" else rules.off_delay_s
    time = item.time - witness.offset_s
    if witness.looked is not None and witness.watching:
        return time > witness.looked - GRACE_S - hold_s
    return time > present - hold_s  # it may yet turn out to be flapping


def _nobody_looked(item: TimelineItem, witness: Witness, *, gap: bool) -> bool:
    time, slack_s = item.time - witness.offset_s, witness.tolerance_s
    if witness.horizon is not None and time <= witness.horizon:
        return False
    if (gap or not witness.watching) and (witness.sure is None or time >= witness.sure - slack_s):
        return True
    return any(start - slack_s <= time <= end + slack_s for start, end in witness.blind)


def _that_change(items: Iterable[TimelineItem], known: Sequence[Known], witness: Witness) -> Iterator[TimelineItem]:
    before = list(_in_time(known, witness))
    for item in sorted(items, key=lambda item: item.time):
        time = item.time - witness.offset_s
        earlier = [edge for edge in before if edge[0] <= time]
        if not earlier or max(earlier)[1] != item.edge:
            before.append((time, item.edge))
            yield item


def _in_time(known: Sequence[Known], witness: Witness) -> Iterator[tuple[float, str]]:
    """Yield when each edge happened, and what: one that only a frame told was before the next that a frame told."""
    latest = math.inf
    for edge in reversed(known):
        time = happened(edge, witness)
        if not edge.is_exact:
            latest = time = time if edge.told is not None else min(time, math.nextafter(latest, 0.0))
        yield time, edge.event_type


def _without_flapping(
    news: Iterable[TimelineItem], others: Sequence[Known], rules: DeviceRules, witness: Witness
) -> list[TimelineItem]:
    kept: list[TimelineItem] = []
    for item in news:
        if kept and _undoes(kept[-1], item, others, rules, witness):
            kept.pop()
        else:
            kept.append(item)
    return kept


def _undoes(
    first: TimelineItem, second: TimelineItem, others: Sequence[Known], rules: DeviceRules, witness: Witness
) -> bool:
    hold_s = rules.on_delay_s if first.edge == "turned_on" else rules.off_delay_s
    if second.time - first.time >= hold_s or (first.edge == "turned_on") == (second.edge == "turned_on"):
        return False
    begin, end = first.time - witness.offset_s, second.time - witness.offset_s
    return not any(begin < happened(edge, witness) < end for edge in others)


def _known(item: TimelineItem) -> Known:
    return Known(item.edge, item.time, item.time, told=item.time, guid=item.guid)


def _forgotten_until(edges: Sequence[Known]) -> float:
    """Return until when a device had edges that are no longer kept: what the timeline tells of then is no news."""
    return max(edges[0].time, edges[0].told or 0.0) if len(edges) >= KNOWN_MOST else 0.0
