"""The messages of Sense's realtime feed: JSON or msgpack, decoded into typed frames.

Tolerant since fields come and go: a message needs a `type`, a realtime update a `w` that a house
can have. Everything else is optional: a field of a wrong type or an impossible value is absent, and unknown keys and
types never raise. Tags are read once and dropped. What comes twice a second has a faster way: decode.py.
"""

import json
from collections.abc import Callable, Container, Mapping
from functools import cached_property
from typing import Any

import msgpack
import msgspec

from sense_mqtt.core.bounds import MAX_FRAME_ITEMS, holds_more_items
from sense_mqtt.core.edges import Edge
from sense_mqtt.core.wire.devices import (
    DeviceInfo,
    DevicePower,
    by_id,
    consumption,
    error_reason,
    hertz,
    list_of,
    mapping,
    number,
    read_bool,
    read_device_info,
    read_device_power,
    rows_of,
    text,
    volts,
    watts,
)
from sense_mqtt.core.wire.timeline import read_items
from sense_mqtt.errors import BadFrame


class RealtimeUpdate(msgspec.Struct, frozen=True, dict=True):
    """One measurement of the home."""

    w: float  # watts, whole house consumption, solar already added back; never below 0
    epoch: float | None = None  # seconds UTC, when it was measured; absent when polled by REST
    devices: tuple[DevicePower, ...] = ()  # those that draw power now; hidden ones included
    new_devices: tuple[DeviceInfo, ...] = ()  # descriptions of those of them that were not known
    channels: tuple[float, ...] = ()  # watts per leg
    voltage: tuple[float, ...] = ()  # volts per leg
    hz: float | None = None
    solar_w: float | None = None  # watts; never below 0
    took_s: float = 0.0  # s from the request to the answer, where it was polled

    @cached_property
    def rows(self) -> Mapping[str, DevicePower]:
        """The devices by id."""
        return {power.id: power for power in self.devices}


class DeviceStates(msgspec.Struct, frozen=True):
    """Which integrated devices are reachable: of no use to us, but a known type."""


class MonitorInfo(msgspec.Struct, frozen=True):
    """Sent when the monitor connects to Sense, or loses the connection."""

    online: bool | None  # None: it does not say


class DataChange(msgspec.Struct, frozen=True):
    """A new checksum means that what REST gives has changed: the list of devices, or what belongs to the monitor."""

    device_data_checksum: str | None
    monitor_overview_checksum: str | None = None
    new_device_found: bool | None = None  # nobody has looked at it yet; None: it does not say


class TimelineChange(msgspec.Struct, frozen=True):
    """Items of the timeline that appeared, were rewritten, or went."""

    added: tuple[Edge, ...] = ()
    updated: tuple[Edge, ...] = ()
    removed: tuple[Edge, ...] = ()


class Hello(msgspec.Struct, frozen=True):
    """The first message of a connection."""

    online: bool | None  # None: it does not say


class FeedError(msgspec.Struct, frozen=True):
    """Sense reports an error; `authorized` false means that it does not accept the token."""

    authorized: bool | None
    reason: str | None


class UnknownFrame(msgspec.Struct, frozen=True):
    """A message of a type that is not in READERS."""

    type: str


Frame = RealtimeUpdate | DeviceStates | MonitorInfo | DataChange | TimelineChange | Hello | FeedError | UnknownFrame


def decode_tolerantly(raw: str | bytes, known: Container[str] = ()) -> Frame:
    """Return what any message of the feed says. Raises BadFrame. `decode` (decode.py) is the same, faster."""
    kind, epoch, payload = _open_json(raw) if holds_json(raw) else _open_msgpack(raw)
    if _plain(kind) == "realtimeupdate":
        return read_update(payload, epoch, known=known)
    reader = READERS.get(_plain(kind))
    return reader(mapping(payload)) if reader else UnknownFrame(kind)


def read_update(
    payload: Any, envelope_epoch: float | None = None, *, took_s: float = 0.0, known: Container[str] = ()
) -> RealtimeUpdate:
    """Return the measurement in a bare realtime payload, as the feed and `realtime_update` give it. Raises BadFrame."""
    fields = mapping(payload)
    w = consumption(fields.get("w"))
    if w is None:
        raise BadFrame("no_w", "a realtime update without a believable number `w`")
    epoch = number(fields.get("epoch"))
    rows = by_id(fields.get("devices"))
    return RealtimeUpdate(
        w=w,
        epoch=seconds(epoch if epoch is not None else envelope_epoch),
        devices=tuple(read_device_power(identity, row) for identity, row in rows.items()),
        new_devices=tuple(read_device_info(identity, row) for identity, row in rows.items() if identity not in known),
        channels=legs(fields.get("channels"), watts),
        voltage=legs(fields.get("voltage"), volts),
        hz=hertz(fields.get("hz")),
        solar_w=solar_watts(fields.get("solar_w"), mapping(fields.get("aux")).get("solar")),
        took_s=took_s,
    )


def holds_json(raw: str | bytes) -> bool:
    # Binary frames held JSON in 2017 (gist G17). "{" is no valid start of our msgpack: its first object is a string.
    return isinstance(raw, str) or raw[:1] in (b"{", b" ", b"\n", b"\t", b"\r")


def _open_json(raw: str | bytes) -> tuple[str, float | None, Any]:
    if holds_more_items(raw, MAX_FRAME_ITEMS):
        raise BadFrame("too_large", f"a message of more than {MAX_FRAME_ITEMS} values")
    try:
        message = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadFrame("not_json", f"a message that is no JSON: {error.__class__.__name__}") from error
    kind = text(mapping(message).get("type"))
    if kind is None:
        raise BadFrame("no_type", "a message without a `type`")
    return kind, None, message.get("payload")


def _open_msgpack(raw: str | bytes) -> tuple[str, float | None, Any]:
    count = _Count()
    hooks = {"object_hook": count, "list_hook": count}
    unpacker = msgpack.Unpacker(raw=False, strict_map_key=False, max_buffer_size=len(raw), **hooks)
    try:
        unpacker.feed(raw)
        kind, epoch, *rest = list(unpacker)
    except (ValueError, TypeError, msgpack.exceptions.UnpackException, RecursionError) as error:
        raise BadFrame("not_msgpack", f"a message that is no row of msgpack objects: {type(error).__name__}") from error
    if not isinstance(kind, str):
        raise BadFrame("no_type", "a message without a `type`")
    return kind, number(epoch), rest[0] if rest else None


class _Count:
    """Counts lists and mappings while msgpack makes them; raises BadFrame beyond MAX_FRAME_ITEMS."""

    def __init__(self) -> None:
        self._left = MAX_FRAME_ITEMS

    def __call__(self, made: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise BadFrame("too_large", f"a message of more than {MAX_FRAME_ITEMS} lists and mappings")
        return made


def _plain(kind: str) -> str:
    return kind.replace("_", "").lower()  # MonitorInfo (2018) and monitor_info are one type


def seconds(epoch: float | None) -> float | None:
    """Return the time of a frame as seconds UTC."""
    # The unit of msgpack's epoch is not documented: beyond the year 5138 it must be milliseconds.
    return epoch / 1000 if epoch is not None and epoch > 1e11 else epoch


def legs(values: Any, read: Callable[[Any], float | None]) -> tuple[float, ...]:
    """Return what the legs have; one that cannot be read must not move the next into its place: the row ends there."""
    found: list[float] = []
    for value in list_of(values):
        leg = read(value)
        if leg is None:
            break
        found.append(leg)
    return tuple(found)


def solar_watts(solar_w: Any, inverter_legs: Any) -> float | None:
    """Return W of solar power, by the legs of the inverter where it is not told itself."""
    told, drawn = watts(solar_w), legs(inverter_legs, watts)
    if told is None and drawn:
        told = watts(-sum(drawn))  # sum(aux.solar) == -solar_w
    return None if told is None else max(0.0, told)  # at night inverters draw a few watts


def _read_monitor_info(fields: Mapping[str, Any]) -> Frame:
    return MonitorInfo(read_bool(fields.get("online")))


def _read_data_change(fields: Mapping[str, Any]) -> Frame:
    found = mapping(fields.get("pending_events")).get("new_device_found")
    return DataChange(
        text(fields.get("device_data_checksum")),
        text(fields.get("monitor_overview_checksum")),
        text(found.get("device_id")) is not None if isinstance(found, dict) else None,
    )


def _read_timeline_change(fields: Mapping[str, Any]) -> Frame:
    return TimelineChange(
        added=read_items(rows_of(fields.get("items_added"))),
        updated=read_items(rows_of(fields.get("items_updated"))),
        removed=read_items(rows_of(fields.get("items_removed"))),
    )


def _read_hello(fields: Mapping[str, Any]) -> Frame:
    return Hello(read_bool(fields.get("online")))


def _read_error(fields: Mapping[str, Any]) -> Frame:
    return FeedError(read_bool(fields.get("authorized")), error_reason(fields))


READERS: Mapping[str, Callable[[Mapping[str, Any]], Frame]] = {
    "hello": _read_hello,
    "monitorinfo": _read_monitor_info,
    "datachange": _read_data_change,
    "devicestates": lambda _fields: DeviceStates(),
    "newtimelineevent": _read_timeline_change,
    "error": _read_error,
}
