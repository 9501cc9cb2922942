"""Recognises devices under another id: merged into one, split again, added to Sense again under a new id.

What is observed passes here first: all that follows sees the ids that are known here (`identities.py`).
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from sense_mqtt.core.changes import Change, DeviceChanged
from sense_mqtt.core.edges import Edge
from sense_mqtt.core.home.identities import translate_items, translate_rows, translate_update
from sense_mqtt.core.home.inventory import add_devices, depart, draws, house_event, remove
from sense_mqtt.core.home.state import Device, Home, Policy
from sense_mqtt.core.timestamps import read_timestamp
from sense_mqtt.core.transitions.on_off import SwitchState
from sense_mqtt.core.wire.devices import DeviceInfo
from sense_mqtt.core.wire.frames import RealtimeUpdate, TimelineChange

Outcome = tuple[Home, tuple[Change, ...]]


def recognise_update(
    home: Home, update: RealtimeUpdate, time: float, policy: Policy
) -> tuple[Home, RealtimeUpdate, tuple[Change, ...]]:
    """Return the frame with the ids known here; a row that is new may say which devices it takes the place of."""
    known = home.known_ids
    new = [info for info in update.new_devices if info.id not in known and info.visible]
    with_relations = [info for info in new if info.merges or info.duid]
    changes: tuple[Change, ...] = ()
    if with_relations:
        shown = {power.id for power in update.devices}
        home, changes = _recognise(home, with_relations, shown, time, policy)
    return home, translate_update(update, home.identities), changes


def recognise_rows(
    home: Home, rows: tuple[DeviceInfo, ...], time: float, policy: Policy
) -> tuple[Home, tuple[DeviceInfo, ...], tuple[Change, ...]]:
    """Return the list of devices with the ids known here, without those that only frames can tell from known ones."""
    home, split = _split(home, rows, time, policy)
    home, changes = _recognise(home, rows, {row.id for row in rows if row.visible}, time, policy)
    rows = tuple(row for row in rows if not _may_take_over(home, row))
    return home, translate_rows(rows, home.identities), (*split, *changes)


def recognise_change(home: Home, seen: TimelineChange) -> TimelineChange:
    """Return the change of the timeline with the ids known here."""
    return TimelineChange(
        *(translate_items(items, home.identities) for items in (seen.added, seen.updated, seen.removed))
    )


def _recognise(home: Home, rows: Sequence[DeviceInfo], shown: set[str], time: float, policy: Policy) -> Outcome:
    changes: list[Change] = []
    for parent, children in _children_of(rows).items():
        home, more = _merge(home, parent, children, time, policy)
        changes += more
    for row in rows:
        old = _same_plug(home, row, rows, shown) if not policy.rules(row.id).ignore else None
        if old is not None:
            home, more = _take_place(home, row.id, old)
            home = _map_pending(_go_on(home, old, [row.id], before=home), {row.id: old})
            changes += more
    return home, tuple(changes)


# --- merged


def _children_of(rows: Iterable[DeviceInfo]) -> Mapping[DeviceInfo, tuple[str, ...]]:
    """Return the ids of merged devices by the row of their parent, in either form that Sense has."""
    rows = tuple(rows)
    naming: dict[str, list[str]] = {}  # children that name their parent
    for row in rows:
        if row.merged_into:
            naming.setdefault(row.merged_into, []).append(row.id)
    parents: dict[DeviceInfo, tuple[str, ...]] = {}
    taken: set[str] = set()  # of several parents that claim a child, the first has it
    for row in rows:
        ids = dict.fromkeys((*row.merges, *naming.get(row.id, ()))) if _may_be_parent(row) else {}
        if ids:
            parents[row] = tuple(child for child in ids if child != row.id and child not in taken)
            taken.update(parents[row])
    return parents


def _may_be_parent(row: DeviceInfo) -> bool:
    return row.visible and row.kind != "virtual"


def _merge(home: Home, parent: DeviceInfo, children: Sequence[str], time: float, policy: Policy) -> Outcome:
    before, own = home, home.id_of(parent.id)
    ids = dict.fromkeys(home.id_of(child) for child in children)
    parts = [part for part in ids if part != own and part in home.devices and not home.devices[part].is_virtual]
    changes: tuple[Change, ...] = ()
    if parts and not _is_established(home, own) and not policy.rules(parent.id).ignore:
        own = next((part for part in parts if home.devices[part].name == parent.name), parts[0])
        home, changes = _take_place(home, parent.id, own)
    home = replace(home, identities=home.identities.with_children([c for c in children if c != own], own))
    if not parts:
        return home, changes
    into_name = policy.rules(own).name or parent.name or own
    merged = [
        house_event("device_merged", home.devices[part], time, into=own, into_name=into_name, sense_id=parent.id)
        for part in parts
    ]
    home, removed = remove(home, [part for part in parts if part != own])
    home = _go_on(home, own, [*parts, parent.id], before=before)
    return _merged_at(home, [own], {*parts, own, parent.id}, time), (*changes, *merged, *removed)


def _is_established(home: Home, identity: str) -> bool:
    """True where a list of devices had it before; what only frames have shown is new."""
    device = home.devices.get(identity)
    return device is not None and device.listed_name is not None


def _take_place(home: Home, sense_id: str, own: str) -> Outcome:
    """Let a known device go on under another id of Sense."""
    home = replace(home, identities=home.identities.with_alias(sense_id, own))
    home, removed = remove(home, [sense_id] if sense_id in home.devices else [])  # frames showed it before it was known
    return home, (*removed, DeviceChanged(own))


def _go_on(home: Home, own: str, others: Iterable[str], *, before: Home) -> Home:
    """Let a device be on where one of those was, of which it goes on: none of them has turned off."""
    device = home.devices.get(own)
    if device is None:
        return home
    known = (before.devices.get(identity) for identity in (own, *others))
    running = next((each for each in known if each is not None and each.is_on), None)
    return _with_device(home, device if running is None else _running_as(device, running))


def _running_as(device: Device, other: Device) -> Device:
    switch = replace(other.switch, held=None)
    return replace(device, switch=switch, power_w=other.power_w, last_on=other.last_on)


def _with_device(home: Home, device: Device) -> Home:
    return replace(home, devices={**home.devices, device.info.id: device})


def _merged_at(home: Home, merged: Iterable[str], involved: set[str], time: float) -> Home:
    """Note the time of a merge or split: what the timeline tells of before it, belongs to other devices."""
    pending = tuple(item for item in home.pending_items if item.device not in involved)
    return replace(home, identities=home.identities.with_merged_at(merged, time), pending_items=pending)


# --- added again


def _same_plug(home: Home, row: DeviceInfo, rows: Iterable[DeviceInfo], shown: set[str]) -> str | None:
    """Return the id of the known plug that this row is too, under an id that is new."""
    own = home.id_of(row.id)
    if not row.visible or _is_established(home, own):
        return None
    old = _with_duid(home, row.duid, own)
    if old is None:
        return None
    present = home.identities.sense_id_of(old.info.id)
    others = [other for other in rows if other.visible and other.duid == row.duid and other.id != present]
    is_replaced = present not in shown or (_is_older(old.info, row) and not _is_shown(home, old, row))
    return old.info.id if is_replaced and len(others) == 1 else None


def _with_duid(home: Home, duid: str | None, other: str) -> Device | None:
    """Return the one device beside the `other` that is this plug; None where there is none, or several."""
    if duid is None:
        return None
    found = [device for device in home.devices.values() if device.info.duid == duid and device.info.id != other]
    return found[0] if len(found) == 1 else None


def _is_shown(home: Home, old: Device, row: DeviceInfo) -> bool:
    """True where the newest frame shows a known plug; what shows the row in its place is held back (sightings.py)."""
    rows = home.last_frame.rows if home.last_frame is not None else {}
    return draws(old) and not (row.id in home.identities.sightings and old.info.id not in rows)


def _may_take_over(home: Home, row: DeviceInfo) -> bool:
    """True where a row beside that of a plug that runs may be its new one: the first frame that shows it decides."""
    is_new = row.visible and row.id not in home.devices and home.id_of(row.id) == row.id
    old = _with_duid(home, row.duid, row.id) if is_new else None
    return old is not None and _is_older(old.info, row) and draws(old)


def _is_older(one: DeviceInfo, other: DeviceInfo) -> bool:
    since, later = read_timestamp(one.created), read_timestamp(other.created)
    return since is not None and later is not None and since < later


def _map_pending(home: Home, ids: Mapping[str, str]) -> Home:
    def own(item: Edge) -> Edge:
        return replace(item, device=ids[item.device]) if item.device in ids else item

    return replace(home, pending_items=tuple(map(own, home.pending_items)))


# --- split again


def _split(home: Home, rows: tuple[DeviceInfo, ...], time: float, policy: Policy) -> Outcome:
    """Let devices be on their own again that the list shows so. Which of them runs, the next frame says."""
    if home.identities.is_plain:
        return home, ()
    listed = {row.id: row for row in rows if row.visible}
    merged = {child for children in _children_of(rows).values() for child in children}
    alone = listed.keys() - merged
    children = {child: own for child, own in home.identities.parents.items() if child in alone}
    aliases = {
        alias: own for alias, own in home.identities.aliases.items() if own in alone and _is_other(alias, own, listed)
    }
    split = {*children.values(), *(own for own in aliases.values() if own in home.identities.parents.values())}
    identities = home.identities.without_children(
        child for child, own in home.identities.parents.items() if child in children or own in aliases.values()
    )
    for alias in (*aliases, *children):  # the parent of some devices may have been merged into another one itself
        identities = identities.without_alias(alias)
    home = replace(home, identities=identities)
    unlisted = {own: None for own in sorted(split - listed.keys()) if _is_own_parent(home, own)}
    home, removed = depart(home, unlisted, time)  # merged devices of which the list shows the parts
    home, found = add_devices(home, [listed[child] for child in children if child not in home.devices], time, policy)
    unknown = [identity for identity in sorted({*split, *children}) if identity in home.devices]
    for identity in unknown:
        home = _with_device(home, replace(home.devices[identity], switch=SwitchState(), power_w=None))
    return _merged_at(home, unknown, set(unknown), time) if unknown else home, (*removed, *found)


def _is_other(alias: str, own: str, listed: Mapping[str, DeviceInfo]) -> bool:
    """True where an alias is no name of the device any more: its own id is listed again, and not as an older row."""
    return alias not in listed or listed[alias].duid is None or listed[alias].duid != listed[own].duid


def _is_own_parent(home: Home, own: str) -> bool:
    return own in home.devices and home.identities.sense_id_of(own) == own
