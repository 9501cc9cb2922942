"""The login: e-mail and password, then the code of two-factor login if Sense asks for one."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sense_mqtt.clock import Clock
from sense_mqtt.errors import MfaNeeded
from sense_mqtt.sense.auth.totp import code_at, next_step
from sense_mqtt.sense.rest.api import SenseApi
from sense_mqtt.sense.rest.responses import CodeRefused, CodeRequired

logger = logging.getLogger(__name__)

MAX_CODES = 2  # Sense locks accounts after too many wrong codes
CLOCK_WRONG_S = 20.0  # with a larger clock error Sense refuses the code as too old or too new

CodeSource = Callable[[int], str]  # attempt 0, 1 -> the code


class ClockWrong(CodeRefused):
    """Sense refused the code, and our clock is wrong."""


def log_in(api: SenseApi, email: str, password: str, codes: CodeSource, clock: Clock) -> Mapping[str, Any]:
    """Return Sense's answer to a login. Raises `LoginRefused` and its kinds; `codes` is asked twice at most."""
    try:
        answer: Mapping[str, Any] = api.post("authenticate", {"email": email, "password": password})
    except CodeRequired as asked:
        mfa_token = asked.mfa_token
    else:
        return answer
    return _enter_code(api, mfa_token, codes, clock)


def totp_codes(api: SenseApi, secret: str | None, clock: Clock) -> CodeSource:
    """Return the codes of an authenticator app that was set up with `secret`."""

    def code(attempt: int) -> str:
        if secret is None:
            raise MfaNeeded("the account has two-factor login: run `sense-mqtt login`, or set sense.totp_secret")
        time_s = _time(api, clock, attempt)
        if attempt and not _is_clock_wrong(api):
            api.wait(next_step(time_s) - time_s)
            time_s = next_step(time_s)
        return code_at(secret, time_s)

    return code


def _enter_code(api: SenseApi, mfa_token: str, codes: CodeSource, clock: Clock) -> Mapping[str, Any]:
    for attempt in range(MAX_CODES):
        form = {"totp": codes(attempt), "mfa_token": mfa_token, "client_time": _client_time(api, clock, attempt)}
        try:
            answer: Mapping[str, Any] = api.post("authenticate/mfa", form)
        except CodeRefused as error:
            logger.info("attempt %d: %s", attempt + 1, error)
            continue
        if attempt and _is_clock_wrong(api):
            logger.warning("this machine's clock is %s; Sense's clock was used for the login", _clock_error_text(api))
        return answer
    raise _explain(api)


def _explain(api: SenseApi) -> CodeRefused:
    if _is_clock_wrong(api):
        return ClockWrong(
            f"Sense refused the code, and this machine's clock is {_clock_error_text(api)}: set the clock (NTP)"
        )
    return CodeRefused(
        "Sense refused the code, and this machine's clock is right: check sense.totp_secret, or type the code that "
        "the authenticator app shows for this account"
    )


def _time(api: SenseApi, clock: Clock, attempt: int) -> float:
    """Our time; at the second attempt Sense's, if ours is wrong."""
    return clock.now().wall + (api.clock_error_s if attempt and _is_clock_wrong(api) else 0.0)


def _client_time(api: SenseApi, clock: Clock, attempt: int) -> str:
    """Mandatory beside a code since 2026-07 (SE#79)."""
    return datetime.fromtimestamp(_time(api, clock, attempt), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_clock_wrong(api: SenseApi) -> bool:
    return abs(api.clock_error_s) > CLOCK_WRONG_S


def _clock_error_text(api: SenseApi) -> str:
    return f"{abs(api.clock_error_s):.0f} s {'behind' if api.clock_error_s > 0 else 'ahead of'} Sense's"
