"""Check that a path stays below the base URL of the API. Pure."""

import re

from sense_mqtt.errors import CommandRefused

LONGEST = 300  # characters; Sense's longest known path has 60

# No %, ?, #, backslash, space or control character; no empty segment. Sense's ids need nothing else.
PLAIN = re.compile(r"[A-Za-z0-9_.,~@+:=-]+(/[A-Za-z0-9_.,~@+:=-]+)*/?")


def plain_path(path: str) -> str:
    """Return `path` relative to the base URL, or raise `CommandRefused` if it might lead elsewhere."""
    relative = path.removeprefix("/")
    if len(path) > LONGEST or not PLAIN.fullmatch(relative) or _leaves_base(relative):
        raise CommandRefused("bad_request", f"path {path[:60]!r} must be a plain path below the API, like app/monitors")
    return relative


def _leaves_base(relative: str) -> bool:
    segments = relative.split("/")
    return ":" in segments[0] or any(segment.strip(".") == "" for segment in segments if segment)
