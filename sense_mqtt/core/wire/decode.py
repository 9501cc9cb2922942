"""`decode`: a message of the feed, read into what it says.

Twice a second a house sends a realtime update. It is read straight into types, and nothing is built of what is not
used, above all the tags that the row of each known device repeats. This way takes over only what it understands to the
letter; all else goes the tolerant way (frames.py), which says the same of whatever both can read. Of what is not used
the typed way judges the grammar alone: a number of 5,000 digits passes, and in msgpack text that is not UTF-8.
"""

import json
from collections.abc import Container, Iterable, Sequence
from typing import Generic, TypeVar

import msgpack
import msgspec

from sense_mqtt.core.bounds import (
    MAX_DEVICE_ROWS,
    MAX_FRAME_ITEMS,
    MAX_ID_LENGTH,
    holds_more_items,
    may_hold_more_containers,
)
from sense_mqtt.core.wire import devices as fields
from sense_mqtt.core.wire.devices import MAX_W, OUR_NAMES, DeviceInfo, DevicePower
from sense_mqtt.core.wire.frames import Frame, RealtimeUpdate, decode_tolerantly, holds_json, legs, seconds, solar_watts


def decode(raw: str | bytes, known: Container[str] = ()) -> Frame:
    """Return what a message of the feed says, by what arrived: text or bytes holding JSON, or three msgpack objects.

    `known`: ids of devices whose descriptions are passed over. Raises BadFrame.
    """
    return decode_update(raw, known) or decode_tolerantly(raw, known)


def decode_update(raw: str | bytes, known: Container[str] = ()) -> RealtimeUpdate | None:
    """Return a realtime update; None where this is another message, or not to the letter."""
    try:
        payload, epoch = _open_json(raw) if holds_json(raw) else _open_msgpack(raw)
        devices = _read_rows(payload.devices)
        rows = {row.id: row for row in devices}
        new_devices = () if all(map(known.__contains__, rows)) else _describe(raw, devices, known)
    except (ValueError, RecursionError, msgpack.exceptions.UnpackException):  # msgspec's errors are ValueErrors
        return None
    w, told = fields.consumption(payload.w), fields.number(payload.epoch)
    if w is None or len(rows) != len(devices) or len(devices) > MAX_DEVICE_ROWS:
        return None
    update = RealtimeUpdate(
        w=w,
        epoch=seconds(epoch if told is None else told),
        devices=devices,
        new_devices=new_devices,
        channels=legs(payload.channels, fields.watts),
        voltage=legs(payload.voltage, fields.volts),
        hz=fields.hertz(payload.hz),
        solar_w=solar_watts(payload.solar_w, payload.aux.solar if payload.aux else None),
    )
    vars(update)["rows"] = rows  # so that nobody needs to look for them again
    return update


# --- a message


class _Unusual(ValueError):
    """This has to be read tolerantly."""


class _Aux(msgspec.Struct, gc=False):
    solar: list[float] | None = None


class _Payload(msgspec.Struct, gc=False):
    w: float
    epoch: float | None = None
    devices: list[DevicePower] = []
    channels: list[float] | None = None
    voltage: list[float] | None = None
    hz: float | None = None
    solar_w: float | None = None
    aux: _Aux | None = None


class _Rows(msgspec.Struct, gc=False):
    devices: list[msgspec.Raw] = []


Payload = TypeVar("Payload")


class _Message(msgspec.Struct, Generic[Payload], gc=False):
    type: str
    payload: Payload


_JSON, _JSON_ROWS = msgspec.json.Decoder(_Message[_Payload]), msgspec.json.Decoder(_Message[_Rows])
_MSGPACK, _MSGPACK_ROWS = msgspec.msgpack.Decoder(_Payload), msgspec.msgpack.Decoder(_Rows)
_TYPES = frozenset({"realtime_update", "RealtimeUpdate"})
_NUMBER = msgspec.msgpack.Decoder(float)
_HEAD = b"\xafrealtime_update"  # the first of three msgpack objects
# How many bytes a float or an unsigned integer has, by its first.
_NUMBER_BYTES = {b"\xca": 5, b"\xcb": 9, b"\xcc": 2, b"\xcd": 3, b"\xce": 5, b"\xcf": 9}


def _open_json(raw: str | bytes) -> tuple[_Payload, None]:
    if holds_more_items(raw, MAX_FRAME_ITEMS):
        raise _Unusual
    message = _JSON.decode(raw if isinstance(raw, str) else raw.decode())  # UTF-8 is not checked where it is skipped
    if message.type not in _TYPES:
        raise _Unusual
    return message.payload, None


def _open_msgpack(raw: str | bytes) -> tuple[_Payload, float | None]:
    if not isinstance(raw, bytes) or may_hold_more_containers(raw, MAX_FRAME_ITEMS):
        raise _Unusual
    begins = _payload_begins(raw)
    return _MSGPACK.decode(memoryview(raw)[begins:]), fields.number(_NUMBER.decode(raw[len(_HEAD) : begins]))


def _payload_begins(raw: bytes) -> int:
    if not raw.startswith(_HEAD) or (size := _NUMBER_BYTES.get(raw[len(_HEAD) : len(_HEAD) + 1])) is None:
        raise _Unusual
    return len(_HEAD) + size


# --- the rows of devices


def _read_rows(rows: Iterable[DevicePower]) -> tuple[DevicePower, ...]:
    """Return what the rows are read as; most say that already."""
    return tuple(
        [
            row
            if 0.0 < (row.w or 0.0) <= MAX_W
            and (name := row.name)
            and name.strip() == name == OUR_NAMES.get(row.id, name)
            and (row.always_on_w is None or 0.0 <= row.always_on_w <= MAX_W)
            else _read_power(row)
            for row in rows
        ]
    )


def _read_power(row: DevicePower) -> DevicePower:
    name, w = fields.read_name(row.id, {"name": row.name}), fields.consumption(row.w)
    return DevicePower(row.id, name, w, row.attrs, fields.consumption(row.always_on_w))


def _describe(raw: str | bytes, devices: Sequence[DevicePower], known: Container[str]) -> tuple[DeviceInfo, ...]:
    """Return the descriptions in the rows of those devices that are not known."""
    unknown = [number for number, row in enumerate(devices) if row.id not in known]
    if any(fields.text(devices[row].id) != devices[row].id or len(devices[row].id) > MAX_ID_LENGTH for row in unknown):
        raise _Unusual
    if isinstance(raw, bytes) and not holds_json(raw):
        packed = _MSGPACK_ROWS.decode(memoryview(raw)[_payload_begins(raw) :]).devices
        rows = [msgpack.unpackb(packed[row], strict_map_key=False) for row in unknown]
    else:
        packed = _JSON_ROWS.decode(raw).payload.devices
        rows = [json.loads(bytes(packed[row])) for row in unknown]
    return tuple(fields.read_device_info(devices[row].id, each) for row, each in zip(unknown, rows, strict=True))
