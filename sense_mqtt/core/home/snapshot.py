"""What of a home must survive a restart, as a plain document and back."""

from collections.abc import Mapping
from typing import Any

from sense_mqtt.core.edges import Edge, EdgeKind, State
from sense_mqtt.core.home.identities import Identities
from sense_mqtt.core.home.state import Device, Home, Policy
from sense_mqtt.core.transitions.coverage import Coverage
from sense_mqtt.core.transitions.on_off import SwitchState
from sense_mqtt.core.wire.devices import DeviceInfo, list_of, mapping, number, rows_of, text

_TEXTS = ("icon", "make", "model", "location", "type", "created", "duid")
_NAMES = ("framed_name", "listed_name")
_KINDS = frozenset(EdgeKind)
_STATES = frozenset(State) - {State.UNKNOWN}


def snapshot(home: Home) -> dict[str, Any]:
    """Return what a later process must know to find what changed meanwhile."""
    return {**snapshot_home(home), "devices": [_keep(device) for _, device in sorted(home.devices.items())]}


def snapshot_home(home: Home) -> dict[str, Any]:
    """Return what of it is not of one device."""
    return {
        "solar": home.solar,
        "firmware": home.firmware,
        "listed": home.has_device_list,
        "newest": home.coverage.last_epoch,
        "witness": _keep_coverage(home),
        "hidden": sorted(home.hidden),
        "topic_ids": dict(home.topic_ids),
        **_keep_identities(home.identities),
    }


def restore(monitor: int, document: Mapping[str, Any], policy: Policy) -> Home:
    """Return the home that was stored; what cannot be read is as if it were not known."""
    kept = (_restore(entry, policy) for entry in rows_of(document.get("devices")))
    solar = document.get("solar")
    return Home(
        monitor=monitor,
        solar=solar if isinstance(solar, bool) else None,
        firmware=text(document.get("firmware")),
        devices={device.info.id: device for device in kept if device},
        hidden=frozenset(identity for identity in list_of(document.get("hidden")) if isinstance(identity, str)),
        topic_ids={key: each for key, each in mapping(document.get("topic_ids")).items() if isinstance(each, str)},
        identities=_restore_identities(mapping(document.get("identities"))),
        has_device_list=document.get("listed") is True,
        coverage=_restore_coverage(mapping(document.get("witness")), number(document.get("newest"))),
    )


def _keep_identities(identities: Identities) -> dict[str, Any]:
    if identities.is_plain and not identities.merged_at:
        return {}
    aliases = list(map(list, identities.aliases.items()))  # their order counts
    kept = {"aliases": aliases, "parents": dict(identities.parents), "merged_at": dict(identities.merged_at)}
    return {"identities": kept}


def _restore_identities(document: Mapping[str, Any]) -> Identities:
    aliases = [tuple(map(text, list_of(pair))) for pair in list_of(document.get("aliases"))]
    parents = {key: text(value) for key, value in mapping(document.get("parents")).items()}
    times = {key: number(value) for key, value in mapping(document.get("merged_at")).items()}
    return Identities(
        aliases={pair[0]: pair[1] for pair in aliases if len(pair) == 2 and None not in pair},  # type: ignore[misc]
        parents={child: parent for child, parent in parents.items() if parent},
        merged_at={key: time for key, time in times.items() if time is not None},
    )


def _keep_coverage(home: Home) -> dict[str, Any]:
    # Changes that are held back are not stored: the span since the sample before them counts as unobserved.
    held = [device.switch.held.last_observed_before for device in home.devices.values() if device.switch.held]
    coverage, earliest = home.coverage, home.coverage.last_observed_earliest
    return {
        "horizon": coverage.known_since,
        "looked": coverage.last_observed_at,
        "sure": None if earliest is None else min([earliest, *held]),
        "blind": [list(span) for span in coverage.unobserved],
        "offsets": list(coverage.clock_offsets),
    }


def _restore_coverage(document: Mapping[str, Any], last_epoch: float | None) -> Coverage:
    spans = [tuple(map(number, list_of(span))) for span in list_of(document.get("blind"))]
    return Coverage(
        known_since=number(document.get("horizon")),
        last_observed_at=number(document.get("looked")),
        last_observed_earliest=number(document.get("sure")),
        unobserved=tuple((span[0], span[1]) for span in spans if len(span) == 2 and None not in span),  # type: ignore[misc]
        clock_offsets=tuple(offset for offset in map(number, list_of(document.get("offsets"))) if offset is not None),
        last_epoch=last_epoch,
    )


def _keep(device: Device) -> dict[str, Any]:
    info, switch = device.info, device.switch
    described = {name: getattr(info, name) for name in _TEXTS if getattr(info, name) is not None}
    state = None if switch.state is State.UNKNOWN else switch.state
    known = {"state": state, "since": switch.since, "last_on": device.last_on, "last_off": device.last_off}
    called = {key: getattr(device, key) for key in _NAMES if getattr(device, key) is not None}
    edges = {"known": [_keep_edge(edge) for edge in device.edges]} if device.edges else {}
    return {"id": info.id, "name": info.name, "kind": info.kind, **described, **called, **known, **edges}


def _keep_edge(edge: Edge) -> dict[str, Any]:
    return {
        "event_type": edge.kind,
        "time": edge.time,
        "earliest": edge.not_before,
        "told": edge.timeline_time,
        "guid": edge.guid,
    }


def _restore_edge(device: str, entry: Mapping[str, Any]) -> Edge | None:
    kind, time, not_before = text(entry.get("event_type")), number(entry.get("time")), number(entry.get("earliest"))
    if kind not in _KINDS or time is None:
        return None
    not_before = time if not_before is None else not_before
    return Edge(device, EdgeKind(kind), time, not_before, number(entry.get("told")), text(entry.get("guid")))


def _restore(entry: Mapping[str, Any], policy: Policy) -> Device | None:
    identity, kind, state = text(entry.get("id")), entry.get("kind"), entry.get("state")
    if identity is None or kind not in ("detected", "plug", "virtual"):
        return None
    name = text(entry.get("name"))
    described = {key: text(entry.get(key)) for key in _TEXTS}
    info = DeviceInfo(identity, name, kind=kind, **described)  # type: ignore[arg-type] # all of _TEXTS are `str | None`
    edges = (_restore_edge(identity, edge) for edge in rows_of(entry.get("known")))
    return Device(
        info,
        policy.rules(identity).name or name or identity,
        SwitchState(State(state) if state in _STATES else State.UNKNOWN, number(entry.get("since"))),
        last_on=number(entry.get("last_on")),
        last_off=number(entry.get("last_off")),
        edges=tuple(edge for edge in edges if edge),
        framed_name=text(entry.get("framed_name")),
        listed_name=text(entry.get("listed_name")),
    )
