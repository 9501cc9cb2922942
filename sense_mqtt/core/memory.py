"""What of a house must survive a restart, as a plain document and back."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, cast

from sense_mqtt.core.home import Device, Home, Policy
from sense_mqtt.core.rows import Row, list_of, number, rows_of, text
from sense_mqtt.core.transitions import State, Switch

_STATES = ("on", "off", "idle")
_TEXTS = tuple(
    field.name for field in fields(Row) if field.name in ("icon", "make", "model", "location", "type", "created")
)


def remember(home: Home) -> dict[str, Any]:
    """Return what a later process must know to tell what changed meanwhile."""
    return {
        "solar": home.solar,
        "listed": home.listed,
        "live": home.live,
        "newest": home.newest,
        "hidden": sorted(home.hidden),
        "devices": [_keep(device) for _, device in sorted(home.devices.items())],
    }


def recall(monitor: int, document: Mapping[str, Any], policy: Policy) -> Home:
    """Return the house that was remembered; what cannot be read is as if it were not known."""
    kept = (_restore(entry, policy) for entry in rows_of(document.get("devices")))
    solar = document.get("solar")
    return Home(
        monitor=monitor,
        solar=solar if isinstance(solar, bool) else None,
        devices={device.row.id: device for device in kept if device},
        hidden=frozenset(identity for identity in list_of(document.get("hidden")) if isinstance(identity, str)),
        listed=document.get("listed") is True,
        live=document.get("live") is True,
        newest=number(document.get("newest")),
    )


def _keep(device: Device) -> dict[str, Any]:
    row, switch = device.row, device.switch
    described = {name: getattr(row, name) for name in _TEXTS if getattr(row, name) is not None}
    known = {"state": switch.state, "since": switch.since, "last_on": device.last_on, "last_off": device.last_off}
    return {"id": row.id, "name": row.name, "kind": row.kind, **described, **known}


def _restore(entry: Mapping[str, Any], policy: Policy) -> Device | None:
    identity, kind, state = text(entry.get("id")), entry.get("kind"), entry.get("state")
    if identity is None or kind not in ("detected", "plug", "virtual"):
        return None
    name = text(entry.get("name"))
    described = {key: text(entry.get(key)) for key in _TEXTS}
    row = Row(identity, name, kind=kind, **described)  # type: ignore[arg-type] # all of _TEXTS are `str | None`
    return Device(
        row,
        policy.rules(identity).name or name or identity,
        Switch(cast(State, state) if state in _STATES else None, number(entry.get("since"))),
        last_on=number(entry.get("last_on")),
        last_off=number(entry.get("last_off")),
    )
