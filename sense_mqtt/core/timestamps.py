"""Instants: on two clocks, and as text: ISO 8601 UTC with milliseconds and `Z`, as the contract has it."""

from datetime import UTC, datetime
from typing import Any

import msgspec

_OLDEST, _NEWEST = 0.0, 253402300799.0  # 1970 to the end of 9999, what `datetime` and people can read


class Moment(msgspec.Struct, frozen=True):
    """One instant on both clocks."""

    wall: float  # seconds since 1970-01-01 UTC
    monotonic: float  # seconds since any fixed point; never jumps


def to_datetime(seconds: float) -> datetime:
    """Return the datetime in UTC, to a millisecond; out of range, the nearest one that can be written."""
    return datetime.fromtimestamp(round(min(max(seconds, _OLDEST), _NEWEST), 3), UTC)


def write_datetime(time: datetime) -> str:
    """Return `2026-11-21T19:00:00.500Z` for a datetime in UTC."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_timestamp(seconds: float) -> str:
    """Return `2026-11-21T19:00:00.500Z` for seconds UTC; out of range, the nearest that can be written."""
    return write_datetime(to_datetime(seconds))


def read_timestamp(value: Any) -> float | None:
    """Return the seconds since 1970 of ISO 8601 text; without a zone it is UTC; None where it is no such text."""
    if not isinstance(value, str):
        return None
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()
