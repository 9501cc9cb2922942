"""The health document: how the bridge is doing, in numbers."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from sense_mqtt.errors import SenseMqttError

logger = logging.getLogger(__name__)


class Counters(Struct):
    """What the bridge counts since it started. For the bridge's thread only."""

    frames: int = 0
    events: int = 0
    reconnects: int = 0  # of feeds, after their first connection
    bad_frames: int = 0
    broker_connections: int = 0
    errors: int = 0  # items that the bridge could not deal with
    requests_unanswered: int = 0  # more came than can be answered


Counts = Callable[[], Mapping[str, int]]  # by name


def count(counts: Counts) -> Mapping[str, int]:
    """Return these figures; none where they cannot be read: health must be told all the same."""
    try:
        return counts()
    except SenseMqttError as error:  # the file of logins
        logger.debug("calls and logins cannot be counted: %s", error)
        return {}


def read_rss_mb(status: Path = Path("/proc/self/status")) -> float | None:
    """Return the resident memory of this process in MB; None where the system does not tell."""
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return None
    sizes = [line.split()[1] for line in lines if line.startswith("VmRSS:")]
    return round(int(sizes[0]) / 1024, 1) if sizes else None


def describe_health(counters: Counters, more: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of `bridge/health`; what is not known is absent."""
    document = {
        "frames": counters.frames,
        "events": counters.events,
        "reconnects": counters.reconnects,
        "bad_frames": counters.bad_frames,
        "broker_connections": counters.broker_connections,
        "errors": counters.errors,
        "requests_unanswered": counters.requests_unanswered,
        "rss_mb": read_rss_mb(),
        **more,
    }
    return {key: value for key, value in document.items() if value is not None}
