"""The sorts of arguments that commands take: what is allowed, in words, and how a JSON value is read."""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from sense_mqtt.core.timestamps import read_timestamp, write_timestamp
from sense_mqtt.errors import CommandRefused

MAX_QUOTED = 60  # characters of somebody's value that our error messages repeat
MAX_PATH = 256
MAX_PARAM = 512  # characters
MAX_PARAMS = 32

_ID = re.compile(r"[A-Za-z0-9_.~-]{1,128}")
_BARE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_SEGMENT = re.compile(r"(?:[A-Za-z0-9_.,~-]|\{monitor\}|\{user\})+")
_PARAM_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_ENDS_SESSIONS = frozenset({"logout", "authenticate", "renew"})  # GET logout ends the session (SE, OH)


class Kind(Struct, frozen=True):
    """A sort of argument. `read` turns a JSON value into ours; its ValueError may say more than `allowed`."""

    allowed: str  # completes "must be ..."
    read: Callable[[Any], Any]
    textual: bool = False  # on the command line it is text as it stands, not JSON


class Argument(Struct, frozen=True):
    """One argument of a command. Left out, it is `default`; None: it stays out."""

    name: str
    kind: Kind
    default: Any = None
    required: bool = False

    def describe(self) -> str:
        """Return one line for people: name, default and what is allowed."""
        manner = " (required)" if self.required else "" if self.default is None else f" ({_plain(self.default)})"
        return f"{self.name}{manner}: {self.kind.allowed}"

    def read(self, value: Any) -> Any:
        """Return the value as Sense or the bridge wants it; refuse what is not allowed."""
        try:
            return self.kind.read(value)
        except ValueError as error:
            more = f" ({error})" if str(error) else ""
            raise CommandRefused(
                "bad_request", f"{self.name}: must be {self.kind.allowed}, not {quoted(value)}{more}"
            ) from error


def quoted(value: Any) -> str:
    """Return a value as JSON in ASCII, cut to what a message can bear."""
    try:
        text = json.dumps(value)
    except RecursionError:
        return "something nested too deep"
    return text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}..."


def fill(arguments: Sequence[Argument], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return every argument that was given or has a default. `null` counts as left out. Raises CommandRefused."""
    known = [argument.name for argument in arguments]
    for name in given:
        if name not in known:
            allowed = ", ".join([*known, "monitor", "transaction"])
            raise CommandRefused("bad_request", f"unknown argument {quoted(name)}; allowed: {allowed}")
    filled = {argument.name: _fill_one(argument, given.get(argument.name)) for argument in arguments}
    return {name: value for name, value in filled.items() if value is not None}


def _fill_one(argument: Argument, value: Any) -> Any:
    if value is not None:
        return argument.read(value)
    if argument.required:
        raise CommandRefused("bad_request", f"{argument.name}: is missing; must be {argument.kind.allowed}")
    return argument.default


def choice(*words: str) -> Kind:
    """Make a kind of which one of `words` is allowed, in any case of letters."""
    by_folded = {word.casefold(): word for word in words}

    def read(value: Any) -> str:
        if not isinstance(value, str) or value.casefold() not in by_folded:
            raise ValueError
        return by_folded[value.casefold()]

    return Kind(f"{', '.join(words[:-1])} or {words[-1]}", read, textual=True)


def whole_number(least: int, most: int) -> Kind:
    """Make a kind of whole numbers, both bounds included."""

    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError
        return value

    return Kind(f"a whole number from {least} to {most}", read)


def _read_monitor(value: Any) -> int:
    # Home Assistant's templates make text of numbers; ids are short, and "²" is a digit to str.isdigit.
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError
    return value


def _read_id(value: Any) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value) or not value.strip("."):
        raise ValueError
    return value


def _read_flag(value: Any) -> bool:
    if value is not True and value is not False:  # 1 == True, but 1 is no flag
        raise ValueError
    return value is True


def _read_period(value: Any) -> str:
    # Any instant in the period will do (SE 0.15.0). Noon UTC lies in the local day of that date wherever Sense is sold;
    # midnight UTC would be the evening before.
    noon = isinstance(value, str) and _BARE_DATE.fullmatch(value)
    return _read_time(f"{value}T12:00:00Z" if noon else value)


def _read_time(value: Any) -> str:
    seconds = read_timestamp(value)
    if seconds is None or seconds < 0:
        raise ValueError
    return write_timestamp(seconds)


def _read_path(value: Any) -> str:
    """Return a path that cannot leave the API's base, without its leading slash."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_PATH:
        raise ValueError
    path = value.removeprefix("/")
    segments = path.removesuffix("/").split("/")
    for segment in segments:
        if not _SEGMENT.fullmatch(segment) or not segment.strip("."):
            raise ValueError(f"{quoted(segment)} cannot stand between slashes")
    if segments[0].casefold() in _ENDS_SESSIONS:
        raise ValueError("it would end the session")
    return path


def _read_params(value: Any) -> dict[str, str | int]:
    if not isinstance(value, dict) or len(value) > MAX_PARAMS:
        raise ValueError
    return {_param_name(name): _param_value(entry) for name, entry in value.items()}


def _param_name(name: str) -> str:
    if not _PARAM_NAME.fullmatch(name):
        raise ValueError(f"{quoted(name)} is no name of a parameter")
    return name


def _param_value(value: Any) -> str | int:
    match value:
        case bool():
            return "true" if value else "false"
        case float() if math.isfinite(value):
            return repr(value)
        case int() if abs(value) < 10**18:
            return value
        case str() if len(value) <= MAX_PARAM and value.isprintable():
            return value
    raise ValueError(f"{quoted(value)} is no value of a parameter")


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


MONITOR_ID = Kind("a monitor's id, a whole number", _read_monitor)
DEVICE_ID = Kind("a device's id: 1 to 128 letters, digits, '_', '-', '.' or '~'", _read_id, textual=True)
FLAG = Kind("true or false", _read_flag)
PERIOD = Kind("an instant within the period, as 2026-11-21 or 2026-11-21T19:00:00Z", _read_period, textual=True)
TIME = Kind("an instant in UTC, as 2026-11-21T19:00:00Z", _read_time, textual=True)
PATH = Kind(
    "a path below the API's base, as app/monitors/{monitor}/status, "
    "of letters, digits, '_', '-', '.', ',', '~', '/', {monitor} and {user}",
    _read_path,
    textual=True,
)
PARAMS = Kind("an object of texts, numbers, true or false", _read_params)
