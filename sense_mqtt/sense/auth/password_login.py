"""Password logins: automatic within the budget, or interactive; and when none is tried."""

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from msgspec import Struct

from sense_mqtt.clock import Clock, Moment
from sense_mqtt.errors import (
    LoginRefused,
    MfaNeeded,
    NotFound,
    RateLimited,
    RequestRefused,
    SenseUnavailable,
    StateError,
)
from sense_mqtt.net.tls import CertificateRefused
from sense_mqtt.sense.auth.login_budget import LoginBudget, LoginRefusal, Result
from sense_mqtt.sense.auth.login_flow import ClockWrong, CodeSource, log_in, totp_codes
from sense_mqtt.sense.auth.tokens import StoredSession, fingerprint, parse_session
from sense_mqtt.sense.rest.api import ConnectFailed, SenseApi
from sense_mqtt.sense.rest.responses import AccountLocked

TRY_LATER = (SenseUnavailable, RateLimited, NotFound, RequestRefused)  # says nothing about the credentials
# Refusals that may pass without a person, and after how many seconds the login is tried again.
BLOCK_S: dict[type[LoginRefused], float] = {ClockWrong: 3_600.0, AccountLocked: 6 * 3_600.0}
# Results of a last login on which Sense did not decide: nobody must act before the next one.
NO_ANSWER: dict[Result, str] = {
    "unavailable": "the last login met an outage",
    "unknown": "the last login was cut off before Sense answered",
}
FINGERPRINT_ROUNDS = 200_000  # 0.1 s on a slow machine


@dataclass(frozen=True, slots=True)
class Credentials:
    """The configured credentials."""

    email: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    totp_secret: str | None = field(default=None, repr=False)
    account: str = ""  # its name, where there are several

    @property
    def fingerprint(self) -> str:
        """Salted slow hash; used only to detect changed credentials."""
        told = "\0".join(part or "" for part in (self.email, self.password, self.totp_secret))
        return hashlib.pbkdf2_hmac("sha256", told.encode(), b"sense-mqtt", FINGERPRINT_ROUNDS).hex()[:16]

    def belong_to_other_account(self, owner: str) -> bool:
        """True if a stored session of this owner belongs to another account."""
        return bool(self.email and self.password) and owner not in ("", fingerprint(self.email))


class LoginBlock(Struct, frozen=True):
    """Why no login is tried, and until when (monotonic, s; None: until a person logs in)."""

    kind: type[LoginRefused]
    message: str
    until: float | None


class PasswordLogin:
    """Logs in with the password. Raises `LoginRefused` or one of TRY_LATER. For one thread at a time."""

    def __init__(self, api: SenseApi, budget: LoginBudget, credentials: Credentials, clock: Clock) -> None:
        self._api = api
        self._budget = budget
        self._credentials = credentials
        self._clock = clock
        self._login_block: LoginBlock | None = None

    def automatic(self) -> StoredSession:
        """Log in with the configured credentials if the budget allows it."""
        self.raise_if_blocked()
        known = self._credentials
        if not known.email or not known.password:
            message = "no session is stored: run `sense-mqtt login`, or set sense.email and sense.password"
            raise self._block(LoginRefused(message))
        refusal = self._budget.refusal
        if refusal and refusal.who == known.fingerprint:
            raise self._block(LoginRefused(refusal.why))
        # Other credentials than those that Sense refused last: a person has corrected them, and may see at once whether
        # they are right, as with `sense-mqtt login`.
        self._keep_to_budget(is_corrected=refusal is not None)
        try:
            return self._enter(known.email, known.password, totp_codes(self._api, known.totp_secret, self._clock))
        except LoginRefused as error:
            is_lasting = type(error) not in BLOCK_S
            self._budget.record_refusal(LoginRefusal(known.fingerprint, str(error)) if is_lasting else None)
            raise self._block(error) from error

    def interactive(self, email: str, password: str, code: Callable[[], str]) -> StoredSession:
        """Log in for a person, who may try more often than the bridge; counted as well."""
        self._budget.spend_interactive(self._clock.now())
        return self._enter(email, password, lambda _attempt: code())

    def raise_if_blocked(self) -> None:
        """Raise the error of the last login again, without a call, while logins are blocked."""
        block = self._login_block
        if block and (block.until is None or self._clock.now().monotonic < block.until):
            raise block.kind(block.message)

    def unblock(self) -> None:
        """Allow logins again: there is a session."""
        self._login_block = None

    def count_last_hour(self) -> int:
        return self._budget.count(self._clock.now())

    def _block(self, error: LoginRefused, wait_s: float | None = None) -> LoginRefused:
        mends_s = wait_s if wait_s is not None else BLOCK_S.get(type(error))
        until = None if mends_s is None else self._clock.now().monotonic + mends_s
        kind = MfaNeeded if isinstance(error, MfaNeeded) else type(error)
        self._login_block = LoginBlock(kind, str(error), until)
        return kind(str(error))

    def _keep_to_budget(self, *, is_corrected: bool) -> None:
        now = self._clock.now()
        wait_s = self._budget.wait_s(now)
        is_first = self._budget.last_result(now) == "refused"  # no login was made since with what is corrected
        if wait_s == 0 or (is_corrected and is_first and not self._budget.is_spent(now)):
            self._spend(now)
            return
        at = datetime.fromtimestamp(now.wall + wait_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
        message = f"to spare the account a lock, the next login is at {at}; `sense-mqtt login` may be run now"
        no_answer = NO_ANSWER.get(self._budget.last_result(now))
        if no_answer and not self._budget.is_spent(now):
            raise SenseUnavailable(f"{no_answer}; {message}")
        raise self._block(LoginRefused(message), wait_s)

    def _spend(self, now: Moment) -> None:
        try:
            self._budget.spend(now)
        except StateError as error:  # it would be forgotten at a restart, so restarts could lock the account
            raise SenseUnavailable(f"no login while it cannot be counted: {error}") from error

    def _enter(self, email: str, password: str, codes: CodeSource) -> StoredSession:
        with self._recorded():
            answer = log_in(self._api, email, password, codes, self._clock)
            now = self._clock.now().wall
            session = parse_session(answer, now, now + self._api.clock_error_s, fingerprint(email))
            if session is None:
                raise SenseUnavailable("Sense's answer to the login holds no token")
            return session

    @contextlib.contextmanager
    def _recorded(self) -> Iterator[None]:
        """Record the result of the login that was counted."""
        now = self._clock.now()
        try:
            yield
        except (ConnectFailed, CertificateRefused):
            self._budget.refund(now)
            raise
        except LoginRefused:
            self._budget.record_result(now, "refused")
            raise
        except TRY_LATER:
            self._budget.record_result(now, "unavailable")
            raise
        self._budget.record_result(now, "ok")
        self._budget.record_refusal(None)
