"""A device that frames show for the first time just as another one vanishes may be that one under another id.

Frames do not always say so. Until the list of devices has been read, at most SIGHTING_S, neither is told: not that the
one is found and on, nor that the other is off. If they turn out to be two, both are told with the times of the frames,
and so is all that the first one did meanwhile.
"""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from sense_mqtt.core.changes import Change, Event
from sense_mqtt.core.edges import State
from sense_mqtt.core.home.identities import Sighting
from sense_mqtt.core.home.inventory import add_devices, draws, is_wanted
from sense_mqtt.core.home.record import record_if_any
from sense_mqtt.core.home.sampling import shows_absence
from sense_mqtt.core.home.state import Device, Home, Policy
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.transitions.on_off import Context, Sample, SwitchState, apply_sample
from sense_mqtt.core.transitions.timing import SIGHTING_S
from sense_mqtt.core.wire.devices import DeviceInfo, DevicePower
from sense_mqtt.core.wire.frames import RealtimeUpdate

MAX_SAMPLES = 100  # of one device that are kept meanwhile: there are two frames a second

Outcome = tuple[Home, tuple[Change, ...]]


def hold_back(home: Home, update: RealtimeUpdate, sample: Sample, policy: Policy) -> tuple[Home, RealtimeUpdate]:
    """Return the frame without the devices of which it is not known yet whether they are new.

    `sample`: what the frame shows of a device that it does not list.
    """
    powers = {power.id: power for power in update.devices}
    home = _with_later_samples(home, powers, sample, proves_absence=shows_absence(update))
    held = home.identities.sightings
    new = [info for info in update.new_devices if _is_unknown(home, info, policy) and info.id not in held]
    if new and (held or (home.has_device_list and _has_vanished(home, powers.keys()))):
        before = home.coverage.last_observed_at or sample.time
        more = {info.id: Sighting(info, replace(sample, power=powers[info.id]), before) for info in new}
        held = {**held, **more}
        home = replace(home, identities=replace(home.identities, sightings=held))
    if not held:
        return home, update
    return home, replace(
        update,
        devices=tuple(power for power in update.devices if power.id not in held),
        new_devices=tuple(info for info in update.new_devices if info.id not in held),
    )


def _with_later_samples(home: Home, powers: Mapping[str, DevicePower], sample: Sample, *, proves_absence: bool) -> Home:
    """Return the home with what the frame shows of those that are held back."""
    sightings = dict(home.identities.sightings)
    for identity, seen in sightings.items():
        if proves_absence or identity in powers:
            later = (*seen.later, replace(sample, power=powers.get(identity)))
            sightings[identity] = replace(seen, later=later[-MAX_SAMPLES:])
    return replace(home, identities=replace(home.identities, sightings=sightings)) if sightings else home


def release_overdue(home: Home, now: Moment, policy: Policy) -> Outcome:
    """Tell of those for which the list does not come in time."""
    held = home.identities.sightings.items()
    return _release(home, [key for key, seen in held if now.monotonic - seen.first.arrived > SIGHTING_S], now, policy)


def release_listed(home: Home, rows: Iterable[DeviceInfo], now: Moment, policy: Policy) -> Outcome:
    """Tell of those that the list shows as devices of their own, and forget those that are known under another id."""
    alone = {row.id for row in rows if row.visible}
    held, known = home.identities.sightings, home.known_ids
    return _release(home, [key for key in held if key in alone or key in known], now, policy)


def _is_unknown(home: Home, info: DeviceInfo, policy: Policy) -> bool:
    return info.id not in home.devices and info.kind != "virtual" and is_wanted(home, info, policy)


def _has_vanished(home: Home, shown: Iterable[str]) -> bool:
    """True where a device that was on, or at standby, is in the frame no more."""
    drawing = {identity for identity, device in home.devices.items() if draws(device) and not device.is_virtual}
    return bool(drawing.difference(shown))


def _release(home: Home, ids: Iterable[str], now: Moment, policy: Policy) -> Outcome:
    ids, held, changes = tuple(ids), home.identities.sightings, list[Change]()
    kept = {identity: sighting for identity, sighting in held.items() if identity not in ids}
    home = replace(home, identities=replace(home.identities, sightings=kept)) if ids else home
    for identity in ids:
        if identity not in home.known_ids and _is_unknown(home, held[identity].info, policy):
            home, more = _add(home, held[identity], now, policy)
            changes += more
    return home, tuple(changes)


def _add(home: Home, sighting: Sighting, now: Moment, policy: Policy) -> Outcome:
    """Add a device as of the frame that showed it first, and what the frames since then showed of it."""
    identity, first, before = sighting.info.id, sighting.first, sighting.observed_before
    home, changes = add_devices(home, [sighting.info], first.time, policy)
    device = home.devices.get(identity)
    if device is None:
        return home, changes  # there are too many
    device = replace(device, switch=SwitchState(State.OFF, last=Sample(None, before, first.arrived)))
    for sample in (first, *sighting.later):
        device, events = _take_in(home, device, sample, now, policy)
        changes = (*changes, *events)
    return replace(home, devices={**home.devices, identity: device}), changes


def _take_in(home: Home, device: Device, sample: Sample, now: Moment, policy: Policy) -> tuple[Device, list[Event]]:
    context = Context(device.info.id, policy.rules(device.info.id), device.edges, home.coverage)
    switch, transition = apply_sample(device.switch, sample, context)
    return record_if_any(replace(device, switch=switch, power_w=sample.watts), transition, now)
