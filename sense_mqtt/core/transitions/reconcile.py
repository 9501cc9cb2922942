"""Which of the timeline's edges are news: judged beside those that were told. Pure.

The rule, with its reasons in docs/decisions/0002-two-witnesses.md:
1. An edge that was told is `known`, with the span of time in which it must have happened.
2. Known edges and the timeline's are laid side by side (alignment.py), anew each time. What is left are candidates.
3. In a stream, frames decide: a candidate waits until frames have passed it, and is dropped where they looked on.
   It counts where nobody looked (in a gap, between polls), and where it is of a whole short run that frames missed.
4. A candidate that repeats the state before it is no edge; two that undo each other within a hold time longer than
   FLICKER_S are flapping, as the user wants it.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.transitions.alignment import Known, match
from sense_mqtt.core.transitions.coverage import LOOKED_ON_S, Coverage, Fate, occurred_at
from sense_mqtt.core.wire.timeline import TimelineItem

FLICKER_S = 2.0  # hold times up to the default one are for frames that leave a device out; the timeline has whole runs
SHORT_RUN_S = 60.0  # a longer one shows in frames: Sense takes some ten seconds to detect one (INVARIANTS 12)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the rumours about one device."""

    known: tuple[Known, ...]  # with what was matched
    news: tuple[TimelineItem, ...]  # to be told, oldest first
    waiting: tuple[TimelineItem, ...]
    clock_offsets: tuple[float, ...]  # seconds, of the edges that were matched
    fates: tuple[tuple[TimelineItem, Fate], ...]  # why, for each


def judge(
    witness: Coverage,
    rumours: Sequence[TimelineItem],
    known: Sequence[Known],
    rules: DeviceRules,
    *,
    gap: bool,
    present: float,
    on: bool,
) -> Verdict:
    """Return what the rumours about one device mean at `present`, seconds UTC.

    `gap`: no frames come at present. `on`: what the last one showed.
    """
    if rules.on_above_w is not None or rules.off_below_w is not None:
        # The user's thresholds decide, of which Sense knows nothing.
        return Verdict(tuple(known), (), (), (), tuple((item, "thresholds") for item in rumours))
    matched, left = match(rumours, known, witness.offset_s, witness.tolerance_s)
    fresh = [] if gap else [item for item in left if _may_still_be_seen(item, witness, rules, present)]
    passed = [item for item in left if item not in fresh]
    missed = [item for run in _short_runs(left, matched, witness, on=on) if run[1] in passed for item in run]
    counted = [i for i in passed if _nobody_looked(i, witness, gap=gap) or i in missed or _ends_a_told_run(i, matched)]
    waiting = [*fresh, *(item for item in passed if item not in counted and _may_begin_a_short_run(item, witness))]
    changing = list(_that_change(counted, matched, witness))
    news = _without_flapping(changing, [*matched, *map(_known, waiting)], rules, witness)
    fates = _fates(
        ("matched", rumours),
        ("frames_decide", passed),
        ("no_change", counted),
        ("undone", changing),
        ("run_ended", news),
        ("short_run", [item for item in news if item in missed]),
        ("unobserved_edge", [item for item in news if _nobody_looked(item, witness, gap=gap)]),
        ("waits", waiting),
    )
    return Verdict(tuple(matched), tuple(news), tuple(waiting), tuple(_offsets(known, matched)), fates)


def _fates(*steps: tuple[Fate, Sequence[TimelineItem]]) -> tuple[tuple[TimelineItem, Fate], ...]:
    """Return what became of each item: by the last step that has it."""
    return tuple({item: fate for fate, items in steps for item in items}.items())


def _offsets(before: Iterable[Known], matched: Iterable[Known]) -> Iterator[float]:
    for old, new in zip(before, matched, strict=True):
        if old.told is None and new.told is not None and new.time - new.earliest <= LOOKED_ON_S:
            yield new.told - new.time


# --- which of the others are news


def _may_still_be_seen(item: TimelineItem, witness: Coverage, rules: DeviceRules, present: float) -> bool:
    hold_s = rules.on_delay_s if item.edge == "turned_on" else rules.off_delay_s
    time = item.time - witness.offset_s
    if witness.last_observed_at is not None and witness.streaming:
        return time > witness.last_observed_at - witness.grace_s - hold_s
    return time > present - hold_s  # it may yet turn out to be flapping


def _may_begin_a_short_run(item: TimelineItem, witness: Coverage) -> bool:
    """Say whether its end, which would show that it was one, may still come."""
    newest = witness.last_observed_at if witness.last_observed_at is not None else math.inf
    return item.edge == "turned_on" and item.time - witness.offset_s > newest - witness.grace_s - SHORT_RUN_S


def _ends_a_told_run(item: TimelineItem, known: Sequence[Known]) -> bool:
    """Say whether it is the end of a run of which only the timeline told that it began."""
    before = [edge for edge in known if edge.time < item.time]
    return item.edge != "turned_on" and bool(before) and before[-1].is_exact and before[-1].event_type == "turned_on"


def _nobody_looked(item: TimelineItem, witness: Coverage, *, gap: bool) -> bool:
    time, slack_s = item.time - witness.offset_s, witness.tolerance_s
    if witness.known_since is not None and time <= witness.known_since:
        return False
    if (gap or not witness.is_continuous) and (
        witness.last_observed_earliest is None or time >= witness.last_observed_earliest - slack_s
    ):
        return True
    return any(start - slack_s <= time <= end + slack_s for start, end in witness.unobserved)


def _short_runs(
    items: Sequence[TimelineItem], known: Sequence[Known], witness: Coverage, *, on: bool
) -> Iterator[tuple[TimelineItem, TimelineItem]]:
    """Yield the edges of each whole run near which frames showed nothing but that the device was off."""
    for first, second in pairwise(items):
        is_run = first.edge == "turned_on" != second.edge and second.time - first.time <= SHORT_RUN_S
        begin, end = first.time - witness.offset_s, second.time - witness.offset_s
        is_before_all = witness.known_since is not None and begin <= witness.known_since
        if is_run and not is_before_all and not _was_on(begin, end, known, witness, on=on):
            yield first, second


def _was_on(begin: float, end: float, known: Sequence[Known], witness: Coverage, *, on: bool) -> bool:
    """Say whether a device was on at some time of this span, or may have been as far as the clocks are known."""
    edges = [(occurred_at(edge, witness), edge.event_type == "turned_on") for edge in known]
    if any(begin - witness.tolerance_s <= time <= end + witness.tolerance_s for time, _ in edges):
        return True
    before, after = [is_on for time, is_on in edges if time < begin], [is_on for time, is_on in edges if time > end]
    return before[-1] if before else not after[0] if after else on


def _that_change(items: Iterable[TimelineItem], known: Sequence[Known], witness: Coverage) -> Iterator[TimelineItem]:
    before = list(_in_time(known, witness))
    for item in sorted(items, key=lambda item: item.time):
        time = item.time - witness.offset_s
        earlier = [edge for edge in before if edge[0] <= time]
        if not earlier or max(earlier)[1] != item.edge:
            before.append((time, item.edge))
            yield item


def _in_time(known: Sequence[Known], witness: Coverage) -> Iterator[tuple[float, str]]:
    """Yield when each edge happened, and what: one that only a frame told was before the next that a frame told."""
    latest = math.inf
    for edge in reversed(known):
        time = occurred_at(edge, witness)
        if not edge.is_exact:
            latest = time = time if edge.told is not None else min(time, math.nextafter(latest, 0.0))
        yield time, edge.event_type


def _without_flapping(
    news: Iterable[TimelineItem], others: Sequence[Known], rules: DeviceRules, witness: Coverage
) -> list[TimelineItem]:
    kept: list[TimelineItem] = []
    for item in news:
        if kept and _undoes(kept[-1], item, others, rules, witness):
            kept.pop()
        else:
            kept.append(item)
    return kept


def _undoes(
    first: TimelineItem, second: TimelineItem, others: Sequence[Known], rules: DeviceRules, witness: Coverage
) -> bool:
    hold_s = rules.on_delay_s if first.edge == "turned_on" else rules.off_delay_s
    if (
        hold_s <= FLICKER_S
        or second.time - first.time >= hold_s
        or (first.edge == "turned_on") == (second.edge == "turned_on")
    ):
        return False
    begin, end = first.time - witness.offset_s, second.time - witness.offset_s
    return not any(begin < occurred_at(edge, witness) < end for edge in others)


def _known(item: TimelineItem) -> Known:
    return Known(item.edge, item.time, item.time, told=item.time, guid=item.guid)
