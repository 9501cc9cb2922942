"""A transition that is certain: taken into what is known of its device, and made into its event."""

from dataclasses import replace

from sense_mqtt.core.alignment import Known
from sense_mqtt.core.changes import LATE_AFTER_S, Event, identify
from sense_mqtt.core.home import Device
from sense_mqtt.core.instants import Moment
from sense_mqtt.core.transitions import Transition
from sense_mqtt.core.witness import remember


def conclude(monitor: int, device: Device, transition: Transition | None, now: Moment) -> tuple[Device, list[Event]]:
    """Return the device with what the transition says of it, and the event; nothing new where there is none."""
    if transition is None:
        return device, []
    newer = [edge for edge in device.known if edge.time > transition.time]
    known = Known(transition.event_type, transition.time, transition.earliest, transition.told, transition.guid)
    device = _date(replace(device, known=remember(device.known, [known])), transition)
    return device, [_announce(monitor, device, transition, now, late=bool(newer))]


def _date(device: Device, transition: Transition) -> Device:
    if transition.event_type == "turned_on":
        return replace(device, last_on=max(transition.time, device.last_on or transition.time))
    return replace(device, last_off=max(transition.time, device.last_off or transition.time))


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
