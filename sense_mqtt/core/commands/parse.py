"""From an MQTT request to a Command, or to the answer that refuses it. Whatever a request holds, it gets one answer."""

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from sense_mqtt.core.commands.arguments import MONITOR_ID, Argument, shown
from sense_mqtt.core.commands.replies import (
    ABSENT,
    Command,
    Reply,
    ReplyTo,
    refuse,
    refuse_for,
)
from sense_mqtt.core.commands.table import COMMANDS, complete
from sense_mqtt.errors import CommandRefused

PAYLOAD_MOST_BYTES = 64 * 1024
TRANSACTION_MOST = 1024  # characters as JSON: it comes back in every answer, also in those that must be small
NAME_MOST = 64  # characters; an unknown command with a longer name is answered under its beginning

_MONITOR = Argument("monitor", MONITOR_ID)


def parse(
    name: str,
    payload: bytes,
    *,
    retain: bool = False,
    response_topic: str | None = None,
    correlation: bytes | None = None,
) -> Command | Reply:
    """Return what a request asks for, or the answer that refuses it. Never raises."""
    asked = Command(name[:NAME_MOST], {}, None, ABSENT, ReplyTo(response_topic, correlation))
    try:
        given, doubled = _read_object(payload)
        asked = replace(asked, transaction=_read_transaction(given, doubled))
        return _complete(asked, given, doubled, retain=retain)
    except CommandRefused as refusal:
        return refuse_for(asked, refusal)
    except RecursionError:
        return refuse(asked, "bad_request", "the request is nested too deep")


def needs_monitor(command: Command) -> bool:
    """Tell whether the command cannot be carried out without knowing which monitor is meant."""
    asked = [command.arguments.get("path"), *command.arguments.get("params", {}).values()]
    return COMMANDS[command.name].about_one or any("{monitor}" in str(text) for text in asked)


def choose_monitor(command: Command, known: Sequence[int]) -> int:
    """Return the monitor that the command is about, any where that does not matter. Raises CommandRefused."""
    if command.monitor is not None and command.monitor not in known:
        raise CommandRefused("not_found", f"no monitor {command.monitor} on this account")
    if not known:
        raise CommandRefused("not_found", "no monitor on this account")
    if command.monitor is None and len(known) > 1 and needs_monitor(command):
        raise CommandRefused("bad_request", f"monitor: is missing; must be one of {', '.join(map(str, known))}")
    return known[0] if command.monitor is None else command.monitor


def _complete(asked: Command, given: dict[str, Any], doubled: Sequence[str], *, retain: bool) -> Command:
    if retain:
        raise CommandRefused("bad_request", "a retained request is refused: publish it without retain")
    if doubled:
        raise CommandRefused("bad_request", f"{shown(doubled[0])} appears more than once in one object")
    own = {name: value for name, value in given.items() if name not in ("monitor", "transaction")}
    arguments = complete(asked.name, own)
    monitor = given.get("monitor")
    return replace(asked, arguments=arguments, monitor=None if monitor is None else _MONITOR.read(monitor))


def _read_object(payload: bytes) -> tuple[dict[str, Any], list[str]]:
    """Return the payload's object, and the names that stand more than once in one object, at any depth."""
    if len(payload) > PAYLOAD_MOST_BYTES:
        raise CommandRefused(
            "too_large", f"the request has {len(payload)} bytes; at most {PAYLOAD_MOST_BYTES} are read"
        )
    doubled: list[str] = []

    def gather(members: list[tuple[str, Any]]) -> dict[str, Any]:
        times = Counter(name for name, _ in members)
        doubled.extend(name for name, count in times.items() if count > 1)
        return dict(members)

    given = _read_json(payload, gather) if payload.strip() else {}
    if not isinstance(given, dict):
        raise CommandRefused("bad_request", f"the request must be a JSON object or empty, not {shown(given)}")
    return given, doubled


def _read_json(payload: bytes, gather: Callable[[list[tuple[str, Any]]], Any]) -> Any:
    try:
        return json.loads(
            payload.decode(), object_pairs_hook=gather, parse_constant=_refuse_number, parse_float=_finite
        )
    except ValueError as error:  # not UTF-8 or not JSON
        raise CommandRefused("bad_request", f"the request is not JSON: {error}") from error


def _refuse_number(text: str) -> NoReturn:
    raise ValueError(f"{shown(text)} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse_number(text)


def _read_transaction(given: Mapping[str, Any], doubled: Sequence[str]) -> Any:
    """Return the transaction, ABSENT where there is none, or not one."""
    if "transaction" not in given or "transaction" in doubled:
        return ABSENT
    length = len(json.dumps(given["transaction"]))
    if length > TRANSACTION_MOST:
        raise CommandRefused(
            "bad_request", f"transaction: has {length} characters, at most {TRANSACTION_MOST} come back"
        )
    return given["transaction"]
