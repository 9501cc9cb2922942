"""`observe`: what one more thing seen changes about what we know of a house, and what of that is news."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from sense_mqtt.core.changes import Change, DeviceChanged, DeviceRemoved, Event
from sense_mqtt.core.home import inventory
from sense_mqtt.core.home.record import record
from sense_mqtt.core.home.state import Device, DevicesListed, EnergyRead, Home, Interrupted, Policy, Tick
from sense_mqtt.core.home.timeline_events import TimelineRead, add_items, is_told, reconcile_all
from sense_mqtt.core.readings import throttle
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.transitions.coverage import LOOKED_ON_S, look_on, timeline_state
from sense_mqtt.core.transitions.on_off import Sample, Source, Transition, apply_sample, settle
from sense_mqtt.core.wire.devices import VIRTUAL_IDS, DeviceInfo, DevicePower
from sense_mqtt.core.wire.frames import Frame, Hello, MonitorInfo, RealtimeUpdate, TimelineChange

Seen = Frame | Tick | Interrupted | DevicesListed | EnergyRead | TimelineRead
Outcome = tuple[Home, tuple[Change, ...]]

HOLE_S = 30.0  # in a stream; clients take so long a silence for a dead socket (protocol page, 4.8)
# A polled frame does not say when it was measured: 14 s before were seen (INVARIANTS 11), and the host's clock is a
# little off.
POLL_LAG_S = 20.0


def observe(home: Home, seen: Seen, now: Moment, policy: Policy) -> Outcome:
    """Return what is known after `seen`, and what of it is to be told, in order."""
    observer = OBSERVERS.get(type(seen))
    return observer(home, seen, now, policy) if observer else (home, ())


# --- a frame


def _observe_update(home: Home, update: RealtimeUpdate, now: Moment, policy: Policy) -> Outcome:
    if _is_cached(home, update):
        return replace(home, stepped_back=True), ()
    untold = home.last_frame is None  # what was remembered: nobody has heard of it from this process
    home, met = _meet(home, update, now, policy)
    home, transitions, switched = _look_at_all(home, update, now, policy)
    home, heard = reconcile_all(_note_frame(home, update, now), now, policy)
    home, online = throttle.publish_availability(home, online=True, now=now)
    switched |= frozenset(_devices_of(heard))
    home, readings = throttle.publish_values(home, switched, now, policy)
    home, documents = throttle.device_readings(home, frozenset(home.devices) if untold else switched | _met(met))
    return home, (*met, *online, *_in_order(*heard, *transitions), *readings, *documents)


def _is_cached(home: Home, update: RealtimeUpdate) -> bool:
    # The first frame of a connection may be an old one (protocol page, 4.6); a second old one: the clock was set back.
    older = update.epoch is not None and home.newest is not None and update.epoch < home.newest
    return home.gap and older and not home.stepped_back


def _meet(home: Home, update: RealtimeUpdate, now: Moment, policy: Policy) -> Outcome:
    time = _time_of(update, now)
    new = [row for row in update.new_devices if row.id not in home.devices and _is_wanted(home, row, policy)]
    home, ignored = inventory.remove_ignored(home, time, policy) if home.gap else (home, ())
    home, welcomed = inventory.add_devices(home, new, time, policy) if new else (home, ())
    home, renamed = inventory.rename(home, update.devices, time, policy)
    changes = (*ignored, *welcomed, *renamed)
    if home.solar or update.solar_w is None:
        return home, changes
    return replace(home, solar=True), (*changes, DeviceChanged(None))


def _is_wanted(home: Home, row: DeviceInfo, policy: Policy) -> bool:
    if row.kind == "virtual":
        return True
    return not row.hidden and row.id not in home.hidden and not policy.rules(row.id).ignore


def _met(changes: Iterable[Change]) -> frozenset[str]:
    return frozenset(change.device for change in changes if isinstance(change, DeviceChanged) and change.device)


def _look_at_all(
    home: Home, update: RealtimeUpdate, now: Moment, policy: Policy
) -> tuple[Home, list[Event], frozenset[str]]:
    draws = {draw.id: draw for draw in update.devices}
    evidence = _shows_absence(update)
    source: Source = "reconnect" if home.gap or _leaps(home, update, policy) else "frame"
    time, vague_s = _time_of(update, now), _vague_s(update)
    devices, events = dict(home.devices), []
    for identity, device in home.devices.items():
        draw = draws.get(identity)
        if device.is_virtual:
            devices[identity] = _weigh(device, draw, update)
        elif draw is not None or (evidence and not (device.switch.is_settled_off and device.power_w == 0.0)):
            sight = Sample(draw, time, now.monotonic, source, vague_s)
            devices[identity], event = _look_at(home, device, sight, now, policy)
            events.extend(event)
    changed = [identity for identity, device in devices.items() if _is_news(home.devices[identity], device)]
    return replace(home, devices=devices), events, frozenset([*changed, *_devices_of(events)])


def _is_news(before: Device, device: Device) -> bool:
    if device is before:
        return False
    if device.on != before.on:
        return True
    # Of an edge that the timeline told, only now the watts are known.
    return device.power_w != before.power_w and (before.switch.power_is_uncertain or before.power_w is None)


def _leaps(home: Home, update: RealtimeUpdate, policy: Policy) -> bool:
    """Say whether this frame is the first after a hole, or after a cached one that hid a gap."""
    if update.epoch is None or home.newest is None:
        return False
    # Snapshots come as seldom as polls: it is a hole only where the house went `offline` in between.
    return update.epoch - home.newest > (LOOKED_ON_S if home.landed else max(HOLE_S, policy.stale_after_s))


def _shows_absence(update: RealtimeUpdate) -> bool:
    # Without a pseudo device a frame is no proof of "off" (protocol page, 4.5).
    return any(draw.id in VIRTUAL_IDS for draw in update.devices)


def _look_at(home: Home, device: Device, sight: Sample, now: Moment, policy: Policy) -> tuple[Device, list[Event]]:
    witness, rules = home.coverage, policy.rules(device.info.id)
    switch, transition = apply_sample(
        device.switch, sight, rules, witness.last_observed_earliest, lambda: timeline_state(device.known, witness)
    )
    if switch is device.switch:
        return device, []  # a look at how things were before what is known
    device = device._replace(switch=switch, power_w=sight.watts)
    return _conclude(home, device, transition, now)


def _conclude(home: Home, device: Device, transition: Transition | None, now: Moment) -> tuple[Device, list[Event]]:
    if transition is None or is_told(transition, device, home):
        return device, []
    return record(home.monitor, device, transition, now)


def _in_order(*events: Event) -> list[Event]:
    return sorted(events, key=lambda event: event.time)


def _devices_of(events: Iterable[Event]) -> list[str]:
    return [event.device for event in events if event.device]


def _weigh(device: Device, draw: DevicePower | None, update: RealtimeUpdate) -> Device:
    if draw is None or draw.w is None:
        return device
    if draw.id == "solar":
        return device._replace(power_w=max(0.0, draw.w))
    if draw.id == "always_on":
        # The row holds the plugs' always-on share a second time (protocol page, 4.5).
        return device._replace(power_w=max(0.0, draw.w - sum(other.always_on_w or 0.0 for other in update.devices)))
    return device._replace(power_w=draw.w)


def _note_frame(home: Home, update: RealtimeUpdate, now: Moment) -> Home:
    # Two frames a second share an epoch: one that is not newer does not yet end the gap, nor one that shows nobody off.
    same = update.epoch is not None and update.epoch == home.newest
    shows_absence, time = _shows_absence(update), _time_of(update, now)
    return replace(
        home,
        gap=home.gap and (same or not shows_absence),
        landed=home.gap,
        stepped_back=False,
        newest=home.newest if update.epoch is None else update.epoch,
        arrived=now.monotonic,
        solar_seen_at=home.solar_seen_at if update.solar_w is None else now.monotonic,
        last_frame=replace(update, epoch=time),
        coverage=look_on(home.coverage, time, _vague_s(update)) if shows_absence else home.coverage,
    )


def _vague_s(update: RealtimeUpdate) -> float:
    return POLL_LAG_S + update.took_s if update.epoch is None else 0.0


def _time_of(update: RealtimeUpdate, now: Moment) -> float:
    return now.wall if update.epoch is None else update.epoch


# --- all else


def _observe_tick(home: Home, seen: Tick, now: Moment, policy: Policy) -> Outcome:  # noqa: ARG001 - one shape
    home, settled = _settle_all(home, now, policy)
    home, heard = reconcile_all(home, now, policy)
    events = _in_order(*heard, *settled)
    home, availability = throttle.publish_availability(home, online=not throttle.is_stale(home, now, policy), now=now)
    switched = frozenset(_devices_of(events))
    home, readings = throttle.publish_if_fresh(home, switched, now, policy)
    home, documents = throttle.device_readings(home, switched)
    return home, (*availability, *events, *readings, *documents)


def _settle_all(home: Home, now: Moment, policy: Policy) -> tuple[Home, list[Event]]:
    waiting = [identity for identity, device in home.devices.items() if device.switch.held]
    devices, events = dict(home.devices), []
    for identity in waiting:
        device = devices[identity]
        switch, transition = settle(device.switch, now.monotonic, policy.rules(identity))
        devices[identity], event = _conclude(home, device._replace(switch=switch), transition, now)
        events.extend(event)
    return (replace(home, devices=devices) if waiting else home), events


def _observe_timeline(home: Home, seen: TimelineRead | TimelineChange, now: Moment, policy: Policy) -> Outcome:
    home, events = reconcile_all(add_items(home, seen, now), now, policy)
    switched = frozenset(_devices_of(events))
    home, readings = throttle.publish_if_fresh(home, switched, now, policy)
    home, documents = throttle.device_readings(home, switched)
    return home, (*events, *readings, *documents)


def _observe_interruption(home: Home, seen: Interrupted, now: Moment, policy: Policy) -> Outcome:  # noqa: ARG001
    return replace(home, gap=True, stepped_back=False), ()


def _observe_online(home: Home, seen: Hello | MonitorInfo, now: Moment, policy: Policy) -> Outcome:  # noqa: ARG001
    if seen.online is not False:
        return home, ()  # fresh frames say `online`, greetings do not
    return throttle.publish_availability(replace(home, gap=True, arrived=None), online=False, now=now)


def _observe_list(home: Home, seen: DevicesListed, now: Moment, policy: Policy) -> Outcome:
    home, changes = inventory.apply_device_list(home, seen.rows, now.wall, policy)
    home, values = throttle.publish_if_fresh(home, frozenset(), now, policy)
    home, documents = throttle.device_readings(
        home, _met(changes), anyway=any(isinstance(c, DeviceRemoved) for c in changes)
    )
    return home, (*changes, *values, *documents)


def _observe_energy(home: Home, seen: EnergyRead, now: Moment, policy: Policy) -> Outcome:  # noqa: ARG001
    return throttle.publish_energy(home, seen.energy, now)


OBSERVERS: Mapping[type, Callable[[Home, Any, Moment, Policy], Outcome]] = {
    RealtimeUpdate: _observe_update,
    Hello: _observe_online,
    MonitorInfo: _observe_online,
    Tick: _observe_tick,
    Interrupted: _observe_interruption,
    DevicesListed: _observe_list,
    EnergyRead: _observe_energy,
    TimelineRead: _observe_timeline,
    TimelineChange: _observe_timeline,
}
