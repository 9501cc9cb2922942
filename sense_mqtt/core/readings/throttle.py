"""Which readings are due: what has changed, when its interval has passed, and at once with a transition."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping

from msgspec.structs import replace

from sense_mqtt.core.changes import Change, Document, Event, Reading
from sense_mqtt.core.home.plain_frames import SLACK_S
from sense_mqtt.core.home.state import Device, Home, Policy, Subject
from sense_mqtt.core.readings import house_set
from sense_mqtt.core.readings.published import forget_published, if_changed, is_same, mark_published, published_number
from sense_mqtt.core.timestamps import Moment, to_datetime

Outcome = tuple[Home, tuple[Change, ...]]

MINUTE_S = 60.0
FRAME_S = 1.0  # while frames come, there is one at least each second; Sense sends two


def publish_values(
    home: Home, switched: frozenset[str], now: Moment, policy: Policy, changed: Collection[str] | None = None
) -> Outcome:
    """Publish the values that are due; of devices in `switched` at once, and of the house with them.

    `changed`: the devices that may have changed since values were published last, beside those in `switched`; None:
    all. Of the others only those are looked at whose interval ran when they changed, and is over now.
    """
    home = _forget_unknown_powers(home, switched)
    looked_at = home.devices if changed is None else _looked_at(home, changed, switched, now, policy)
    devices = list(_device_values(home, looked_at, switched, now, policy)) if looked_at else []
    house = house_set.due_readings(home, now, policy, at_once=bool(switched) or house_set.is_exceeded(home, devices))
    if house:
        lowered = frozenset(house_set.published_above(home, house)) - {reading.device for reading in devices}
        devices += _device_values(home, sorted(lowered), lowered, now, policy)
    readings = (*house, *_last_frame(home, now), *devices)
    home = _wait(mark_published(home, readings, now), looked_at, now, policy)
    return (replace(home, house_published_at=now.monotonic) if house else home), readings


def _looked_at(
    home: Home, changed: Iterable[str], switched: frozenset[str], now: Moment, policy: Policy
) -> Collection[str]:
    """Return the devices to look at, in the order of the home."""
    waiting = home.waiting
    if policy.jump_w is None:
        changed = [each for each in waiting.not_held(changed, "power", now.monotonic) if each != "solar"]
    ids = {*changed, *switched, *(device for device, _ in waiting.due(now.monotonic))}
    return [identity for identity in home.devices if identity in ids] if ids else ()


def _wait(home: Home, looked_at: Collection[str], now: Moment, policy: Policy) -> Home:
    """Return the home with those of these devices waiting that have changed while their interval runs."""
    if not looked_at and home.waiting.first > now.monotonic:
        return home
    until = _waiting_until(home, looked_at, policy)
    done = (*home.waiting.due(now.monotonic), *((identity, "power") for identity in looked_at))
    return replace(home, waiting=home.waiting.without(done, until))


def _waiting_until(home: Home, looked_at: Iterable[str], policy: Policy) -> dict[Subject, float]:
    """Return when (monotonic s) the watts of those are due that are not as they were published."""
    powers = [power for identity in looked_at if (power := _power(home.devices[identity])) is not None]
    until = dict[Subject, float]()
    for power in powers:
        published = home.published.get((power.device, power.key))
        if published is not None and not is_same(power, published.value):
            until[power.device, power.key] = published.at + policy.device_interval_s
    return until


def next_due(home: Home, policy: Policy) -> float:
    """Return when (monotonic s) the next frame is to be published of, even where all is as before."""
    last_frame = home.published.get((None, "last_frame"))
    if home.house_published_at is None or last_frame is None:
        return -math.inf
    return min(home.house_published_at + policy.house_interval_s, last_frame.at + MINUTE_S, home.waiting.first)


def held_until(home: Home, devices: Iterable[str], policy: Policy) -> Mapping[str, float]:
    """Return until when (monotonic s) other watts of devices are not published, of those that are published at all."""
    published = ((device, home.published.get((device, "power"))) for device in devices)
    return {device: each.at + policy.device_interval_s for device, each in published if each is not None}


def hold(home: Home, until: Mapping[str, float]) -> Home:
    """Return the home with other watts of devices waiting, each until a time (monotonic s)."""
    return replace(home, waiting=home.waiting.with_more({(device, "power"): at for device, at in until.items()}))


def publish_switched(home: Home, switched: frozenset[str], now: Moment, policy: Policy) -> Outcome:
    """Publish the values of devices in `switched` at once, and none of the others: no fresh frame backs them."""
    home = _forget_unknown_powers(home, switched)
    readings = tuple(_device_values(home, sorted(switched), switched, now, policy))
    return mark_published(home, readings, now), readings


def publish_if_fresh(
    home: Home, switched: frozenset[str], now: Moment, policy: Policy, changed: Collection[str] | None = None
) -> Outcome:
    """Publish the values that are due, as far as a fresh frame backs them; `changed` as in `publish_values`."""
    if is_stale(home, now, policy):
        return publish_switched(home, switched, now, policy)
    return publish_values(home, switched, now, policy, changed)


def is_stale(home: Home, now: Moment, policy: Policy) -> bool:
    """True where the newest frame is too old to say how things are."""
    return home.coverage.is_stale(now.monotonic, policy.stale_after_s)


def frame_expected_s(home: Home, now: float) -> float:
    """Return for how long (s, 0: not at all) the next frame of a stream may be waited for at `now` (monotonic)."""
    newest = home.coverage.last_frame_at
    return 0.0 if newest is None else max(FRAME_S - SLACK_S - (now - newest), 0.0)


def publish_availability(home: Home, *, online: bool, now: Moment) -> Outcome:
    """Publish whether fresh data arrives; a change, but not the first value after a start, is an event too."""
    if online == home.online:
        return home, ()
    readings = if_changed(home, Reading(None, "availability", online))
    home = mark_published(home, readings, now)
    if home.online is None:
        return replace(home, online=online or None), readings
    event = Event(None, "monitor_online" if online else "monitor_offline", now.wall)
    return replace(home, online=online), (*readings, event)


def device_readings(home: Home, identities: frozenset[str], *, anyway: bool = False) -> Outcome:
    """Return what is known of these devices, and the list of all where there was one (or `anyway`)."""
    described = [Reading(identity, "attributes", _entry(home.devices[identity])) for identity in sorted(identities)]
    changes = [reading for reading in described if reading.device != "solar"]
    if described or anyway:
        changes.append(Reading(None, "devices", tuple(_entry(each) for _, each in sorted(home.devices.items()))))
    return home, tuple(changes)


def _entry(device: Device) -> Document:
    """Return what is told of one device."""
    row = device.info
    return {
        "id": row.id,
        "name": device.name,
        "icon": row.icon,
        "make": row.make,
        "model": row.model,
        "location": row.location,
        "type": row.type,
        "kind": row.kind,
        "on": None if device.is_virtual else device.is_on,
        "power_w": None if device.power_w is None else round(device.power_w, 1),
        "last_on": None if device.last_on is None else to_datetime(device.last_on),
        "last_off": None if device.last_off is None else to_datetime(device.last_off),
    }


def _forget_unknown_powers(home: Home, switched: frozenset[str]) -> Home:
    # The timeline tells of an edge and not of its watts: those of the next frame are published at once.
    unknown = {(identity, "power") for identity in switched if home.devices[identity].power_w is None}
    return forget_published(home, unknown) if unknown else home


def _last_frame(home: Home, now: Moment) -> tuple[Reading, ...]:
    published, time = home.published.get((None, "last_frame")), home.last_frame.epoch if home.last_frame else None
    is_due = published is None or now.monotonic - published.at >= MINUTE_S
    return if_changed(home, Reading(None, "last_frame", to_datetime(time))) if is_due and time is not None else ()


def _device_values(
    home: Home, identities: Iterable[str], switched: frozenset[str], now: Moment, policy: Policy
) -> Iterator[Reading]:
    for identity in identities:
        device = home.devices[identity]
        power = _power(device)
        if identity != "solar" and device.is_on is not None and not device.is_virtual:
            yield from if_changed(home, Reading(identity, "state", device.is_on))
        if power and _is_due(home, power, 0.0 if identity in switched else policy.device_interval_s, now, policy):
            yield power


def _power(device: Device) -> Reading | None:
    """Return the power of a device as it is published; None where it is not."""
    if device.power_w is None or device.info.id == "solar":
        return None  # the latter is published as the house's solar_power only
    is_off = device.is_on is False and device.power_w == 0
    return Reading(device.info.id, "power", 0 if is_off else device.power_w)  # off is `0`


def _is_due(home: Home, power: Reading, interval_s: float, now: Moment, policy: Policy) -> bool:
    published = home.published.get((power.device, power.key))
    if published is None:
        return True
    if interval_s and published.value == power.value:
        return False
    # A frame that waited for the timeline of a gap is older than what that told.
    if max(now.monotonic - published.at, 0.0) < interval_s:
        number = published_number(home, power.device, power.key)
        if not house_set.is_jump(power, number, policy.jump_w):
            return False
    return not is_same(power, published.value)
