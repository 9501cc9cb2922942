"""A transition that is certain: taken into what is known of its device, and made into its event."""

from sense_mqtt.core.changes import LATE_AFTER_S, Event, event_id
from sense_mqtt.core.home.state import Device
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.transitions.alignment import Known
from sense_mqtt.core.transitions.coverage import add_published
from sense_mqtt.core.transitions.on_off import Transition


def record(monitor: int, device: Device, transition: Transition, now: Moment) -> tuple[Device, list[Event]]:
    """Return the device with what the transition says of it, and the event."""
    overtaken = any(_is_newer(edge.time, transition, device, now) for edge in device.known)
    known = Known(transition.event_type, transition.time, transition.earliest, transition.told, transition.guid)
    device = _date(device, transition, now)._replace(known=add_published(device.known, [known]))
    return device, [_announce(monitor, device, transition, now, late=overtaken)]


def _is_newer(time: float | None, transition: Transition, device: Device, now: Moment) -> bool:
    """Say whether something known of the device happened after the transition, as far as clocks can be believed."""
    if time is None or time <= transition.time:
        return False
    seen = device.switch.last.time if device.switch.last else 0.0
    # A frame whose clock ran ahead for a moment told of the future; what the timeline told too is no such thing.
    return time <= max(now.wall, seen) + LATE_AFTER_S or any(edge.time == time and edge.told for edge in device.known)


def _date(device: Device, transition: Transition, now: Moment) -> Device:
    turned_on = transition.event_type == "turned_on"
    if _is_newer(device.last_on if turned_on else device.last_off, transition, device, now):
        return device
    return device._replace(last_on=transition.time) if turned_on else device._replace(last_off=transition.time)


def _announce(monitor: int, device: Device, transition: Transition, now: Moment, *, late: bool) -> Event:
    measured = {
        "power_w": _rounded(transition.power_w, 1),
        "duration_s": _rounded(transition.duration_s, 3),
        "energy_kwh": _rounded(transition.energy_kwh, 3),
    }
    fields = {
        "id": event_id(monitor, device.info.id, transition.event_type, transition.time),
        "name": device.name,
        **{key: value for key, value in measured.items() if value is not None},
        "source": transition.source,
        # Only late events may come after newer ones (contract 2.1).
        "late": late or now.wall - transition.time > LATE_AFTER_S,
    }
    return Event(device.info.id, transition.event_type, transition.time, fields)


def _rounded(value: float | None, decimals: int) -> float | None:
    return None if value is None else round(value, decimals)
