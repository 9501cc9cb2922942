"""`observe`: what one more observation changes about what is known of a home, and what of that is to be published."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from sense_mqtt.core.capability import Observation
from sense_mqtt.core.changes import Change, DeviceChanged, DeviceRemoved, Event
from sense_mqtt.core.home import inventory
from sense_mqtt.core.home.recognise_seen import recognise_seen
from sense_mqtt.core.home.record import record
from sense_mqtt.core.home.sampling import absent_sample, shows_absence, time_of, uncertainty_s
from sense_mqtt.core.home.sightings import SIGHTING_S
from sense_mqtt.core.home.state import Device, DevicesListed, Home, Interrupted, Policy, QueryResult, Tick
from sense_mqtt.core.home.timeline_events import TimelineRead, add_items, reconcile_all
from sense_mqtt.core.readings import throttle
from sense_mqtt.core.readings.capability_readings import update_capabilities
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.transitions.on_off import Context, Sample, Transition, apply_sample, settle
from sense_mqtt.core.wire.devices import DevicePower
from sense_mqtt.core.wire.frames import Frame, Hello, MonitorInfo, RealtimeUpdate, TimelineChange

Seen = Frame | Tick | Interrupted | DevicesListed | QueryResult | TimelineRead
Outcome = tuple[Home, tuple[Change, ...]]


def observe(home: Home, seen: Seen, now: Moment, policy: Policy) -> Outcome:
    """Return what is known after `seen`, and what of it is to be published, in order."""
    known, seen, recognised = recognise_seen(home, seen, now, policy)
    observer = OBSERVERS.get(type(seen))
    after, changes = observer(known, seen, now, policy) if observer else (known, ())
    if recognised:
        after, documents = throttle.device_readings(after, _changed(recognised) & after.devices.keys(), anyway=True)
        changes = (*recognised, *changes, *documents)
    after, more = update_capabilities(Observation(home, after, seen, changes, now, policy))
    return after, (*changes, *more)


# --- a frame


def _observe_update(home: Home, update: RealtimeUpdate, now: Moment, policy: Policy) -> Outcome:
    if home.coverage.is_outdated(update.epoch):
        return replace(home, coverage=replace(home.coverage, older_frame_seen=True)), ()
    is_first = home.last_frame is None  # of this process: it has published nothing of what was stored
    home, found = _add_new_devices(home, update, now, policy)
    home, transitions, switched = _apply_samples(home, update, now, policy)
    home, from_timeline = reconcile_all(_cover(home, update, now), now, policy)
    home, online = throttle.publish_availability(home, online=True, now=now)
    switched |= frozenset(_devices_of(from_timeline))
    home, readings = throttle.publish_values(home, switched, now, policy)
    home, documents = throttle.device_readings(
        home, frozenset(home.devices) if is_first else switched | _changed(found)
    )
    return home, (*found, *online, *_in_order(*from_timeline, *transitions), *readings, *documents)


def _add_new_devices(home: Home, update: RealtimeUpdate, now: Moment, policy: Policy) -> Outcome:
    time = time_of(update, now)
    new = [
        info for info in update.new_devices if info.id not in home.devices and inventory.is_wanted(home, info, policy)
    ]
    home, ignored = inventory.remove_ignored(home, time, policy) if home.coverage.is_interrupted else (home, ())
    home, added = inventory.add_devices(home, new, time, policy) if new else (home, ())
    home, renamed = inventory.rename(home, update.devices, time, policy)
    changes = (*ignored, *added, *renamed)
    if home.solar or update.solar_w is None:
        return home, changes
    return replace(home, solar=True), (*changes, DeviceChanged(None))


def _changed(changes: Iterable[Change]) -> frozenset[str]:
    return frozenset(change.device for change in changes if isinstance(change, DeviceChanged) and change.device)


def _apply_samples(
    home: Home, update: RealtimeUpdate, now: Moment, policy: Policy
) -> tuple[Home, list[Event], frozenset[str]]:
    powers = {power.id: power for power in update.devices}
    is_evidence, absent = shows_absence(update), absent_sample(home, update, now, policy)
    devices, events = dict(home.devices), list[Event]()
    for identity, device in home.devices.items():
        power = powers.get(identity)
        if device.is_virtual:
            devices[identity] = _with_virtual_power(device, power, update)
        elif power is not None or (is_evidence and not (device.switch.is_settled_off and device.power_w == 0.0)):
            devices[identity], event = _apply_sample(home, device, absent._replace(power=power), now, policy)
            events += event
    changed = [identity for identity, device in devices.items() if _is_changed(home.devices[identity], device)]
    return replace(home, devices=devices), events, frozenset([*changed, *_devices_of(events)])


def _is_changed(before: Device, device: Device) -> bool:
    """True where the readings of the device are to be published at once."""
    if device is before:
        return False
    if device.is_on != before.is_on:
        return True
    # Of an edge that the timeline told, only now the watts are known.
    return device.power_w != before.power_w and (before.switch.power_is_uncertain or before.power_w is None)


def _apply_sample(
    home: Home, device: Device, sample: Sample, now: Moment, policy: Policy
) -> tuple[Device, list[Event]]:
    switch, transition = apply_sample(device.switch, sample, _context(home, device, policy))
    if switch is device.switch:
        return device, []  # the sample is older than what is known
    return _record(device._replace(switch=switch, power_w=sample.watts), transition, now)


def _context(home: Home, device: Device, policy: Policy) -> Context:
    rules = policy.rules(device.info.id)
    if home.identities.sightings:  # it may be one of those that are shown instead
        rules = replace(rules, off_delay_s=max(rules.off_delay_s, SIGHTING_S))
    return Context(device.info.id, rules, device.edges, home.coverage)


def _record(device: Device, transition: Transition | None, now: Moment) -> tuple[Device, list[Event]]:
    if transition is None:
        return device, []
    device, event = record(device, transition, now)
    return device, [event]


def _in_order(*events: Event) -> list[Event]:
    return sorted(events, key=lambda event: event.time)


def _devices_of(events: Iterable[Event]) -> list[str]:
    return [event.device for event in events if event.device]


def _with_virtual_power(device: Device, power: DevicePower | None, update: RealtimeUpdate) -> Device:
    if power is None or power.w is None:
        return device
    if power.id == "solar":
        return device._replace(power_w=max(0.0, power.w))
    if power.id == "always_on":
        # The row holds the plugs' always-on share a second time (protocol page, 4.5).
        return device._replace(power_w=max(0.0, power.w - sum(other.always_on_w or 0.0 for other in update.devices)))
    return device._replace(power_w=power.w)


def _cover(home: Home, update: RealtimeUpdate, now: Moment) -> Home:
    is_evidence, time = shows_absence(update), time_of(update, now)
    coverage = home.coverage.after_frame(update.epoch, now.monotonic, shows_absence=is_evidence)
    return replace(
        home,
        last_frame=replace(update, epoch=time),
        solar_seen_at=home.solar_seen_at if update.solar_w is None else now.monotonic,
        coverage=coverage.after_sample(time, uncertainty_s(update)) if is_evidence else coverage,
    )


# --- all else


def _observe_tick(home: Home, _seen: Tick, now: Moment, policy: Policy) -> Outcome:
    home, settled = _settle_all(home, now, policy)
    home, from_timeline = reconcile_all(home, now, policy)
    events = _in_order(*from_timeline, *settled)
    home, availability = throttle.publish_availability(home, online=not throttle.is_stale(home, now, policy), now=now)
    switched = frozenset(_devices_of(events))
    home, readings = throttle.publish_if_fresh(home, switched, now, policy)
    home, documents = throttle.device_readings(home, switched)
    return home, (*availability, *events, *readings, *documents)


def _settle_all(home: Home, now: Moment, policy: Policy) -> tuple[Home, list[Event]]:
    waiting = [device for device in home.devices.values() if device.switch.held]
    devices, events = dict(home.devices), list[Event]()
    for device in waiting:
        switch, transition = settle(device.switch, now.monotonic, _context(home, device, policy))
        devices[device.info.id], event = _record(device._replace(switch=switch), transition, now)
        events += event
    return (replace(home, devices=devices) if waiting else home), events


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


OBSERVERS: Mapping[type, Callable[[Home, Any, Moment, Policy], Outcome]] = {
    RealtimeUpdate: _observe_update,
    Hello: _observe_online,
    MonitorInfo: _observe_online,
    Tick: _observe_tick,
    Interrupted: _observe_interruption,
    DevicesListed: _observe_list,
    TimelineRead: _observe_timeline,
    TimelineChange: _observe_timeline,
}
