"""Why something was published or not: read off a home before and after, for the log at debug."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from sense_mqtt.core.changes import Change, Event, Reading
from sense_mqtt.core.edges import Edge, State
from sense_mqtt.core.home.identities import Identities
from sense_mqtt.core.home.state import Device, DevicesListed, Home
from sense_mqtt.core.home.timeline_events import TimelineRead
from sense_mqtt.core.wire.frames import TimelineChange


class Reason(Struct, frozen=True):
    """What one observation led to, and why."""

    device: str | None  # None: it is of the house
    what: str  # which; the bridge has the words
    time: float | None = None  # seconds UTC at the house
    facts: Mapping[str, Any] = field(default_factory=dict)


def explain(before: Home, after: Home, seen: object, changes: Iterable[Change]) -> Iterator[Reason]:
    """Yield the reasons of `changes`, and of what was not published."""
    changes = tuple(changes)
    yield from _of_the_house(before, after, seen, changes)
    published = [change for change in changes if isinstance(change, Event)]
    for identity, device in after.devices.items():
        known = before.devices.get(identity)
        if known is not None and known.switch is not device.switch:
            yield from _of_a_device(known, device, is_published=any(event.device == identity for event in published))
    yield from _of_the_timeline(before, after, seen)
    yield from (_of_an_event(event, after) for event in published)


def _of_the_house(before: Home, after: Home, seen: object, changes: Iterable[Change]) -> Iterator[Reason]:
    old, new = before.coverage, after.coverage
    if new.is_interrupted != old.is_interrupted:
        yield Reason(None, "gap_begins" if new.is_interrupted else "gap_ends", new.last_epoch)
    if new.older_frame_seen and not old.older_frame_seen:
        yield Reason(None, "older_frame", new.last_epoch)
    if new.unobserved[-1:] not in ((), old.unobserved[-1:]):
        start, end = new.unobserved[-1]
        yield Reason(None, "unobserved", start, {"seconds": end - start})
    for change in changes:
        if isinstance(change, Reading) and change.key == "availability":
            yield Reason(None, "online" if change.value else "offline")
    yield from _of_the_ids(before.identities, after.identities)
    if isinstance(seen, DevicesListed):
        yield Reason(None, "listed", facts={"devices": len(seen.rows)})


def _of_the_ids(before: Identities, after: Identities) -> Iterator[Reason]:
    for sense_id, own in after.aliases.items():
        if before.aliases.get(sense_id) != own:
            yield Reason(own, "goes_on", facts={"sense_id": sense_id})
    for sense_id, own in before.aliases.items():
        if sense_id not in after.aliases:
            yield Reason(own, "alone_again", facts={"sense_id": sense_id})
    for sense_id, sighting in after.sightings.items():
        if sense_id not in before.sightings:
            yield Reason(sense_id, "waits_for_list", sighting.first.time)
    for identity in after.missing_since.keys() - before.missing_since.keys():
        yield Reason(identity, "missing")


def _of_a_device(before: Device, after: Device, *, is_published: bool) -> Iterator[Reason]:
    old, new, identity = before.switch, after.switch, after.info.id
    if new.state != old.state and not is_published:
        yield Reason(
            identity, "first_state" if old.state is State.UNKNOWN else "known_by_timeline", facts={"state": new.state}
        )
    if new.held and (old.held is None or new.held.state != old.held.state):
        first = new.held.first
        facts = {"state": new.held.state, "watts": first.watts, "not_before": new.held.not_before}
        yield Reason(identity, "held_back", first.time, facts)
    elif old.held and new.held is None and new.state == old.state:
        yield Reason(identity, "not_lasting", old.held.first.time, {"state": old.held.state})


def _of_an_event(event: Event, home: Home) -> Reason:
    device = home.devices.get(event.device or "")
    edges = device.edges if device else ()
    times = [edge.not_before for edge in edges if (edge.time, edge.kind) == (event.time, event.event_type)]
    facts = {"event_type": event.event_type, "not_before": times[-1] if times else None, **event.fields}
    return Reason(event.device, "event" if "source" in facts else "house_event", event.time, facts)


# --- the timeline


def _of_the_timeline(before: Home, after: Home, seen: object) -> Iterator[Reason]:
    """Yield what became of each item that is new, and of each that was pending and is no more."""
    decisions = dict(after.decisions) if after.decisions is not before.decisions else {}
    items = _items(seen)
    if items is not None:
        new = [item for item in items if item in decisions or item in after.pending_items]
        yield Reason(None, "timeline", facts={"items": len(items), "known": len(items) - len(new)})
    for item in dict.fromkeys((*before.pending_items, *(items or ()))):
        facts = {"event_type": item.kind}
        if item in after.pending_items and item not in before.pending_items:
            yield Reason(item.device, "waits", item.time, facts)
        elif item not in after.pending_items and (item in before.pending_items or item in decisions):
            yield Reason(item.device, decisions.get(item, "removed"), item.time, facts)


def _items(seen: object) -> tuple[Edge, ...] | None:
    match seen:
        case TimelineRead(items):
            return items
        case TimelineChange(added, updated, _):
            return (*added, *updated)
        case _:
            return None
