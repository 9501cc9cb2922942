"""How a message of the feed travels: JSON text, JSON in binary, msgpack, old CamelCase types; and garbage. Pure."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgpack

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class MessageEncoding:
    """How one socket wants its messages."""

    msgpack: bool = False
    binary_json: bool = False  # 2017
    camel_case: bool = False  # 2018: MonitorInfo, DataChange

    def encode(self, kind: str, payload: Payload | None, epoch: int) -> str | bytes:
        """Return one message: text where it is a str, binary where it is bytes."""
        if self.msgpack:  # SE#80: three objects in a row
            return b"".join(map(msgpack.packb, (kind, epoch, payload if payload is not None else {})))
        named = OLD_TYPES.get(kind, kind) if self.camel_case else kind
        message = {"type": named} if payload is None else {"type": named, "payload": payload}
        text = json.dumps(message, ensure_ascii=False)
        return text.encode() if self.binary_json else text

    def as_message(self, text: str) -> str | bytes:
        """Return raw text as this socket's kind of message."""
        return text.encode() if self.msgpack or self.binary_json else text


OLD_TYPES: Mapping[str, str] = {"monitor_info": "MonitorInfo", "data_change": "DataChange"}


def _without(*names: str) -> Callable[[Payload], Payload]:
    return lambda payload: {key: value for key, value in payload.items() if key not in names}


def _without_pseudo(payload: Payload) -> Payload:
    real = [
        device_row for device_row in payload["devices"] if device_row["id"] not in {"always_on", "unknown", "solar"}
    ]
    return payload | {"devices": real}


def _wrong_types(payload: Payload) -> Payload:
    wrong: Payload = {
        "voltage": "121",
        "hz": [60],
        "frame": None,
        "solar_w": "a lot",
        "channels": {},
        "epoch": "now",
        "c": True,
    }
    return payload | wrong


def _beyond_any_house(payload: Payload) -> Payload:
    spoiled = {"w": 4294967296.0, "d_w": 4294967296, "channels": [4294967296.0, 0.0], "voltage": [65535.0, 121.25]}
    return payload | spoiled


def _below_zero(payload: Payload) -> Payload:
    rows = [
        device_row | {"w": -3.7} if device_row["id"] == "unknown" else device_row for device_row in payload["devices"]
    ]
    return payload | {"w": -0.04, "d_w": 0, "devices": rows}


def _without_sun(payload: Payload) -> Payload:
    """Return the payload as of a home without solar, whose `grid_w` is none of ours to explain."""
    bare = _without("solar_w", "d_solar_w", "solar_c", "solar_pct", "aux")(payload)
    return bare | {"grid_w": math.trunc(0.97 * payload["w"])}


# Payloads that go wrong in one way each; what they hold besides is true.
MALFORMED_PAYLOADS: Mapping[str, Callable[[Payload], Payload]] = {
    "empty_devices": lambda payload: payload | {"devices": []},
    "no_devices": _without("devices"),
    "devices_null": lambda payload: payload | {"devices": None},
    "no_pseudo_devices": _without_pseudo,
    "no_w": _without("w"),
    "w_text": lambda payload: payload | {"w": "much"},
    "nan": lambda payload: payload | {"w": float("nan"), "hz": float("inf")},
    "wrong_types": _wrong_types,
    "beyond_any_house": _beyond_any_house,
    "below_zero": _below_zero,
    "no_sun": _without_sun,
    "sparse": _without("voltage", "hz", "channels", "c", "aux", "deltas", "_stats", "power_flow"),
}

# Messages that are none.
MALFORMED_MESSAGES: Mapping[str, Callable[[MessageEncoding, Payload], str | bytes]] = {
    "not_json": lambda encoding, _: encoding.as_message("<html><body>Bad Gateway</body></html>"),
    "truncated": lambda encoding, payload: _half(encoding.encode("realtime_update", payload, 0)),
    "a_list": lambda encoding, _: msgpack.packb([1, 2]) if encoding.msgpack else encoding.as_message("[1, 2]"),
    "payload_text": lambda encoding, _: encoding.as_message('{"type": "realtime_update", "payload": "none"}'),
    "no_type": lambda encoding, _: encoding.as_message('{"payload": {"w": 1}}'),
    "empty": lambda encoding, _: encoding.as_message(""),
    "unknown_type": lambda encoding, _: encoding.encode("recent_history", {"w": 3}, 0),
}

MALFORMED_KINDS = frozenset(MALFORMED_PAYLOADS) | frozenset(MALFORMED_MESSAGES)


def _half(message: str | bytes) -> str | bytes:
    return message[: len(message) // 2]


def make_malformed(kind: str, encoding: MessageEncoding, payload: Payload, epoch: int) -> str | bytes:
    """Return the frame gone wrong in the way `kind` names, one of MALFORMED_KINDS."""
    if kind in MALFORMED_MESSAGES:
        return MALFORMED_MESSAGES[kind](encoding, payload)
    return encoding.encode("realtime_update", MALFORMED_PAYLOADS[kind](payload), epoch)
