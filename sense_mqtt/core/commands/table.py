"""THE table of commands: what each is for, what it takes and who carries it out."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from msgspec import Struct

from sense_mqtt.core.commands import arguments as kinds
from sense_mqtt.core.commands.arguments import Argument, fill, quoted
from sense_mqtt.core.energy.periods import SCALES
from sense_mqtt.core.readings.bridge_entities import LOG_LEVELS
from sense_mqtt.errors import CommandRefused


class CommandEntry(Struct, frozen=True):
    """A row of the table of commands."""

    description: str
    arguments: tuple[Argument, ...] = ()
    runs_on: Literal["sense", "bridge"] = "sense"  # who carries it out
    one_monitor: bool = True  # where the account has several monitors, one must be named


_SCALE = Argument("scale", kinds.choice(*SCALES), "DAY")
_TRENDS_SCALE = Argument("scale", kinds.choice("HOUR", *SCALES), "DAY")
_PERIOD = Argument("start", kinds.PERIOD)
_DEVICE = Argument("device_id", kinds.DEVICE_ID)
_HISTORY = (
    Argument("granularity", kinds.choice("SECOND", "MINUTE", "HOUR", "DAY"), "MINUTE"),
    Argument("start", kinds.TIME),
    Argument("frames", kinds.whole_number(1, 10_080), 60),  # the most that was seen in use (SC)
    _DEVICE,
)
_TIMELINE = (Argument("n_items", kinds.whole_number(1, 1000), 30), _DEVICE, Argument("prior_to_item", kinds.TIME))
_PAUSE = (Argument("minutes", kinds.whole_number(0, 1440), 10), Argument("silent", kinds.FLAG, default=False))
_LEVEL = Argument("level", kinds.choice(*LOG_LEVELS), required=True)


def _own(description: str, *arguments: Argument) -> CommandEntry:
    return CommandEntry(description, arguments, "bridge", one_monitor=False)


COMMANDS: Mapping[str, CommandEntry] = {
    "devices": CommandEntry("list of devices (raw)"),
    "device": CommandEntry(
        "one device's detail (raw); also `always_on` and `unknown`", (Argument("id", kinds.DEVICE_ID, required=True),)
    ),
    "always_on": CommandEntry("detail of the always-on load (raw)"),
    "unknown": CommandEntry("detail of what Sense could not name (raw)"),
    "status": CommandEntry("monitor status: signal, wifi, detection in progress and found (raw)"),
    "overview": CommandEntry("monitor overview (raw)"),
    "timeline": CommandEntry("timeline of the account (raw)", _TIMELINE, one_monitor=False),
    "history": CommandEntry("sample curve (raw); without `start`, the newest `frames`", _HISTORY),
    "usage": CommandEntry("`history/usage` (raw); without `start`, the present period", (_SCALE, _PERIOD)),
    "solar_usage": CommandEntry("`history/usage/solar` (raw); without `start`, the present period", (_SCALE, _PERIOD)),
    "trends": CommandEntry("the old `history/trends` (raw)", (_TRENDS_SCALE, _PERIOD)),
    "energy": CommandEntry("usage and solar in one shape, from whichever endpoint answers", (_SCALE, _PERIOD)),
    "realtime": CommandEntry("`realtime_update`: one frame (raw)"),
    "comparisons": CommandEntry("comparison with similar homes (raw)"),
    "rate_zones": CommandEntry("time-of-use rate zones (raw)"),
    "get": CommandEntry(
        "any other GET below the API's base, `{monitor}` and `{user}` filled in",
        (Argument("path", kinds.PATH, required=True), Argument("params", kinds.PARAMS)),
        one_monitor=False,
    ),
    "refresh": CommandEntry(
        "reads devices and the energy of all periods again now, and publishes them; takes some ten seconds",
        runs_on="bridge",
    ),
    "republish": _own("says everything retained again"),
    "pause": _own("lets go of Sense's connection, so that the app's live meter is free; 0 minutes end it", *_PAUSE),
    "resume": _own("ends a pause"),
    "health": _own("the health document, now"),
    "log_level": _own("how much the log says", _LEVEL),
    "restart": _own("stops with exit code 0 after answering; the supervisor starts it again"),
}


def complete(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a command, checked, in Sense's form and with defaults. Raises CommandRefused."""
    entry = COMMANDS.get(name)
    if entry is None:
        raise CommandRefused("unknown_command", f"no command {quoted(name)}; there are: {', '.join(COMMANDS)}")
    return fill(entry.arguments, given)


def read_pairs(name: str, pairs: Iterable[str]) -> dict[str, Any]:
    """Return what a command line's `key=value` words give, unchecked: JSON where it is some, else text."""
    entry = COMMANDS.get(name, CommandEntry(""))
    textual = {argument.name for argument in entry.arguments if argument.kind.textual}
    given: dict[str, Any] = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        if not key or "=" not in pair:
            raise CommandRefused("bad_request", f"{quoted(pair)}: write arguments as key=value")
        given[key] = value if key in textual else _json_or_text(value)
    return given


def _json_or_text(value: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
