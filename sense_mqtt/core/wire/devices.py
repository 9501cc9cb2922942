"""Rows of devices, as both the feed and the REST list give them, and the tolerant readers of single fields.

A row says two things: what the device is (frames repeat it all day long, with all its tags), and what it draws now.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Literal

import msgspec

from sense_mqtt.core.bounds import MAX_DEVICE_ROWS, MAX_ID_LENGTH, MAX_MERGED_DEVICES
from sense_mqtt.core.timestamps import read_timestamp

Kind = Literal["detected", "plug", "virtual"]

VIRTUAL_IDS = frozenset({"always_on", "unknown", "solar"})
OUR_NAMES = {"unknown": "Other"}  # frames call it so, `history/trends` calls it "Unknown"

REASON_KEYS = ("error_reason", "message", "reason", "error", "title")  # the first is usual, the others were seen

_MAX_NUMBER = 1e15  # Sense has no larger numbers; sums of smaller ones stay finite
MAX_W = 10e6  # no house has a hundred times what its panel can carry
_MAX_V = 1000.0  # mains are 120 or 240 V
_MAX_HZ = 1000.0  # mains are 50 or 60 Hz


class DeviceInfo(msgspec.Struct, frozen=True):
    """One device as Sense describes it."""

    id: str
    name: str | None = None
    icon: str | None = None
    make: str | None = None
    model: str | None = None
    location: str | None = None
    type: str | None = None
    kind: Kind = "detected"
    hidden: bool = False  # deleted, revoked, merged into another, or mere inventory
    merged_into: str | None = None
    created: str | None = None
    duid: str | None = None  # of a plug; it stays when Sense gives the plug another id
    merges: tuple[str, ...] = ()  # ids of the devices that this one was merged from

    @property
    def visible(self) -> bool:
        """True where Sense's app shows it as a device."""
        return not self.hidden or self.kind == "virtual"


# A struct, as each frame makes one for each device: msgspec reads it straight from the row (decode.py).
class DevicePower(msgspec.Struct, frozen=True, gc=False):
    """What a frame says of the present power of one device."""

    id: str
    name: str | None = None
    w: float | None = None  # watts
    attrs: tuple[str, ...] = ()
    always_on_w: float | None = msgspec.field(name="ao_w", default=None)  # a plug's share in the row `always_on`

    @property
    def idle(self) -> bool:
        """True of a plug below its standby threshold."""
        return "Idle" in self.attrs


def by_id(rows: Any) -> Mapping[str, Mapping[str, Any]]:
    """Return the fields of each row by its id; a row needs one, and of rows with the same the first counts.

    Rows beyond MAX_DEVICE_ROWS, and ids longer than MAX_ID_LENGTH, are passed over.
    """
    identified: dict[str, Mapping[str, Any]] = {}
    for fields in islice(rows_of(rows), MAX_DEVICE_ROWS):
        identity = text(fields.get("id"))
        if identity is not None and len(identity) <= MAX_ID_LENGTH:
            identified.setdefault(identity, fields)
    return identified


def read_device_list(rows: Any) -> tuple[DeviceInfo, ...]:
    """Return the descriptions of devices that can be read, hidden ones included."""
    return tuple(read_device_info(identity, fields) for identity, fields in by_id(rows).items())


def read_device_power(identity: str, fields: Mapping[str, Any]) -> DevicePower:
    """Return what one row says of the present power."""
    return DevicePower(
        identity,
        name=read_name(identity, fields),
        w=consumption(fields.get("w")),
        attrs=tuple(attr for attr in list_of(fields.get("attrs")) if isinstance(attr, str)),
        always_on_w=consumption(fields.get("ao_w")),
    )


def read_device_info(identity: str, fields: Mapping[str, Any]) -> DeviceInfo:
    """Return the description in one row, without its tags."""
    tags = mapping(fields.get("tags"))
    merged_into = text(tags.get("MergeId"))
    return DeviceInfo(
        id=identity,
        name=read_name(identity, fields),
        icon=text(fields.get("icon")),
        make=text(fields.get("given_make")) or text(fields.get("make")),
        model=text(fields.get("given_model")) or text(fields.get("model")),
        location=text(fields.get("given_location")) or text(fields.get("location")),
        type=text(tags.get("UserDeviceType")) or text(tags.get("DefaultUserDeviceType")) or text(tags.get("Type")),
        kind=_kind(identity, fields, tags),
        hidden=merged_into is not None or _is_hidden(identity, tags),
        merged_into=merged_into,
        created=text(tags.get("DateCreated")),
        duid=text(tags.get("DUID")),
        merges=_merged_devices(tags.get("MergedDevices")),
    )


def _merged_devices(value: Any) -> tuple[str, ...]:
    # Ids with commas between them.
    ids = [each.strip() for each in value.split(",")] if isinstance(value, str) else []
    return tuple(each for each in ids if 0 < len(each) <= MAX_ID_LENGTH)[:MAX_MERGED_DEVICES]


def read_name(identity: str, fields: Mapping[str, Any]) -> str | None:
    """Return what a row calls its device; one name where Sense's answers differ."""
    return OUR_NAMES.get(identity) or text(fields.get("name"))


def older_plugs_of_same_name(rows: Iterable[DeviceInfo]) -> Mapping[str, float]:
    """Return the ids of plugs with a newer one under their name, each with when the newest was added, seconds UTC.

    Such a plug was removed and added again, or there are two of one name: the list alone cannot tell.
    """
    dated = [(row, read_timestamp(row.created)) for row in rows if row.kind == "plug" and row.name and row.visible]
    added = [(row.id, row.name, at) for row, at in dated if at is not None]
    newest = {name: at for _, name, at in sorted(added, key=lambda plug: plug[2])}
    return {identity: newest[name] for identity, name, at in added if at < newest[name]}


def _kind(identity: str, fields: Mapping[str, Any], tags: Mapping[str, Any]) -> Kind:
    if identity in VIRTUAL_IDS:
        return "virtual"
    measured = "sd" in fields or is_true(tags.get("SSIEnabled")) or identity.startswith("ssi-")
    return "plug" if measured else "detected"


def _is_hidden(identity: str, tags: Mapping[str, Any]) -> bool:
    # Every tag is a string, booleans too: "false" is truthy.
    return identity.startswith("pd-") or is_false(tags.get("DeviceListAllowed")) or is_true(tags.get("UserDeleted"))


def is_true(value: Any) -> bool:
    """True where a tag means yes: a boolean, or text."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def is_false(value: Any) -> bool:
    """True where a tag means no: a boolean, or text."""
    return value is False or (isinstance(value, str) and value.lower() == "false")


def read_bool(value: Any) -> bool | None:
    """Return a boolean, which may be text (`"false"` is not true); None for all else."""
    words: Mapping[Any, bool] = {"true": True, "false": False}
    return value if isinstance(value, bool) else words.get(value.lower()) if isinstance(value, str) else None


def text(value: Any) -> str | None:
    """Return text without the blanks around it; None where there is none."""
    return (value.strip() or None) if isinstance(value, str) else None


def error_reason(fields: Mapping[str, Any]) -> str | None:
    """Return Sense's text for an error: `error_reason`, and where that is missing, another of REASON_KEYS."""
    return next(filter(None, (text(fields.get(key)) for key in REASON_KEYS)), None)


def is_finite(value: Any) -> bool:
    """True for int or float with |value| < 1e15; no bool, NaN, infinity."""
    return type(value) in (int, float) and abs(value) < _MAX_NUMBER


def number(value: Any) -> float | None:
    """Return a finite number, or None."""
    return float(value) if is_finite(value) else None


def watts(value: Any) -> float | None:
    """Return W with their sign; None beyond what a house can have (10 MW)."""
    return _within(value, -MAX_W, MAX_W)


def consumption(value: Any) -> float | None:
    """Return W, never below 0: the noise of what draws nothing is a little below."""
    drawn = watts(value)
    return None if drawn is None else max(0.0, drawn)


def volts(value: Any) -> float | None:
    """Return V; None where it is no voltage of mains."""
    return _within(value, 0.0, _MAX_V)


def hertz(value: Any) -> float | None:
    """Return Hz; None where it is no frequency of mains."""
    return _within(value, 0.0, _MAX_HZ)


def _within(value: Any, least: float, most: float) -> float | None:
    return float(value) if type(value) in (int, float) and least <= value <= most else None


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a mapping as it is, and an empty one for all else."""
    return value if isinstance(value, dict) else {}


def rows_of(value: Any) -> list[Mapping[str, Any]]:
    """Return the mappings in a list; an empty list for all else."""
    return [row for row in list_of(value) if isinstance(row, dict)]


def list_of(value: Any) -> list[Any]:
    """Return a list as it is, and an empty one for all else."""
    return value if isinstance(value, list) else []
