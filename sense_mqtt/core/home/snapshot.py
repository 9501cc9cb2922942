"""What of a house must survive a restart, as a plain document and back."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, cast

from sense_mqtt.core.home.state import Device, Home, Policy
from sense_mqtt.core.transitions.alignment import Known
from sense_mqtt.core.transitions.coverage import Coverage
from sense_mqtt.core.transitions.on_off import State, SwitchState
from sense_mqtt.core.wire.devices import DeviceInfo, list_of, mapping, number, rows_of, text

_STATES = ("on", "off", "idle")
_TEXTS = tuple(
    field.name for field in fields(DeviceInfo) if field.name in ("icon", "make", "model", "location", "type", "created")
)
_NAMES = ("framed_name", "listed_name")
_OF_KNOWN = tuple(field.name for field in fields(Known))


def snapshot(home: Home) -> dict[str, Any]:
    """Return what a later process must know to tell what changed meanwhile."""
    return {
        "solar": home.solar,
        "firmware": home.firmware,
        "listed": home.has_device_list,
        "newest": home.newest,
        "witness": _keep_witness(home),
        "hidden": sorted(home.hidden),
        "topic_ids": dict(home.topic_ids),
        "devices": [_keep(device) for _, device in sorted(home.devices.items())],
    }


def restore(monitor: int, document: Mapping[str, Any], policy: Policy) -> Home:
    """Return the house that was remembered; what cannot be read is as if it were not known."""
    kept = (_restore(entry, policy) for entry in rows_of(document.get("devices")))
    solar = document.get("solar")
    return Home(
        monitor=monitor,
        solar=solar if isinstance(solar, bool) else None,
        firmware=text(document.get("firmware")),
        devices={device.info.id: device for device in kept if device},
        hidden=frozenset(identity for identity in list_of(document.get("hidden")) if isinstance(identity, str)),
        topic_ids={key: each for key, each in mapping(document.get("topic_ids")).items() if isinstance(each, str)},
        has_device_list=document.get("listed") is True,
        newest=number(document.get("newest")),
        coverage=_restore_witness(mapping(document.get("witness"))),
    )


def _keep_witness(home: Home) -> dict[str, Any]:
    # A change that is held back is forgotten with the process: since the look before it, nobody will have looked.
    held = [device.switch.held.before for device in home.devices.values() if device.switch.held]
    witness = home.coverage
    return {
        "horizon": witness.known_since,
        "looked": witness.last_observed_at,
        "sure": None if witness.last_observed_earliest is None else min([witness.last_observed_earliest, *held]),
        "blind": [list(span) for span in witness.unobserved],
        "offsets": list(witness.clock_offsets),
    }


def _restore_witness(document: Mapping[str, Any]) -> Coverage:
    spans = [tuple(map(number, list_of(span))) for span in list_of(document.get("blind"))]
    return Coverage(
        known_since=number(document.get("horizon")),
        last_observed_at=number(document.get("looked")),
        last_observed_earliest=number(document.get("sure")),
        unobserved=tuple((span[0], span[1]) for span in spans if len(span) == 2 and None not in span),  # type: ignore[misc]
        clock_offsets=tuple(offset for offset in map(number, list_of(document.get("offsets"))) if offset is not None),
    )


def _keep(device: Device) -> dict[str, Any]:
    row, switch = device.info, device.switch
    described = {name: getattr(row, name) for name in _TEXTS if getattr(row, name) is not None}
    known = {"state": switch.state, "since": switch.since, "last_on": device.last_on, "last_off": device.last_off}
    called = {key: getattr(device, key) for key in _NAMES if getattr(device, key) is not None}
    edges = {"known": [_keep_known(edge) for edge in device.known]} if device.known else {}
    return {"id": row.id, "name": row.name, "kind": row.kind, **described, **called, **known, **edges}


def _keep_known(edge: Known) -> dict[str, Any]:
    return {name: getattr(edge, name) for name in _OF_KNOWN}  # `asdict` takes ten times as long, with every event


def _restore_known(entry: Mapping[str, Any]) -> Known | None:
    event_type, time = text(entry.get("event_type")), number(entry.get("time"))
    if event_type is None or time is None:
        return None
    earliest = number(entry.get("earliest"))
    told, guid = number(entry.get("told")), text(entry.get("guid"))
    return Known(event_type, time, time if earliest is None else earliest, told, guid)


def _restore(entry: Mapping[str, Any], policy: Policy) -> Device | None:
    identity, kind, state = text(entry.get("id")), entry.get("kind"), entry.get("state")
    if identity is None or kind not in ("detected", "plug", "virtual"):
        return None
    name = text(entry.get("name"))
    described = {key: text(entry.get(key)) for key in _TEXTS}
    row = DeviceInfo(identity, name, kind=kind, **described)  # type: ignore[arg-type] # all of _TEXTS are `str | None`
    return Device(
        row,
        policy.rules(identity).name or name or identity,
        SwitchState(cast(State, state) if state in _STATES else None, number(entry.get("since"))),
        last_on=number(entry.get("last_on")),
        last_off=number(entry.get("last_off")),
        known=tuple(edge for edge in map(_restore_known, rows_of(entry.get("known"))) if edge),
        framed_name=text(entry.get("framed_name")),
        listed_name=text(entry.get("listed_name")),
    )
