"""How JSON documents and numbers are written in MQTT payloads, and read from them."""

import json
from datetime import datetime
from typing import Any

from sense_mqtt.core.timestamps import write_datetime


def write_json(value: Any) -> str:
    """Return compact JSON that UTF-8 can carry. Raises ValueError, TypeError or RecursionError where there is none."""
    text = _ENCODER.encode(value)
    return text if text.isascii() or _encodes(text) else _ASCII_ENCODER.encode(value)


def _write_other(value: Any) -> str:
    if isinstance(value, datetime):
        return write_datetime(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


# Each call of `json.dumps` with these would make one anew.
_ENCODER, _ASCII_ENCODER = (
    json.JSONEncoder(ensure_ascii=is_ascii, allow_nan=False, separators=(",", ":"), default=_write_other)
    for is_ascii in (False, True)
)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which JSON's \u can spell and UTF-8 cannot
        return False
    return True


def write_number(value: float, decimals: int) -> str:
    """Return a plain decimal number with so many decimals; a zero has no sign."""
    written = f"{value:.{decimals}f}"
    return written.removeprefix("-") if float(written) == 0 else written


def read_object(text: str) -> dict[str, Any]:
    """Return the JSON object that a payload holds; an empty one where it holds none."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
