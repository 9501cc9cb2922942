"""From an MQTT request to a Command, or to the answer that refuses it. Whatever a request holds, it gets one answer."""

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from msgspec.structs import replace

from sense_mqtt.core.commands.arguments import MONITOR_ID, Argument, quoted
from sense_mqtt.core.commands.responses import (
    ABSENT,
    Command,
    Response,
    ResponseTo,
    refuse,
    refuse_for,
)
from sense_mqtt.core.commands.table import COMMANDS, complete
from sense_mqtt.errors import CommandRefused

MAX_PAYLOAD_BYTES = 64 * 1024
MAX_TRANSACTION = 1024  # characters as JSON: it comes back in every answer, also in those that must be small
MAX_NAME = 64  # characters; an unknown command with a longer name is answered under its beginning

_MONITOR = Argument("monitor", MONITOR_ID)


def parse(
    name: str,
    payload: bytes,
    *,
    retain: bool = False,
    response_topic: str | None = None,
    correlation: bytes | None = None,
) -> Command | Response:
    """Return what a request asks for, or the answer that refuses it. Never raises."""
    asked = Command(name[:MAX_NAME], {}, None, ABSENT, ResponseTo(response_topic, correlation))
    try:
        given, duplicates = _read_object(payload)
        asked = replace(asked, transaction=_read_transaction(given, duplicates))
        return _complete(asked, given, duplicates, retain=retain)
    except CommandRefused as refusal:
        return refuse_for(asked, refusal)
    except RecursionError:
        return refuse(asked, "bad_request", "the request is nested too deep")


def needs_monitor(command: Command) -> bool:
    """Tell whether the command cannot be carried out without knowing which monitor is meant."""
    asked = [command.arguments.get("path"), *command.arguments.get("params", {}).values()]
    return COMMANDS[command.name].one_monitor or any("{monitor}" in str(text) for text in asked)


def choose_monitor(command: Command, known: Sequence[int]) -> int:
    """Return the monitor that the command is about, any where that does not matter. Raises CommandRefused."""
    if command.monitor is not None and command.monitor not in known:
        raise CommandRefused("not_found", f"no monitor {command.monitor} on this account")
    if not known:
        raise CommandRefused("not_found", "no monitor on this account")
    if command.monitor is None and len(known) > 1 and needs_monitor(command):
        raise CommandRefused("bad_request", f"monitor: is missing; must be one of {', '.join(map(str, known))}")
    return known[0] if command.monitor is None else command.monitor


def _complete(asked: Command, given: dict[str, Any], duplicates: Sequence[str], *, retain: bool) -> Command:
    if retain:
        raise CommandRefused("bad_request", "a retained request is refused: publish it without retain")
    if duplicates:
        raise CommandRefused("bad_request", f"{quoted(duplicates[0])} appears more than once in one object")
    own = {name: value for name, value in given.items() if name not in ("monitor", "transaction")}
    arguments = complete(asked.name, own)
    monitor = given.get("monitor")
    return replace(asked, arguments=arguments, monitor=None if monitor is None else _MONITOR.read(monitor))


def _read_object(payload: bytes) -> tuple[dict[str, Any], list[str]]:
    """Return the payload's object, and the names that stand more than once in one object, at any depth."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise CommandRefused("too_large", f"the request has {len(payload)} bytes; at most {MAX_PAYLOAD_BYTES} are read")
    duplicates: list[str] = []

    def gather(members: list[tuple[str, Any]]) -> dict[str, Any]:
        times = Counter(name for name, _ in members)
        duplicates.extend(name for name, count in times.items() if count > 1)
        return dict(members)

    given = _read_json(payload, gather) if payload.strip() else {}
    if not isinstance(given, dict):
        raise CommandRefused("bad_request", f"the request must be a JSON object or empty, not {quoted(given)}")
    return given, duplicates


def _read_json(payload: bytes, gather: Callable[[list[tuple[str, Any]]], Any]) -> Any:
    try:
        return json.loads(
            payload.decode(), object_pairs_hook=gather, parse_constant=_refuse_number, parse_float=_finite
        )
    except ValueError as error:  # not UTF-8 or not JSON
        raise CommandRefused("bad_request", f"the request is not JSON: {error}") from error


def _refuse_number(text: str) -> NoReturn:
    raise ValueError(f"{quoted(text)} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse_number(text)


def _read_transaction(given: Mapping[str, Any], duplicates: Sequence[str]) -> Any:
    """Return the transaction, ABSENT where there is none, or not one."""
    if "transaction" not in given or "transaction" in duplicates:
        return ABSENT
    length = len(json.dumps(given["transaction"]))
    if length > MAX_TRANSACTION:
        raise CommandRefused(
            "bad_request", f"transaction: has {length} characters, at most {MAX_TRANSACTION} come back"
        )
    return given["transaction"]
