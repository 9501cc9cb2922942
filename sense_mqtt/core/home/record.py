"""A transition that is certain: recorded with its device, and made into its event."""

from msgspec.structs import replace

from sense_mqtt.core.changes import LATE_AFTER_S, Event
from sense_mqtt.core.edges import Edge, EdgeKind
from sense_mqtt.core.home.state import Device
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.transitions.on_off import Transition
from sense_mqtt.core.transitions.published_edges import add_published


def record_if_any(device: Device, transition: Transition | None, now: Moment) -> tuple[Device, list[Event]]:
    """Return the same as `record`, where there is a transition at all."""
    if transition is None:
        return device, []
    device, event = record(device, transition, now)
    return device, [event]


def record(device: Device, transition: Transition, now: Moment) -> tuple[Device, Event]:
    """Return the device with the edge among those that were published, and the event."""
    edge = transition.edge
    has_newer_edge = any(_is_newer(other.time, edge, device, now) for other in device.edges)
    device = replace(_date(device, edge, now), edges=add_published(device.edges, [edge]))
    return device, _event(device, transition, now, has_newer_edge=has_newer_edge)


def _is_newer(time: float | None, edge: Edge, device: Device, now: Moment) -> bool:
    """True if something known of the device happened at `time`, after the edge."""
    if time is None or time <= edge.time:
        return False
    sampled = device.switch.last.time if device.switch.last else 0.0
    # Ignore times in the future (clock error) unless the timeline confirms them.
    is_confirmed = any(other.time == time and other.timeline_time for other in device.edges)
    return time <= max(now.wall, sampled) + LATE_AFTER_S or is_confirmed


def _date(device: Device, edge: Edge, now: Moment) -> Device:
    is_on = edge.kind is EdgeKind.TURNED_ON
    if _is_newer(device.last_on if is_on else device.last_off, edge, device, now):
        return device
    return replace(device, last_on=edge.time) if is_on else replace(device, last_off=edge.time)


def _event(device: Device, transition: Transition, now: Moment, *, has_newer_edge: bool) -> Event:
    edge = transition.edge
    measured = {
        "power_w": _rounded(transition.power_w, 1),
        "duration_s": _rounded(transition.duration_s, 3),
        "energy_kwh": _rounded(transition.energy_kwh, 3),
    }
    fields = {
        "name": device.name,
        **{key: value for key, value in measured.items() if value is not None},
        "source": transition.source,
        # Only late events may come after newer ones.
        "late": has_newer_edge or now.wall - edge.time > LATE_AFTER_S,
    }
    return Event(edge.device, edge.kind.value, edge.time, fields)


def _rounded(value: float | None, decimals: int) -> float | None:
    return None if value is None else round(value, decimals)
