"""What Sense's timeline tells of a house: heard, judged beside what frames showed, and told where only it knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from sense_mqtt.core.changes import Event
from sense_mqtt.core.home.record import record
from sense_mqtt.core.home.state import Device, Home, Policy
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.transitions.alignment import Known, is_same_item, items_of, unmatch
from sense_mqtt.core.transitions.coverage import SAMPLES_MOST, Coverage, Fate, hear, newest_edge, occurred_at
from sense_mqtt.core.transitions.on_off import EVENT_TYPES, STATE_AFTER, SwitchState, Transition
from sense_mqtt.core.transitions.reconcile import Verdict, judge
from sense_mqtt.core.wire.frames import TimelineChange
from sense_mqtt.core.wire.timeline import TimelineItem

STRANGER_S = 300.0  # an edge of a device that nobody has heard of waits so long for the device


@dataclass(frozen=True, slots=True)
class TimelineRead:
    """What the timeline tells, back to what is known."""

    items: tuple[TimelineItem, ...]


def add_items(home: Home, seen: TimelineRead | TimelineChange, now: Moment) -> Home:
    """Remember what the timeline tells, until it is judged, and forget what it takes back before it was told."""
    items = seen.items if isinstance(seen, TimelineRead) else (*seen.added, *seen.updated)
    home = _take_back(home, _removed(seen, items)) if isinstance(seen, TimelineChange) and seen.removed else home
    known = {identity: device.known for identity, device in home.devices.items()}
    return replace(
        home, coverage=hear(home.coverage, items, known, max(now.wall, home.coverage.last_observed_at or 0.0))
    )


def _removed(change: TimelineChange, items: Sequence[TimelineItem]) -> Mapping[str, Sequence[TimelineItem]]:
    """Return what was removed, by device, and not merely rewritten: a run takes in the item of its end."""
    gone = [item for item in change.removed if not any(is_same_item(item, other) for other in items)]
    return {device: list(group) for device, group in groupby(sorted(gone, key=_device), key=_device)}


def _device(item: TimelineItem) -> str:
    return item.device


def _take_back(home: Home, removed: Mapping[str, Sequence[TimelineItem]]) -> Home:
    rumours = tuple(
        rumour
        for rumour in home.coverage.pending_items
        if not any(is_same_item(rumour, item) for item in removed.get(rumour.device, ()))
    )
    devices = {
        identity: device._replace(known=unmatch(device.known, removed[identity])) if identity in removed else device
        for identity, device in home.devices.items()
    }
    return replace(home, devices=devices, coverage=replace(home.coverage, pending_items=rumours))


def is_told(transition: Transition, device: Device, home: Home) -> bool:
    """Say whether the timeline told of this edge before a frame that surely showed it."""
    newest = newest_edge(device.known, home.coverage)
    if newest is None or not newest.is_exact or newest.event_type != transition.event_type:
        return False
    time = occurred_at(newest, home.coverage)
    # Two edges of one type have another between them, which nobody told: one so near is the same, by another clock.
    return time >= transition.before or abs(transition.time - time) <= home.coverage.tolerance_s


def reconcile_all(home: Home, now: Moment, policy: Policy) -> tuple[Home, list[Event]]:
    """Return what is known once all was judged that can be, and the events that only the timeline knows."""
    if not home.coverage.pending_items:
        return home, []
    devices, events = dict(home.devices), []
    waiting: list[TimelineItem] = []
    offsets, fates = home.coverage.clock_offsets, list[tuple[TimelineItem, Fate]]()
    by_device = sorted(home.coverage.pending_items, key=lambda item: (item.device, item.time))
    for identity, group in groupby(by_device, key=lambda item: item.device):
        rumours, device = list(group), home.devices.get(identity)
        if device is None or device.is_virtual:
            waiting += [item for item in rumours if _may_yet_be_known(item, home, policy)]
            fates += [(item, "no_device") for item in rumours]
            continue
        verdict = _judge(home, device, rumours, now, policy)
        devices[identity], told = _tell(home, device, verdict, now)
        waiting += verdict.waiting
        offsets = (*offsets, *verdict.clock_offsets)[-SAMPLES_MOST:]
        fates += verdict.fates
        events += told
    rumours_left = tuple(sorted(waiting, key=lambda item: item.time))
    witness = replace(home.coverage, pending_items=rumours_left, clock_offsets=offsets, fates=tuple(fates))
    return replace(home, devices=devices, coverage=witness), sorted(events, key=lambda event: event.time)


def _may_yet_be_known(item: TimelineItem, home: Home, policy: Policy) -> bool:
    if item.device in home.hidden or policy.rules(item.device).ignore or item.device in home.devices:
        return False
    return home.coverage.last_observed_at is None or item.time > home.coverage.last_observed_at - STRANGER_S


def _judge(home: Home, device: Device, rumours: Sequence[TimelineItem], now: Moment, policy: Policy) -> Verdict:
    """Judge beside what frames have shown, a change included that is still held back: its rumour waits with it."""
    pending = device.switch.held
    held_back = [Known(EVENT_TYPES[pending.state], pending.first.time, pending.earliest)] if pending else []
    known, rules = (*device.known, *held_back), policy.rules(device.info.id)
    verdict = judge(home.coverage, rumours, known, rules, gap=home.gap, present=now.wall, on=bool(device.on))
    if not held_back:
        return verdict
    taken = items_of(verdict.known[-1:], device.info.id)
    return replace(verdict, known=verdict.known[:-1], waiting=(*verdict.waiting, *taken))


def _tell(home: Home, device: Device, verdict: Verdict, now: Moment) -> tuple[Device, list[Event]]:
    device = device._replace(known=verdict.known)
    events: list[Event] = []
    for item in verdict.news:
        transition = _transition(device, item, home.coverage)
        device, told = record(home.monitor, _switch(home, device, item), transition, now)
        events += told
    return device, events


def _switch(home: Home, device: Device, item: TimelineItem) -> Device:
    """Return the device as it is after this edge; frames that are newer know better."""
    witness, time = home.coverage, item.time - home.coverage.offset_s
    newest = newest_edge(device.known, witness)
    known_until = occurred_at(newest, witness) if newest else device.switch.since
    if any(
        before is not None and time <= before
        for before in (known_until, None if home.gap else witness.last_observed_at)
    ):
        return device
    state = STATE_AFTER[item.edge]
    power_w = 0.0 if state == "off" else None  # how much it draws, only a frame can tell
    return device._replace(switch=SwitchState(state, time, last=device.switch.last), power_w=power_w)


def _transition(device: Device, item: TimelineItem, witness: Coverage) -> Transition:
    time = item.time - witness.offset_s
    last = newest_edge((edge for edge in device.known if occurred_at(edge, witness) < time), witness)
    return Transition(
        event_type=item.edge,
        time=item.time,
        power_w=0.0 if item.edge == "turned_off" else None,
        source="timeline",
        duration_s=_run_s(last, time, witness) if item.edge != "turned_on" else None,
        earliest=item.time,
        before=item.time,
        told=item.time,
        guid=item.guid,
    )


def _run_s(last: Known | None, time: float, witness: Coverage) -> float | None:
    if last is None or last.event_type != "turned_on":
        return None
    return time - occurred_at(last, witness)
