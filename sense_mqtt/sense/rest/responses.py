"""Turn an HTTP response of Sense into a value, or into one class of error per reaction. Pure."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from sense_mqtt.core.bounds import MAX_RESPONSE_ITEMS, holds_more_items
from sense_mqtt.core.plain_text import without_hidden
from sense_mqtt.core.wire.devices import error_reason
from sense_mqtt.errors import (
    LoginRefused,
    MfaNeeded,
    NotFound,
    RateLimited,
    RequestRefused,
    SenseMqttError,
    SenseUnavailable,
    TokenRefused,
)
from sense_mqtt.logs.redaction import Redactor
from sense_mqtt.net.http_times import retry_after_s

RETRY_AFTER_DEFAULT_S = 60.0  # if a 429 does not say how long
REASON_LONGEST = 120  # characters of Sense's text that are repeated

NO_JSON = object()

Endpoint = Literal["get", "authenticate", "authenticate/mfa", "renew"]

ENDPOINT_NAMES: dict[Endpoint, str] = {
    "get": "the request",
    "authenticate": "the login",
    "authenticate/mfa": "the code",
    "renew": "the renewal",
}


class CodeRequired(MfaNeeded):
    """Sense asks for the code of two-factor login; `mfa_token` belongs to the answer."""

    def __init__(self, message: str, mfa_token: str) -> None:
        super().__init__(message)
        self.mfa_token = mfa_token


class CodeRefused(LoginRefused):
    """Sense refused the code of two-factor login."""


class AccountLocked(LoginRefused):
    """Sense has locked the account for a while."""


class SenseOverloaded(SenseUnavailable):
    """Sense has an outage (5xx); `retry_after_s` is 0 if it does not say how long."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Response(Struct, frozen=True):
    """An HTTP response, read to its end."""

    status: int
    body: bytes
    content_type: str = ""
    retry_after: str | None = None
    received_at: float = 0.0  # wall clock


# What Sense's "no" means at each door. Not listed: RequestRefused.
REFUSALS: dict[tuple[Endpoint, int], type[SenseMqttError]] = {
    ("get", 401): TokenRefused,
    ("get", 403): TokenRefused,
    ("renew", 400): TokenRefused,
    ("renew", 401): TokenRefused,
    ("renew", 403): TokenRefused,  # only if the body is Sense's: see `_is_sense`
    ("renew", 404): NotFound,
    ("authenticate", 400): LoginRefused,
    ("authenticate", 401): LoginRefused,
    ("authenticate", 403): LoginRefused,
    ("authenticate", 423): AccountLocked,
    ("authenticate", 404): NotFound,
    ("authenticate/mfa", 400): CodeRefused,
    ("authenticate/mfa", 401): CodeRefused,
    ("authenticate/mfa", 403): CodeRefused,
    ("authenticate/mfa", 423): AccountLocked,
    ("authenticate/mfa", 404): NotFound,
}
UNAUTHORIZED: dict[Endpoint, type[SenseMqttError]] = {  # 200, but `authorized: false`
    "authenticate": LoginRefused,
    "authenticate/mfa": CodeRefused,
    "renew": TokenRefused,
}
WHAT_TO_DO: dict[type[SenseMqttError], str] = {
    LoginRefused: "; check e-mail and password, then run `sense-mqtt login`",
    AccountLocked: "; Sense locks for a while after too many attempts: wait a few hours, then run `sense-mqtt login`",
}
LOCK_WORDS = ("lock", "too many", "captcha")  # guessed, no such body is public


def parse_response(endpoint: Endpoint, answer: Response, secrets: tuple[str, ...] = ()) -> Any:
    """Return the parsed body, or raise; `secrets` never appear in the message."""
    _raise_for_status(endpoint, answer)
    is_huge = holds_more_items(answer.body, MAX_RESPONSE_ITEMS)
    body: Any = NO_JSON if is_huge else _parse(answer.body)
    if answer.status >= 400:
        raise _refusal(endpoint, answer.status, body, secrets)
    where = f"(HTTP {answer.status} on {endpoint})"
    if is_huge:
        raise SenseUnavailable(f"an answer of more than {MAX_RESPONSE_ITEMS} values was not read {where}")
    if body is NO_JSON:
        raise SenseUnavailable(f"an answer that is no JSON {where}")
    if endpoint == "get":  # whatever it is, whoever asked for it gets it
        return body
    if not isinstance(body, Mapping):
        raise SenseUnavailable(f"unexpected response {where}, perhaps a proxy or an outage")
    if body.get("authorized") is False:
        raise _refusal(endpoint, answer.status, body, secrets)
    return body


def _raise_for_status(endpoint: Endpoint, answer: Response) -> None:
    """Raise where the status alone says what went wrong, whatever the body holds."""
    status = answer.status
    if status == 429:
        wait_s = retry_after_s(answer.retry_after, answer.received_at) or RETRY_AFTER_DEFAULT_S
        raise RateLimited(f"Sense asks us to wait {wait_s:.0f} s (HTTP 429 on {endpoint})", wait_s)
    if status >= 500 or status == 408:
        wait_s = retry_after_s(answer.retry_after, answer.received_at)
        raise SenseOverloaded(f"Sense has an outage (HTTP {status} on {endpoint}); it passes by itself", wait_s)
    if endpoint == "get" and status in (404, 410):  # also with an HTML body
        raise NotFound(f"Sense knows nothing there (HTTP {status})")
    if _is_html(answer) or 300 <= status < 400:
        raise SenseUnavailable(f"unexpected response (HTTP {status} on {endpoint}), perhaps a proxy or an outage")


def _refusal(endpoint: Endpoint, status: int, body: Any, secrets: tuple[str, ...]) -> SenseMqttError:
    known: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
    reason = _reason(known, secrets)
    message = f"Sense refused {ENDPOINT_NAMES[endpoint]} (HTTP {status}{': ' + reason if reason else ''})"
    if status == 403 and endpoint != "get" and not _is_sense(known):
        return SenseUnavailable(f"{message}: not a response of Sense, perhaps a firewall")
    if endpoint.startswith("authenticate") and _asks_for_code(known):
        return CodeRequired("Sense asks for the code of two-factor login", str(known.get("mfa_token") or ""))
    kind = (
        UNAUTHORIZED.get(endpoint, RequestRefused) if status < 400 else REFUSALS.get((endpoint, status), RequestRefused)
    )
    if issubclass(kind, LoginRefused) and _says_locked(known):
        kind = AccountLocked
    return kind(message + WHAT_TO_DO.get(kind, ""))


def _asks_for_code(body: Mapping[str, Any]) -> bool:
    return body.get("status") == "mfa_required" or bool(body.get("mfa_token"))


def _says_locked(body: Mapping[str, Any]) -> bool:
    words = " ".join(str(body.get(key) or "") for key in ("error_reason", "error_type", "title")).lower()
    return any(word in words for word in LOCK_WORDS)


def _is_sense(body: Mapping[str, Any]) -> bool:
    return "error_reason" in body or "authorized" in body


def _reason(body: Mapping[str, Any], secrets: tuple[str, ...]) -> str:
    reason = without_hidden((error_reason(body) or "")[:5_000])
    for secret in secrets:  # short ones too, which a Redactor leaves alone
        reason = reason.replace(secret, "***") if secret else reason
    return without_hidden(Redactor(secrets).redact(reason))[:REASON_LONGEST]  # decoding may bring back what is hidden


def _is_html(answer: Response) -> bool:
    return "html" in answer.content_type.lower() or answer.body.lstrip()[:1] == b"<"


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return NO_JSON
