"""What of a home must survive a restart: rows for the home and each device, of the home itself and each capability."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from sense_mqtt.core.capabilities import CAPABILITIES
from sense_mqtt.core.capability import Capability
from sense_mqtt.core.catch_up import catch_up
from sense_mqtt.core.changes import Change, DeviceChanged, DeviceRemoved, Event, Reading, StateChanged
from sense_mqtt.core.home import snapshot as of_home
from sense_mqtt.core.home.state import Device, Home, Policy
from sense_mqtt.core.wire.devices import number

RowKey = tuple[str, str]  # ("home", "device" or the key of a capability; id of the device, else "")
Rows = Mapping[RowKey, Mapping[str, Any]]  # the document of each row, a JSON object

HOME: RowKey = ("home", "")
DEVICE = "device"
EDGE = "edge"  # a row of each: a washer has sixty within an hour, and only the newest is new


def snapshot(home: Home, capabilities: Iterable[Capability[Any]] = CAPABILITIES) -> Rows:
    """Return what a later process must know. A row that is as before need not be written again."""
    home = catch_up(home)
    document = of_home.snapshot(home)
    devices: dict[RowKey, dict[str, Any]] = {(DEVICE, device["id"]): device for device in document.pop("devices")}
    edges: dict[RowKey, dict[str, Any]] = {}
    for (_, identity), device in devices.items():
        for edge in device.pop("known", ()):
            edges[EDGE, f"{identity} {edge['event_type']} {edge['time']}"] = {"device": identity, **edge}
    return {HOME: document, **devices, **edges, **_rows_of(home, capabilities)}


def snapshot_progress(
    home: Home, changes: Iterable[Change], capabilities: Iterable[Capability[Any]] = CAPABILITIES
) -> Rows:
    """Return the rows that differ where only what capabilities know has changed, and need not be synced.

    With the home's own: until when frames have shown it.
    """
    home = catch_up(home)
    keys = {change.capability for change in changes if isinstance(change, StateChanged)}
    return {HOME: of_home.snapshot_home(home), **_rows_of(home, [each for each in capabilities if each.key in keys])}


def _rows_of(home: Home, capabilities: Iterable[Capability[Any]]) -> Rows:
    return {
        (capability.key, device): document
        for capability in capabilities
        for device, document in capability.snapshot(capability.state_of(home)).items()
    }


def restore(monitor: int, rows: Rows, policy: Policy, capabilities: Iterable[Capability[Any]] = CAPABILITIES) -> Home:
    """Return the home of a snapshot; what cannot be read is as if it were not known."""
    edges = [document for key, document in rows.items() if key[0] == EDGE]
    devices = [_with_edges(rows[key], key[1], edges) for key in sorted(rows) if key[0] == DEVICE]
    home = of_home.restore(monitor, {**rows.get(HOME, {}), "devices": devices}, policy)
    documents = {each: {key[1]: rows[key] for key in rows if key[0] == each.key} for each in capabilities}
    states = {each.key: each.restore(stored) for each, stored in documents.items() if stored}
    return replace(home, capabilities=states)


def _with_edges(device: Mapping[str, Any], identity: str, edges: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the row of a device with its edges, as they stood in it before they had rows of their own."""
    own = [edge for edge in edges if edge.get("device") == identity]
    return {**device, "known": sorted(own, key=lambda edge: number(edge.get("time")) or 0.0)} if own else device


def must_store(before: Home, home: Home, changes: Iterable[Change]) -> bool:
    """Return whether something lasting changed. Times that each frame moves on are stored with the next such change."""
    for change in changes:
        if not isinstance(change, Reading):
            return True
    return _is_lasting_change(before, home) or (
        home.devices is not before.devices and _has_lasting_change(before.devices, home.devices)
    )


def must_sync(before: Home, home: Home, changes: Iterable[Change]) -> bool:
    """Return whether a cut of power must not take back what is stored; else the next sync takes it along."""
    return must_store(before, home, [each for each in changes if not isinstance(each, StateChanged) or each.synced])


def split_by_storing(changes: Sequence[Change]) -> tuple[Sequence[Change], Sequence[Change]]:
    """Return what may be published before all this is stored, and what only then.

    Events must be stored first, and so must the devices of all that is published of them.
    """
    if any(isinstance(change, DeviceChanged | DeviceRemoved) for change in changes):
        return (), changes
    events = [change for change in changes if isinstance(change, Event)]
    return [change for change in changes if not isinstance(change, Event)], events


def _is_lasting_change(before: Home, home: Home) -> bool:
    return (
        (before.last_frame is None) is not (home.last_frame is None)
        or before.has_device_list is not home.has_device_list
        or before.hidden != home.hidden
        or before.identities != home.identities
    )


def _has_lasting_change(before: Mapping[str, Device], devices: Mapping[str, Device]) -> bool:
    for identity, device in devices.items():
        was = before[identity]
        if device is not was and (
            device.switch.state is not was.switch.state
            or device.last_on != was.last_on
            or device.last_off != was.last_off
        ):
            return True
    return False
