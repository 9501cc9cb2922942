"""Which readings are due: what has changed, when its interval has passed, and at once with a transition."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sense_mqtt.core.changes import Change, Event, Reading
from sense_mqtt.core.home.state import Home, Policy
from sense_mqtt.core.readings import device_documents as documents
from sense_mqtt.core.readings import house_set
from sense_mqtt.core.readings.published import if_changed, is_same, mark_published, published_number
from sense_mqtt.core.timestamps import Moment, to_datetime

Outcome = tuple[Home, tuple[Change, ...]]

MINUTE_S = 60.0


def publish_values(home: Home, switched: frozenset[str], now: Moment, policy: Policy) -> Outcome:
    """Publish the values that are due; of devices in `switched` at once, and of the house with them."""
    home = _forget_unknown_powers(home, switched)
    devices = list(_device_values(home, home.devices, switched, now, policy))
    house = house_set.due_readings(home, now, policy, at_once=bool(switched) or house_set.is_exceeded(home, devices))
    lowered = frozenset(house_set.published_above(home, house)) - {reading.device for reading in devices}
    devices += _device_values(home, sorted(lowered), lowered, now, policy)
    readings = (*house, *_last_frame(home, now), *devices)
    home = mark_published(home, readings, now)
    return (replace(home, house_published_at=now.monotonic) if house else home), readings


def publish_switched(home: Home, switched: frozenset[str], now: Moment, policy: Policy) -> Outcome:
    """Publish the values of devices in `switched` at once, and none of the others: no fresh frame backs them."""
    home = _forget_unknown_powers(home, switched)
    readings = tuple(_device_values(home, sorted(switched), switched, now, policy))
    return mark_published(home, readings, now), readings


def publish_if_fresh(home: Home, switched: frozenset[str], now: Moment, policy: Policy) -> Outcome:
    """Publish the values that are due, as far as a fresh frame backs them."""
    publish = publish_switched if is_stale(home, now, policy) else publish_values
    return publish(home, switched, now, policy)


def is_stale(home: Home, now: Moment, policy: Policy) -> bool:
    """True where the newest frame is too old to say how things are."""
    return home.coverage.is_stale(now.monotonic, policy.stale_after_s)


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
    described = [
        Reading(identity, "attributes", documents.attributes(home, identity)) for identity in sorted(identities)
    ]
    listed = [Reading(None, "devices", documents.devices(home))] if described or anyway else []
    return home, (*(reading for reading in described if reading.device != "solar"), *listed)


def _forget_unknown_powers(home: Home, switched: frozenset[str]) -> Home:
    # The timeline tells of an edge and not of its watts: those of the next frame are published at once.
    unknown = {(identity, "power") for identity in switched if home.devices[identity].power_w is None}
    if not unknown:
        return home
    return replace(home, published={key: value for key, value in home.published.items() if key not in unknown})


def _last_frame(home: Home, now: Moment) -> tuple[Reading, ...]:
    published, time = home.published.get((None, "last_frame")), home.last_frame.epoch if home.last_frame else None
    is_due = published is None or now.monotonic - published.at >= MINUTE_S
    return if_changed(home, Reading(None, "last_frame", to_datetime(time))) if is_due and time is not None else ()


def _device_values(
    home: Home, identities: Iterable[str], switched: frozenset[str], now: Moment, policy: Policy
) -> Iterator[Reading]:
    for identity in identities:
        device = home.devices[identity]
        if identity == "solar":
            continue  # published as the house's solar_power only (contract 1.2)
        if device.is_on is not None and not device.is_virtual:
            yield from if_changed(home, Reading(identity, "state", device.is_on))
        if device.power_w is not None:
            is_off = device.is_on is False and device.power_w == 0
            power = Reading(identity, "power", 0 if is_off else device.power_w)  # off is `0` (contract 1.2)
            if _is_due(home, power, 0.0 if identity in switched else policy.device_interval_s, now, policy):
                yield power


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
