"""The door of a home: whatever is observed gets the ids that are known here, before anything is made of it."""

from typing import Any

from sense_mqtt.core.changes import Change
from sense_mqtt.core.home import sightings
from sense_mqtt.core.home.identities import translate_items, translate_update
from sense_mqtt.core.home.recognise import recognise_change, recognise_rows, recognise_update
from sense_mqtt.core.home.sampling import absent_sample, time_of
from sense_mqtt.core.home.state import DevicesListed, Home, Policy, Tick
from sense_mqtt.core.home.timeline_events import TimelineRead
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.wire.frames import RealtimeUpdate, TimelineChange

Recognised = tuple[Home, Any, tuple[Change, ...]]


def recognise_seen(home: Home, seen: Any, now: Moment, policy: Policy) -> Recognised:
    """Return the home with what the ids in `seen` say, `seen` with the ids known here, and what follows."""
    match seen:
        case RealtimeUpdate() if not home.coverage.is_outdated(seen.epoch):
            return _recognise_frame(home, seen, now, policy)
        case DevicesListed(rows):
            home, rows, changes = recognise_rows(home, rows, now.wall, policy)
            home, found = sightings.release_listed(home, rows, now, policy)
            return home, DevicesListed(rows), (*changes, *found)
        case Tick() if home.identities.sightings:
            home, late = sightings.release_overdue(home, now, policy)
            return home, seen, late
        case TimelineRead(items):
            return home, TimelineRead(translate_items(items, home.identities)), ()
        case TimelineChange():
            return home, recognise_change(home, seen), ()
        case _:
            return home, seen, ()


def _recognise_frame(home: Home, update: RealtimeUpdate, now: Moment, policy: Policy) -> Recognised:
    if not update.new_devices and not home.identities.sightings:
        return home, translate_update(update, home.identities), ()
    home, late = sightings.release_overdue(home, now, policy)
    home, update, changes = recognise_update(home, update, time_of(update, now), policy)
    home, update = sightings.hold_back(home, update, absent_sample(home, update, now, policy), policy)
    return home, update, (*late, *changes)
