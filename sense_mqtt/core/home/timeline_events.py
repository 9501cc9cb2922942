"""Sense's timeline of one home: items wait until they can be decided, and those that only it knows become events."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, groupby

import msgspec
from msgspec.structs import replace

from sense_mqtt.core.bounds import MAX_PENDING_ITEMS
from sense_mqtt.core.changes import Event
from sense_mqtt.core.edges import Edge, EdgeKind
from sense_mqtt.core.home.record import record
from sense_mqtt.core.home.state import Device, Home, Policy
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.transitions.alignment import is_same_item, items_of, unmatch
from sense_mqtt.core.transitions.coverage import Coverage
from sense_mqtt.core.transitions.on_off import Context, Transition, follow_timeline
from sense_mqtt.core.transitions.published_edges import forgotten_until, newest_edge, occurred_at
from sense_mqtt.core.transitions.reconcile import Decision, Reconciliation, reconcile
from sense_mqtt.core.transitions.timing import KNOWN_SINCE_MARGIN_S, MAX_FUTURE_S, UNKNOWN_DEVICE_TIMEOUT_S
from sense_mqtt.core.wire.frames import TimelineChange


class TimelineRead(msgspec.Struct, frozen=True):
    """What REST tells of the timeline, back to what is known."""

    items: tuple[Edge, ...]


# --- items come


def add_items(home: Home, seen: TimelineRead | TimelineChange, now: Moment) -> Home:
    """Return the home with these items pending, and without those that Sense removed before they were published."""
    items = seen.items if isinstance(seen, TimelineRead) else (*seen.added, *seen.updated)
    home = _without(home, _removed(seen, items)) if isinstance(seen, TimelineChange) and seen.removed else home
    if home.coverage.known_since is None:
        return home
    pending = list(home.pending_items)
    for item in items:
        if _may_be_new(item, home, pending, now):
            pending.append(item)
    return replace(home, pending_items=_by_time(pending)[-MAX_PENDING_ITEMS:])


def _may_be_new(item: Edge, home: Home, pending: Sequence[Edge], now: Moment) -> bool:
    """False for an item that is old, in the future, published or pending already."""
    coverage, device = home.coverage, home.devices.get(item.device)
    edges = device.edges if device else ()
    since = (coverage.known_since or 0.0) + coverage.offset_s - KNOWN_SINCE_MARGIN_S
    until = max(now.wall, coverage.last_observed_at or 0.0) + MAX_FUTURE_S
    if not max(since, forgotten_until(edges)) < item.time <= until:
        return False
    return not any(is_same_item(item, other) for other in chain(pending, items_of(edges)))


def _removed(change: TimelineChange, items: Sequence[Edge]) -> Mapping[str, Sequence[Edge]]:
    """Return what was removed, by device, and not merely rewritten: a run takes in the item of its end."""
    return dict(_by_device([item for item in change.removed if not any(is_same_item(item, other) for other in items)]))


def _without(home: Home, removed: Mapping[str, Sequence[Edge]]) -> Home:
    pending = tuple(
        item
        for item in home.pending_items
        if not any(is_same_item(item, other) for other in removed.get(item.device, ()))
    )
    devices = {
        identity: replace(device, edges=unmatch(device.edges, removed[identity])) if identity in removed else device
        for identity, device in home.devices.items()
    }
    return replace(home, devices=devices, pending_items=pending)


def _by_time(items: Sequence[Edge]) -> tuple[Edge, ...]:
    return tuple(sorted(items, key=lambda item: item.time))


def _by_device(items: Sequence[Edge]) -> Iterator[tuple[str, list[Edge]]]:
    ordered = sorted(items, key=lambda item: (item.device, item.time))
    return ((device, list(group)) for device, group in groupby(ordered, key=lambda item: item.device))


# --- items are decided


def reconcile_all(home: Home, now: Moment, policy: Policy) -> tuple[Home, list[Event]]:
    """Return the home once all was decided that can be, and the events that only the timeline knows."""
    if not home.pending_items:
        return home, []
    devices, events = dict(home.devices), list[Event]()
    pending, decisions = list[Edge](), list[tuple[Edge, Decision]]()
    coverage = home.coverage
    for identity, items in _by_device(home.pending_items):
        device = home.devices.get(identity)
        if device is None or device.is_virtual:
            pending += [item for item in items if _may_yet_be_known(item, home, policy)]
            decisions += [(item, Decision.DROP_NO_DEVICE) for item in items]
            continue
        result = _reconcile(home, device, items, now, policy)
        devices[identity], published = _publish(home, device, result, now)
        pending += result.pending
        coverage = coverage.with_offsets(result.clock_offsets)
        decisions += result.decisions
        events += published
    home = replace(
        home, devices=devices, coverage=coverage, pending_items=_by_time(pending), decisions=tuple(decisions)
    )
    return home, sorted(events, key=lambda event: event.time)


def _may_yet_be_known(item: Edge, home: Home, policy: Policy) -> bool:
    if item.device in home.hidden or policy.rules(item.device).ignore or item.device in home.devices:
        return False
    newest = home.coverage.last_observed_at
    return newest is None or item.time > newest - UNKNOWN_DEVICE_TIMEOUT_S


def _reconcile(home: Home, device: Device, items: Sequence[Edge], now: Moment, policy: Policy) -> Reconciliation:
    """Reconcile with what frames have shown, a change included that is still held back: its item waits with it."""
    held = [device.switch.held.edge(device.info.id)] if device.switch.held else []
    context = Context(device.info.id, policy.rules(device.info.id), (*device.edges, *held), home.coverage)
    result = reconcile(items, context, now.wall, is_on=bool(device.is_on))
    if not held:
        return result
    waiting = items_of(result.edges[-1:])
    return replace(result, edges=result.edges[:-1], pending=(*result.pending, *waiting))


def _publish(home: Home, device: Device, result: Reconciliation, now: Moment) -> tuple[Device, list[Event]]:
    device = replace(device, edges=result.edges)
    events: list[Event] = []
    for item in result.new_events:
        transition = _transition(device, item, home.coverage)
        device, event = record(_switch(device, item, home.coverage), transition, now)
        events.append(event)
    return device, events


def _switch(device: Device, item: Edge, coverage: Coverage) -> Device:
    """Return the device as it is after this edge; frames that are newer know better."""
    time, newest = item.time - coverage.offset_s, newest_edge(device.edges, coverage)
    known_until = occurred_at(newest, coverage) if newest else device.switch.since
    observed_until = None if coverage.is_interrupted else coverage.last_observed_at
    if any(until is not None and time <= until for until in (known_until, observed_until)):
        return device
    power_w = 0.0 if item.kind is EdgeKind.TURNED_OFF else None  # how much it draws, only a frame can tell
    return replace(device, switch=follow_timeline(device.switch, item, time), power_w=power_w)


def _transition(device: Device, item: Edge, coverage: Coverage) -> Transition:
    time = item.time - coverage.offset_s
    last = newest_edge((edge for edge in device.edges if occurred_at(edge, coverage) < time), coverage)
    ends_run = item.kind is not EdgeKind.TURNED_ON and last is not None and last.kind is EdgeKind.TURNED_ON
    return Transition(
        item,
        power_w=0.0 if item.kind is EdgeKind.TURNED_OFF else None,
        source="timeline",
        duration_s=time - occurred_at(last, coverage) if ends_run and last else None,
    )
