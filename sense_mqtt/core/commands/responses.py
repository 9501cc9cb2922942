"""Answers to commands, written once and for every outcome: what worked, what was refused, what failed."""

import enum
import math
from collections.abc import Mapping
from typing import Any, Final, Literal

from msgspec import Struct

from sense_mqtt.core.payloads import write_json
from sense_mqtt.errors import (
    CommandRefused,
    LoginRefused,
    NotFound,
    RateLimited,
    RequestRefused,
    SenseMqttError,
    TokenRefused,
)

HEADER_BYTES = 512  # room for the contract's topic, the properties and MQTT's own bytes around a payload

CODES: tuple[tuple[type[SenseMqttError], str], ...] = (
    (RateLimited, "rate_limited"),  # its message says how long
    (LoginRefused, "unauthorized"),  # MfaNeeded too
    (TokenRefused, "unauthorized"),
    (NotFound, "not_found"),
    (RequestRefused, "bad_request"),
)
"""The contract's code for each class of error; for every other it is `unavailable`: asking again later may help."""


class Absent(enum.Enum):
    """The marker of what was not given, where null is a value like any other."""

    ABSENT = enum.auto()


ABSENT: Final = Absent.ABSENT


class ResponseTo(Struct, frozen=True):
    """Where the answer goes: the asker's own topic (MQTT 5), or the contract's where that is None."""

    topic: str | None = None
    correlation: bytes | None = None


class Command(Struct, frozen=True):
    """A request that was understood; or, with its arguments left empty, as much of one as a refusal needs."""

    name: str
    arguments: Mapping[str, Any]
    monitor: int | None
    transaction: Any | Literal[Absent.ABSENT]
    response_to: ResponseTo


class Response(Struct, frozen=True):
    """The one answer to a request. Where `topic` is None it goes to the contract's response topic of `command`."""

    command: str
    topic: str | None
    payload: str
    correlation: bytes | None


def respond(command: Command, data: Any, maximum_packet_size: int | None = None) -> Response:
    """Return the answer that carries `data`, or a refusal where JSON or the broker's packets cannot hold it."""
    try:
        response = _response(command, {"status": "ok", "data": data})
    except (ValueError, TypeError, RecursionError):
        return refuse(command, "unavailable", "the answer holds something that JSON cannot carry")
    size = _size(response)
    if maximum_packet_size is None or size <= maximum_packet_size:
        return response
    return refuse(
        command, "too_large", f"the answer takes {size} bytes, the broker takes at most {maximum_packet_size}"
    )


def refuse(command: Command, code: str, error: str, retry_after_s: float | None = None) -> Response:
    """Return the answer that says why not, with a code of the contract, and when asking again may help."""
    when = {} if retry_after_s is None else {"retry_after_s": math.ceil(retry_after_s)}
    return _response(command, {"status": "error", "error": error, "code": code, **when})


def refuse_for(command: Command, error: SenseMqttError) -> Response:
    """Return the answer for what was raised or came back instead of a result."""
    return refuse(command, *error_code(error))


def error_code(error: SenseMqttError) -> tuple[str, str]:
    """Return the contract's code for an error, and its message."""
    if isinstance(error, CommandRefused):
        return error.code, str(error)
    return next((code for kind, code in CODES if isinstance(error, kind)), "unavailable"), str(error)


def _response(command: Command, document: dict[str, Any]) -> Response:
    if command.transaction is not ABSENT:
        document["transaction"] = command.transaction
    return Response(command.name, command.response_to.topic, write_json(document), command.response_to.correlation)


def _size(response: Response) -> int:
    """Return the bytes of the packet that carries the reply, at most."""
    return (
        len(response.payload.encode())
        + len((response.topic or "").encode())
        + len(response.correlation or b"")
        + HEADER_BYTES
    )
