"""Which of Sense's ids are which device here: a device keeps its id where Sense merges it, or gives it another one.

Sense shows a merged device under the id of a virtual parent, and a plug that was added again under a new id. The id
here is the one under which the device was known first; whatever is observed is translated to it (`recognise.py`).
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from sense_mqtt.core.bounds import MAX_DEVICE_ROWS
from sense_mqtt.core.edges import Edge
from sense_mqtt.core.transitions.on_off import Sample
from sense_mqtt.core.wire.devices import DeviceInfo, DevicePower
from sense_mqtt.core.wire.frames import RealtimeUpdate

Kept = TypeVar("Kept")


class Sighting(msgspec.Struct, frozen=True):
    """A device that frames show, and of which it is not known yet whether it takes the place of another one."""

    info: DeviceInfo
    first: Sample
    observed_before: float  # s UTC, of the frame before
    later: tuple[Sample, ...] = ()  # what the frames after it showed, oldest first


class Identities(msgspec.Struct, frozen=True):
    """What is known of the ids of one home."""

    aliases: Mapping[str, str] = MappingProxyType({})  # Sense's id: the one here, oldest first
    parents: Mapping[str, str] = MappingProxyType({})  # of merged devices: the id here
    merged_at: Mapping[str, float] = MappingProxyType({})  # s UTC, by the id here
    missing_since: Mapping[str, float] = MappingProxyType({})  # monotonic s; from the list
    sightings: Mapping[str, Sighting] = MappingProxyType({})  # by Sense's id

    def id_of(self, sense_id: str) -> str:
        """Return the id here of what Sense calls so."""
        return self.aliases.get(sense_id, sense_id)

    def device_of(self, sense_id: str) -> str:
        """Return the id here of the device that Sense calls so, or that it has become a part of."""
        own = self.id_of(sense_id)
        return self.parents.get(own, own)

    def sense_id_of(self, identity: str) -> str:
        """Return what Sense calls a device at present."""
        names = [sense_id for sense_id, own in self.aliases.items() if own == identity]
        return names[-1] if names else identity

    def with_alias(self, sense_id: str, identity: str) -> "Identities":
        """Return these with another id that Sense gives a device; it is the present one."""
        others = {alias: own for alias, own in self.aliases.items() if alias != sense_id}
        return replace(self, aliases=_newest({**others, sense_id: identity}))

    def without_alias(self, sense_id: str) -> "Identities":
        """Return these where Sense means another device again, or none."""
        return replace(self, aliases={alias: own for alias, own in self.aliases.items() if alias != sense_id})

    def with_children(self, children: Iterable[str], parent: str) -> "Identities":
        """Return these with devices that were merged into another one."""
        return replace(self, parents=_newest({**self.parents, **dict.fromkeys(children, parent)}))

    def without_children(self, children: Iterable[str]) -> "Identities":
        """Return these without devices that are on their own again."""
        gone = set(children)
        return replace(self, parents={child: own for child, own in self.parents.items() if child not in gone})

    def with_merged_at(self, identities: Iterable[str], time: float) -> "Identities":
        """Return these with the time (s UTC) at which devices were merged or split."""
        return replace(self, merged_at=_newest({**self.merged_at, **dict.fromkeys(identities, time)}))

    @property
    def translated(self) -> set[str]:
        """Sense's ids, and those here, that are not the same in a frame and here."""
        return {*self.aliases, *self.aliases.values(), *self.parents}

    @property
    def is_plain(self) -> bool:
        """True where each id of Sense is the one here."""
        return not self.aliases and not self.parents


def _newest(known: dict[str, Kept]) -> Mapping[str, Kept]:
    return dict(list(known.items())[-MAX_DEVICE_ROWS:])


# --- from Sense's ids to those here


def translate_update(update: RealtimeUpdate, identities: Identities) -> RealtimeUpdate:
    """Return a frame with the ids that are known here, each at most once."""
    if identities.is_plain:
        return update
    translated = identities.translated  # what is new is among the devices too
    if translated.isdisjoint(update.rows):
        return update
    grouped: dict[str, list[DevicePower]] = {}
    for power in update.devices:
        grouped.setdefault(identities.device_of(power.id), []).append(power)
    new = {identities.id_of(info.id): info for info in update.new_devices if _is_present(info.id, identities)}
    return replace(
        update,
        devices=tuple(_as_one(own, powers, identities) for own, powers in grouped.items()),
        new_devices=tuple(replace(info, id=own) for own, info in new.items()),
    )


def _is_present(sense_id: str, identities: Identities) -> bool:
    """True where it is how Sense calls the device at present, and no part of another one."""
    return sense_id not in identities.parents and identities.sense_id_of(identities.id_of(sense_id)) == sense_id


def _as_one(own: str, powers: list[DevicePower], identities: Identities) -> DevicePower:
    """Return the power of one device; a frame may still, or already again, show the parts of a merged one."""
    present = identities.sense_id_of(own)
    for power in powers:
        if power.id == present:
            return replace(power, id=own)
    return DevicePower(
        own,
        w=_sum([power.w for power in powers]),
        attrs=("Idle",) if all(power.idle for power in powers) else (),
        always_on_w=_sum([power.always_on_w for power in powers]),
    )


def _sum(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def translate_rows(rows: Iterable[DeviceInfo], identities: Identities) -> tuple[DeviceInfo, ...]:
    """Return a list of devices with the ids that are known here; parts of merged devices are hidden."""
    rows = tuple(rows)
    listed = {row.id for row in rows}
    translated: list[DeviceInfo] = []
    for row in rows:
        own = identities.id_of(row.id)
        present = identities.sense_id_of(own)
        if row.id in identities.parents:
            translated.append(replace(row, hidden=True))
        elif row.id == present or (present not in listed and row.visible and row.id == own):
            translated.append(replace(row, id=own))
    return tuple(translated)


def translate_items(items: Iterable[Edge], identities: Identities) -> tuple[Edge, ...]:
    """Return items of the timeline with the ids that are known here, without those of before a merge."""
    if identities.is_plain:
        return tuple(items)
    own = (
        replace(item, device=identities.id_of(item.device)) for item in items if item.device not in identities.parents
    )
    return tuple(item for item in own if item.time > identities.merged_at.get(item.device, 0.0))
