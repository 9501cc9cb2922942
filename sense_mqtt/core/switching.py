"""A transition that is certain: taken into what is known of its device, and made into its event."""

from sense_mqtt.core.alignment import Known
from sense_mqtt.core.changes import LATE_AFTER_S, Event, identify
from sense_mqtt.core.home import Device
from sense_mqtt.core.instants import Moment
from sense_mqtt.core.transitions import Transition
from sense_mqtt.core.witness import remember


def conclude(monitor: int, device: Device, transition: Transition, now: Moment) -> tuple[Device, list[Event]]:
    """Return the device with what the transition says of it, and the event."""
    overtaken = any(_is_newer(edge.time, transition, now) for edge in device.known)
    known = Known(transition.event_type, transition.time, transition.earliest, transition.told, transition.guid)
    device = _date(device._replace(known=remember(device.known, [known])), transition, now)
    return device, [_announce(monitor, device, transition, now, late=overtaken)]


def _is_newer(time: float | None, transition: Transition, now: Moment) -> bool:
    # One that lies in the future was told by a clock that ran ahead, and is no newer than anything.
    return time is not None and transition.time < time <= now.wall + LATE_AFTER_S


def _date(device: Device, transition: Transition, now: Moment) -> Device:
    if transition.event_type == "turned_on":
        return device if _is_newer(device.last_on, transition, now) else device._replace(last_on=transition.time)
    return device if _is_newer(device.last_off, transition, now) else device._replace(last_off=transition.time)


def _announce(monitor: int, device: Device, transition: Transition, now: Moment, *, late: bool) -> Event:
    measured = {
        "power_w": _rounded(transition.power_w, 1),
        "duration_s": _rounded(transition.duration_s, 3),
        "energy_kwh": _rounded(transition.energy_kwh, 3),
    }
    fields = {
        "id": identify(monitor, device.row.id, transition.event_type, transition.time),
        "name": device.name,
        **{key: value for key, value in measured.items() if value is not None},
        "source": transition.source,
        # Only late events may come after newer ones (contract 2.1).
        "late": late or now.wall - transition.time > LATE_AFTER_S,
    }
    return Event(device.row.id, transition.event_type, transition.time, fields)


def _rounded(value: float | None, decimals: int) -> float | None:
    return None if value is None else round(value, decimals)
