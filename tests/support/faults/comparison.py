"""Received events, compared with the truth: delivered, missing, doubled, invented, out of order, wrong time. Pure.

How exact a time must be depends on the event's source: a `frame` comes within half a second of the truth and tells its
time in whole seconds, the fraction cut off; the `timeline` is right but for its clock's offset; `reconnect` is right
when it is not before the truth and not after the next moment at which the bridge had surely seen a frame.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sense_mqtt.simulator.house.model import TrueTransition

FRAME_S = 0.502  # between two frames; and what keeps two edges of one second apart
CUT_OFF_S = 1.0  # a frame's epoch has no fraction
ROUNDING_S = 0.002
STALE_S = 8.0  # so long a stalled line may have held what was sent before a new connection
DELIVERY_S = 0.5  # what a killed process had sent arrives so long after
FAR_S = 60.0  # an event further from the truth than that tells of nothing true


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """One arrival of an event."""

    at: float  # monotonic
    id: str
    device: str
    kind: str
    time: float  # seconds UTC, as told
    source: str
    late: bool


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the harness knows beside the truth. House seconds, but for `kill_spans` and `connections` (monotonic)."""

    checkpoints: Sequence[float] = ()  # by then a frame of that time had surely been looked at
    lossy_spans: Sequence[tuple[float, float]] = ()  # frames were lost, spoiled or could not be kept
    offset_s: float = 0.0  # of the timeline's clock
    lag_s: float | None = None  # where frames are polled: they are told with the time at which they come
    kill_spans: Sequence[tuple[float, float]] = ()  # within each the bridge or the broker was killed, and started again
    connections: Sequence[
        float
    ] = ()  # when the bridge connected to the broker: the acknowledgements before may be lost


@dataclass(slots=True)
class Comparison:
    """The figures, with what is wrong in words."""

    transitions: int = 0
    delivered: int = 0
    missing: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)
    wrong_time: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    doubled_for_no_reason: list[str] = field(default_factory=list)
    doubled_after_kill: int = 0
    doubled_after_cut: int = 0  # QoS 1: the broker had it, and the acknowledgement was lost
    sources: dict[str, int] = field(default_factory=dict)
    errors_s: dict[str, float] = field(default_factory=dict)  # by source, the largest


def read(at: float, event: dict[str, Any]) -> ReceivedEvent:
    """Return an event as it was received; one that lacks something tells of nothing true."""
    try:
        time = datetime.fromisoformat(event["time"]).timestamp()
        return ReceivedEvent(
            at, event["id"], event["device"], event["event_type"], time, event["source"], event["late"]
        )
    except (KeyError, TypeError, ValueError):
        return ReceivedEvent(at, repr(event), "", "unreadable", 0.0, "", late=False)


def compare(
    truth: Sequence[TrueTransition],
    optional: Sequence[TrueTransition],
    received: Sequence[ReceivedEvent],
    known: Conditions,
) -> Comparison:
    """Compare all that was received with the truth; what is `optional` may be told and need not."""
    received = [event for event in received if event.kind != "cycle_finished"]  # that tells of no transition of its own
    comparison = Comparison(transitions=len(truth))
    first = _count_doubles(received, known, comparison)
    _find_disorder(first, comparison)
    everything = sorted([*truth, *optional], key=lambda transition: transition.at)
    left = _match(everything, first, known, comparison)
    must = set(map(_name, truth))
    comparison.missing = [_describe(transition) for transition in left if _name(transition) in must]
    comparison.delivered = len(truth) - len(comparison.missing)
    return comparison


def _name(transition: TrueTransition) -> tuple[str, str, float]:
    return transition.device, transition.kind, transition.at


def _describe(transition: TrueTransition) -> str:
    return f"{transition.device} {transition.kind} {transition.at:.3f}"


# --- doubled, out of order


def _count_doubles(received: Sequence[ReceivedEvent], known: Conditions, comparison: Comparison) -> list[ReceivedEvent]:
    """Return the first arrival of each id."""
    seen: dict[str, ReceivedEvent] = {}
    for event in received:
        before = seen.setdefault(event.id, event)
        if before is event:
            continue
        if _meets(((began, ended + DELIVERY_S) for began, ended in known.kill_spans), before.at, event.at):
            comparison.doubled_after_kill += 1
        elif any(before.at - STALE_S <= connection <= event.at for connection in known.connections):
            comparison.doubled_after_cut += 1
        else:
            comparison.doubled_for_no_reason.append(f"{event.device} {event.kind} {event.time:.3f} {event.id}")
    return list(seen.values())


def _find_disorder(received: Iterable[ReceivedEvent], comparison: Comparison) -> None:
    newest: dict[str, ReceivedEvent] = {}
    for event in received:
        before = newest.get(event.device)
        if before is not None and event.time < before.time and not event.late:
            comparison.out_of_order.append(
                f"{event.device} {event.kind} {event.time:.3f} {event.source} after {before.kind} {before.time:.3f} "
                f"{before.source}"
            )
        if before is None or event.time >= before.time:
            newest[event.device] = event


# --- matching


def _match(
    truth: Sequence[TrueTransition], received: Sequence[ReceivedEvent], known: Conditions, comparison: Comparison
) -> list[TrueTransition]:
    """Give each event its transition, first where the time is right, then where it is not; return what is left."""
    left, unmatched = _take(truth, received, lambda event, transition: _fits(event, transition, known), comparison)
    left, lost = _take(left, unmatched, lambda event, transition: abs(event.time - transition.at) <= FAR_S, comparison)
    comparison.wrong_time = [f"{e.device} {e.kind} {e.time:.3f} {e.source}" for e in unmatched if e not in lost]
    comparison.invented = [f"{e.device} {e.kind} {e.time:.3f} {e.source}" for e in lost]
    return left


def _take(
    truth: Sequence[TrueTransition],
    received: Sequence[ReceivedEvent],
    fits: Callable[[ReceivedEvent, TrueTransition], bool],
    comparison: Comparison,
) -> tuple[list[TrueTransition], list[ReceivedEvent]]:
    """Give as many events as possible a transition that fits; return the transitions and the events that found none."""
    by_kind: dict[tuple[str, str], list[TrueTransition]] = {}
    for transition in truth:
        by_kind.setdefault((transition.device, transition.kind), []).append(transition)
    fitting = {
        event: sorted(
            (each for each in by_kind.get((event.device, event.kind), ()) if fits(event, each)),
            key=lambda each: abs(event.time - each.at),
        )
        for event in received
    }
    owner: dict[TrueTransition, ReceivedEvent] = {}
    # Who has an owner keeps one: those whose time says most come first.
    exact_first = sorted(received, key=lambda event: event.source != "timeline")
    unmatched = [event for event in exact_first if not _find(event, fitting, owner, set())]
    for transition, event in owner.items():
        comparison.sources[event.source] = comparison.sources.get(event.source, 0) + 1
        error_s = abs(event.time - transition.at)
        comparison.errors_s[event.source] = max(comparison.errors_s.get(event.source, 0.0), error_s)
    return [transition for transition in truth if transition not in owner], unmatched


def _find(
    event: ReceivedEvent,
    fitting: Mapping[ReceivedEvent, Sequence[TrueTransition]],
    owner: dict[TrueTransition, ReceivedEvent],
    tried: set[TrueTransition],
) -> bool:
    """Give the event a transition, whose owner takes another one where it can (Kuhn's algorithm)."""
    for transition in fitting[event]:
        if transition in tried:
            continue
        tried.add(transition)
        if transition not in owner or _find(owner[transition], fitting, owner, tried):
            owner[transition] = event
            return True
    return False


def _fits(event: ReceivedEvent, transition: TrueTransition, known: Conditions) -> bool:
    error_s = event.time - transition.at
    if event.source == "timeline":
        return abs(error_s - known.offset_s) <= ROUNDING_S
    if event.source == "reconnect" or known.lag_s is not None or _meets(known.lossy_spans, transition.at, event.time):
        looks = 1 if known.lag_s is None else 2  # a polled frame may be older than what the timeline told already
        latest = _seen_by(transition.at, looks, known) + FRAME_S + (known.lag_s or 0.0)
        # Of two that a poll may mean, the bridge cannot tell which while it does not know the timeline's clock.
        blur_s = CUT_OFF_S if known.lag_s is None else CUT_OFF_S + abs(known.offset_s)
        return transition.at - blur_s <= event.time <= latest
    return -CUT_OFF_S <= error_s <= FRAME_S


def _meets(spans: Iterable[tuple[float, float]], begin: float, end: float) -> bool:
    return any(since <= end and begin <= until for since, until in spans)


def _seen_by(at: float, looks: int, known: Conditions) -> float:
    index = bisect_left(known.checkpoints, at) + looks - 1
    return known.checkpoints[index] if index < len(known.checkpoints) else float("inf")
