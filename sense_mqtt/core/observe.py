"""`observe`: what one more observation changes about what is known of a home, and what of that is to be published."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from sense_mqtt.core.capability import Observation
from sense_mqtt.core.catch_up import begin, catch_up, publish_due
from sense_mqtt.core.changes import Change, DeviceChanged, DeviceRemoved, Event
from sense_mqtt.core.home import held_changes, inventory, samples
from sense_mqtt.core.home.identities import translate_update
from sense_mqtt.core.home.plain_frames import take_in
from sense_mqtt.core.home.recognise_seen import Recognised, recognise_seen
from sense_mqtt.core.home.sampling import HouseSample, house_sample, time_of
from sense_mqtt.core.home.state import DevicesListed, Home, Interrupted, Policy, PolicyChanged, QueryResult, Tick
from sense_mqtt.core.home.timeline_events import TimelineRead, add_items, reconcile_all
from sense_mqtt.core.readings import house_set, throttle
from sense_mqtt.core.readings.capability_readings import update_capabilities
from sense_mqtt.core.status import STATUS
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.transitions.coverage import Coverage
from sense_mqtt.core.wire.devices import DevicePower
from sense_mqtt.core.wire.frames import Frame, Hello, MonitorInfo, RealtimeUpdate, TimelineChange
from sense_mqtt.core.wire.monitor_status import read_firmware

Seen = Frame | Tick | PolicyChanged | Interrupted | DevicesListed | QueryResult | TimelineRead
Outcome = tuple[Home, tuple[Change, ...]]


def observe(home: Home, seen: Seen, now: Moment, policy: Policy) -> Outcome:
    """Return what is known after `seen`, and what of it is to be published, in order."""
    if isinstance(seen, RealtimeUpdate) and (outcome := _observe_plain(home, seen, now, policy)) is not None:
        return outcome
    return observe_any(catch_up(home), seen, now, policy)


def _observe_plain(home: Home, update: RealtimeUpdate, now: Moment, policy: Policy) -> Outcome | None:
    """Return what is known after a plain frame (core/home/plain_frames.py); None where it is none."""
    plain = home.plain or begin(home, now, policy)
    if plain is None or plain.limits.policy is not policy:
        return None
    if policy.jump_w is not None and house_set.jumps(home, update, policy.jump_w):
        return None
    update = translate_update(update, home.identities) if plain.limits.is_translated else update
    plain = take_in(plain, update, now)
    if plain is None:
        return None
    return publish_due(home, plain, now, policy) if plain.is_due else (replace(home, plain=plain), ())


def observe_any(home: Home, seen: Seen, now: Moment, policy: Policy) -> Outcome:
    """Return the same as `observe`, of whatever is seen, plain frames too; of a home that is caught up."""
    before, home = home, _up_to_date(home, seen)
    known, seen, recognised = _recognise(home, seen, now, policy)
    observer = OBSERVERS.get(type(seen))
    after, changes = observer(known, seen, now, policy) if observer else (known, ())
    if recognised:
        after, documents = throttle.device_readings(after, _changed(recognised) & after.devices.keys(), anyway=True)
        changes = (*recognised, *changes, *documents)
    after, more = update_capabilities(Observation(before, after, seen, changes, now, policy))
    return after, (*changes, *more)


def _up_to_date(home: Home, seen: Seen) -> Home:
    """Return the home with all samples up to date where this observation may look at them."""
    match seen:
        case Tick():
            return samples.up_to_date(home) if home.pending_items or home.held_devices else home
        case PolicyChanged() | DevicesListed() | TimelineRead() | TimelineChange():
            return samples.up_to_date(home)
        case _:
            return home


def _recognise(home: Home, seen: Seen, now: Moment, policy: Policy) -> Recognised:
    recognised = recognise_seen(home, seen, now, policy)
    is_plain = recognised[0].devices is home.devices  # else devices were merged, and their samples with them
    return recognised if is_plain else recognise_seen(samples.up_to_date(home), seen, now, policy)


# --- a frame


def _observe_update(home: Home, update: RealtimeUpdate, now: Moment, policy: Policy) -> Outcome:
    if home.coverage.is_outdated(update.epoch):
        return replace(home, coverage=replace(home.coverage, older_frame_seen=True)), ()
    is_first = home.last_frame is None  # of this process: it has published nothing of what was stored
    house = house_sample(home, update, now, policy)
    home = samples.prepare(home, update, house)
    news = samples.news_of(home, update)
    home, found = _add_new_devices(home, update, news, now, policy)
    sampled = samples.apply_samples(home, update, house, news, now, policy)
    home = replace(
        home,
        devices=sampled.devices,
        steady=sampled.steady,
        last_frame=update if update.epoch is not None else replace(update, epoch=now.wall),
        solar_seen_at=home.solar_seen_at if update.solar_w is None else now.monotonic,
        coverage=_cover(home, update, house),
    )
    home, from_timeline = reconcile_all(home, now, policy) if home.pending_items else (home, list[Event]())
    home, online = throttle.publish_availability(home, online=True, now=now)
    switched = sampled.switched | frozenset(_devices_of(from_timeline))
    home, readings = throttle.publish_values(home, switched, now, policy, changed=sampled.changed)
    home, documents = throttle.device_readings(
        home, frozenset(home.devices) if is_first else switched | _changed(found)
    )
    return home, (*found, *online, *_in_order(*from_timeline, *sampled.events), *readings, *documents)


def _add_new_devices(
    home: Home, update: RealtimeUpdate, news: Iterable[DevicePower], now: Moment, policy: Policy
) -> Outcome:
    time = time_of(update, now)
    new = [
        info for info in update.new_devices if info.id not in home.devices and inventory.is_wanted(home, info, policy)
    ]
    home, ignored = inventory.remove_ignored(home, time, policy) if home.coverage.is_interrupted else (home, ())
    home, added = inventory.add_devices(home, new, time, policy) if new else (home, ())
    home, renamed = inventory.rename(home, news, time, policy)
    changes = (*ignored, *added, *renamed)
    if home.solar or update.solar_w is None:
        return home, changes
    return replace(home, solar=True), (*changes, DeviceChanged(None))


def _changed(changes: Iterable[Change]) -> frozenset[str]:
    return frozenset(change.device for change in changes if isinstance(change, DeviceChanged) and change.device)


def _in_order(*events: Event) -> list[Event]:
    return sorted(events, key=lambda event: event.time)


def _devices_of(events: Iterable[Event]) -> list[str]:
    return [event.device for event in events if event.device]


def _cover(home: Home, update: RealtimeUpdate, house: HouseSample) -> Coverage:
    absent = house.absent
    if not house.shows_absence:
        return home.coverage.after_frame(update.epoch, absent.arrived)
    return home.coverage.after_sample(update.epoch, absent.arrived, absent.time, absent.uncertainty_s)


# --- all else


def _observe_tick(home: Home, _seen: Tick, now: Moment, policy: Policy) -> Outcome:
    home, settled = held_changes.settle_all(home, now, policy)
    home, from_timeline = reconcile_all(home, now, policy)
    events = _in_order(*from_timeline, *settled)
    home, availability = throttle.publish_availability(home, online=not throttle.is_stale(home, now, policy), now=now)
    switched = frozenset(_devices_of(events))
    # An interval that ends between two frames: what the next one says is newer, and at most half a second away.
    readings: tuple[Change, ...] = ()
    if switched or not throttle.frame_expected_s(home, now.monotonic):
        home, readings = throttle.publish_if_fresh(home, switched, now, policy, changed=())
    home, documents = throttle.device_readings(home, switched)
    return home, (*availability, *events, *readings, *documents)


def _observe_policy(home: Home, _seen: PolicyChanged, now: Moment, policy: Policy) -> Outcome:
    home, removed = inventory.remove_ignored(home, now.wall, policy)
    home, renamed = inventory.apply_names(home, now.wall, policy)
    home, documents = throttle.device_readings(home, _changed(renamed), anyway=bool(removed))
    return replace(home, waiting=home.waiting.all_due()), (*removed, *renamed, *documents)


def _observe_timeline(home: Home, seen: TimelineRead | TimelineChange, now: Moment, policy: Policy) -> Outcome:
    home, events = reconcile_all(add_items(home, seen, now), now, policy)
    switched = frozenset(_devices_of(events))
    home, readings = throttle.publish_if_fresh(home, switched, now, policy)
    home, documents = throttle.device_readings(home, switched)
    return home, (*events, *readings, *documents)


def _observe_interruption(home: Home, _seen: Interrupted, _now: Moment, _policy: Policy) -> Outcome:
    return replace(home, coverage=home.coverage.after_interruption()), ()


def _observe_online(home: Home, seen: Hello | MonitorInfo, now: Moment, _policy: Policy) -> Outcome:
    if seen.online is not False:
        return home, ()  # fresh frames say `online`, greetings do not
    coverage = replace(home.coverage, is_interrupted=True, last_frame_at=None)
    return throttle.publish_availability(replace(home, coverage=coverage), online=False, now=now)


def _observe_list(home: Home, seen: DevicesListed, now: Moment, policy: Policy) -> Outcome:
    home, changes = inventory.apply_device_list(home, seen.rows, now, policy)
    home, values = throttle.publish_if_fresh(home, frozenset(), now, policy)
    home, documents = throttle.device_readings(
        home, _changed(changes), anyway=any(isinstance(c, DeviceRemoved) for c in changes)
    )
    return home, (*changes, *values, *documents)


def _observe_answer(home: Home, seen: QueryResult, _now: Moment, _policy: Policy) -> Outcome:
    firmware = read_firmware(seen.result) if seen.capability == STATUS.key else None
    if firmware in (None, home.firmware):
        return home, ()
    return replace(home, firmware=firmware), (DeviceChanged(None),)


OBSERVERS: Mapping[type, Callable[[Home, Any, Moment, Policy], Outcome]] = {
    RealtimeUpdate: _observe_update,
    Hello: _observe_online,
    MonitorInfo: _observe_online,
    Tick: _observe_tick,
    PolicyChanged: _observe_policy,
    Interrupted: _observe_interruption,
    DevicesListed: _observe_list,
    QueryResult: _observe_answer,
    TimelineRead: _observe_timeline,
    TimelineChange: _observe_timeline,
}
