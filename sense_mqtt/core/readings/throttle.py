"""What is told of a house: what has changed, when its interval has passed, and at once with a transition."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sense_mqtt.core.changes import Change, Event, Reading
from sense_mqtt.core.energy.periods import Energy, device_document, empty_document, hold_back_dips, house_document
from sense_mqtt.core.home.state import Home, Policy, Published
from sense_mqtt.core.payloads import write_json, write_number
from sense_mqtt.core.readings import device_documents as documents
from sense_mqtt.core.readings import house_set
from sense_mqtt.core.readings.house_set import Due
from sense_mqtt.core.timestamps import Moment, write_timestamp

Outcome = tuple[Home, tuple[Change, ...]]

POWER_DECIMALS = 1
MINUTE_S = 60.0


def publish_values(home: Home, switched: frozenset[str], now: Moment, policy: Policy) -> Outcome:
    """Tell the present values that are due; of devices in `switched` at once, and of the house with them."""
    home = _forget_unknown_powers(home, switched)
    devices = list(_device_values(home, home.devices, switched, now, policy))
    house = house_set.due_readings(home, now, policy, at_once=bool(switched) or house_set.is_exceeded(home, devices))
    lowered = frozenset(house_set.published_above(home, house)) - {reading.device for reading, _ in devices}
    devices += _device_values(home, sorted(lowered), lowered, now, policy)
    news = [*house, *_last_frame(home, now), *devices]
    home = _mark_published(home, news, now)
    told = tuple(reading for reading, _ in news)
    return (replace(home, house_published_at=now.monotonic) if house else home), told


def publish_switched(home: Home, switched: frozenset[str], now: Moment, policy: Policy) -> Outcome:
    """Tell the present values of devices in `switched` at once, and none of the others: no fresh frame backs them."""
    home = _forget_unknown_powers(home, switched)
    news = list(_device_values(home, sorted(switched), switched, now, policy))
    return _mark_published(home, news, now), tuple(reading for reading, _ in news)


def publish_if_fresh(home: Home, switched: frozenset[str], now: Moment, policy: Policy) -> Outcome:
    """Tell the present values that are due, as far as a fresh frame backs them."""
    tell = publish_switched if is_stale(home, now, policy) else publish_values
    return tell(home, switched, now, policy)


def is_stale(home: Home, now: Moment, policy: Policy) -> bool:
    """Say whether the newest frame is too old to tell how things are."""
    return home.arrived is None or now.monotonic - home.arrived > policy.stale_after_s


def publish_availability(home: Home, *, online: bool, now: Moment) -> Outcome:
    """Tell whether fresh data arrives; a change, but not the first word after a start, is an event too."""
    if online == home.online:
        return home, ()
    news = _if_changed(home, None, "availability", "online" if online else "offline")
    readings = (reading for reading, _ in news)
    if home.online is None:
        return replace(_mark_published(home, news, now), online=online or None), tuple(readings)
    event = Event(None, "monitor_online" if online else "monitor_offline", now.wall)
    return replace(_mark_published(home, news, now), online=online), (*readings, event)


def publish_energy(home: Home, energy: Energy, now: Moment) -> Outcome:
    """Tell the energy of a period, of the house and of each device, as far as the figures can be believed."""
    before = home.energy.get(energy.scale)
    # Sense's own clock, where frames told it, knows best whether a period has begun.
    kept = hold_back_dips(before, energy, Moment(max(now.wall, home.newest or 0.0), now.monotonic))
    if kept is None or kept is before:
        return home, ()
    over = () if before is None or before.energy.start == kept.energy.start else before.energy.devices
    home = replace(home, energy={**home.energy, energy.scale: kept})
    updated, key = write_timestamp(now.wall), f"energy/{energy.scale.lower()}"
    readings = [Reading(None, key, write_json(house_document(kept.energy, updated)))]
    readings += [
        Reading(device.id, key, write_json(device_document(device, kept.energy, updated)))
        for device in kept.energy.devices
        if device.id in home.devices and device.id != "solar"
    ]
    told = {reading.device for reading in readings}
    readings += [
        Reading(device.id, key, write_json(empty_document(kept.energy, updated)))
        for device in over  # of the period before: Sense may leave out who has used nothing yet
        if device.id in home.devices and device.id not in told and device.id != "solar"
    ]
    return home, tuple(readings)


def device_readings(home: Home, identities: frozenset[str], *, anyway: bool = False) -> Outcome:
    """Tell what is known of these devices, and the list of all where there was one (or `anyway`)."""
    described = [
        Reading(identity, "attributes", documents.attributes(home, identity)) for identity in sorted(identities)
    ]
    listed = [Reading(None, "devices", documents.devices(home))] if described or anyway else []
    return home, (*(reading for reading in described if reading.device != "solar"), *listed)


def _forget_unknown_powers(home: Home, switched: frozenset[str]) -> Home:
    # The timeline tells of an edge and not of its watts: those of the next frame are told at once.
    unknown = {(identity, "power") for identity in switched if home.devices[identity].power_w is None}
    return (
        replace(home, published={key: published for key, published in home.published.items() if key not in unknown})
        if unknown
        else home
    )


def _mark_published(home: Home, news: Iterable[Due], now: Moment) -> Home:
    published = {
        (reading.device, reading.key): Published(reading.text, value, now.monotonic) for reading, value in news
    }
    return replace(home, published={**home.published, **published}) if published else home


def _if_changed(home: Home, device: str | None, key: str, text: str) -> tuple[Due, ...]:
    published = home.published.get((device, key))
    return () if published is not None and published.text == text else ((Reading(device, key, text), None),)


def _last_frame(home: Home, now: Moment) -> Iterator[Due]:
    published, time = home.published.get((None, "last_frame")), home.last_frame.epoch if home.last_frame else None
    due = published is None or now.monotonic - published.at >= MINUTE_S
    if due and time is not None:
        yield from _if_changed(home, None, "last_frame", write_timestamp(time))


def _device_values(
    home: Home, identities: Iterable[str], switched: frozenset[str], now: Moment, policy: Policy
) -> Iterator[Due]:
    for identity in identities:
        device = home.devices[identity]
        if identity == "solar":
            continue  # told as the house's solar_power only (contract 1.2)
        on = device.on
        if on is not None and not device.is_virtual:
            yield from _if_changed(home, identity, "state", "ON" if on else "OFF")
        if device.power_w is not None:
            interval_s = 0.0 if identity in switched else policy.device_interval_s
            decimals = 0 if on is False and device.power_w == 0 else POWER_DECIMALS  # off is `0` (contract 1.2)
            yield from _due_number(home, identity, "power", device.power_w, decimals, interval_s, policy.jump_w, now)


def _due_number(
    home: Home,
    device: str | None,
    key: str,
    value: float,
    decimals: int,
    interval_s: float,
    jump_w: float | None,
    now: Moment,
) -> tuple[Due, ...]:
    published = home.published.get((device, key))
    if published is not None and not _is_due(published, value, interval_s, jump_w, now):
        return ()
    text = write_number(value, decimals)
    return () if published is not None and published.text == text else ((Reading(device, key, text), value),)


def _is_due(published: Published, value: float, interval_s: float, jump_w: float | None, now: Moment) -> bool:
    if published.value == value and interval_s:
        return False
    # A frame that waited for the timeline of a gap is older than what that told.
    if max(now.monotonic - published.at, 0.0) >= interval_s:
        return True
    return jump_w is not None and published.value is not None and abs(value - published.value) >= jump_w
