"""The budget of password logins: one in 15 minutes, four a day, counted over restarts."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from sense_mqtt.clock import Moment
from sense_mqtt.errors import RateLimited, StateError
from sense_mqtt.sense.state_file import StateFile
from sense_mqtt.sense.state_model import StateModel

DAY_S = 86_400.0
JUMP_S = 60.0  # a larger lead of the wall clock means that it was set
SEEN_EVERY_S = 600.0  # while the wall clock is behind, how often our time is saved
MAX_TIME_S = 1e12  # any greater number in the file is damage
MAX_ATTEMPTS = 50  # that are saved

Result = Literal["unknown", "ok", "refused", "unavailable"]


def _or_unknown(value: object, validate: ValidatorFunctionWrapHandler) -> object:
    try:
        return validate(value)
    except ValidationError:
        return "unknown"


def _or_none(value: object, validate: ValidatorFunctionWrapHandler) -> object:
    try:
        return validate(value)
    except ValidationError:
        return None


@dataclass(frozen=True, slots=True)
class LoginLimits:
    """Limits of logins (never more than once in 15 to 20 minutes)."""

    spacing_s: float = 900.0
    daily: int = 4
    interactive: int = 5  # attempts of a person within one `spacing_s`; people mistype


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """One login with the password, at `time` (by the clock of `LoginBudget`)."""

    time: Annotated[float, Field(gt=-MAX_TIME_S, lt=MAX_TIME_S)]
    result: Annotated[Result, WrapValidator(_or_unknown)] = "unknown"


@dataclass(frozen=True, slots=True)
class LoginRefusal:
    """Sense refused the configured credentials: no more automatic logins until they change, or a person logs in."""

    who: str  # the fingerprint of what was refused
    why: str


class SavedLogins(StateModel):
    """The content of the file. A login that cannot be read is left out, the others count."""

    logins: tuple[Annotated[LoginAttempt | None, WrapValidator(_or_none)], ...] = ()
    seen: Annotated[float, Field(gt=-MAX_TIME_S, lt=MAX_TIME_S)] = 0.0  # the last time that was read from the clock
    refused: LoginRefusal | None = None

    @property
    def attempts(self) -> list[LoginAttempt]:
        return [attempt for attempt in self.logins if attempt]


def wait_s(attempts: Sequence[LoginAttempt], limits: LoginLimits, now: float) -> float:
    """Return the seconds until the next login may be made; 0 where it may be made now."""
    times = sorted(attempt.time for attempt in attempts)
    after_last = times[-1] + limits.spacing_s if times else now
    after_day = times[-limits.daily] + DAY_S if len(times) >= limits.daily else now
    return max(after_last - now, after_day - now, 0.0)


def is_spent(attempts: Sequence[LoginAttempt], limits: LoginLimits, now: float) -> bool:
    """Whether the whole day's budget is used up."""
    return sum(attempt.time > now - DAY_S for attempt in attempts) >= limits.daily


class LoginBudget:
    """The logins of the last day, in a file, and in memory where that is gone.

    The time is one that never runs backwards: it begins with the wall clock, or with the time in the file if that is
    later, and continues with the monotonic clock. So a wall clock that is wrong at a start forgets no login.
    """

    def __init__(self, file: StateFile, limits: LoginLimits | None = None) -> None:
        self._file = file
        self._limits = limits or LoginLimits()
        self._known = SavedLogins()  # what the file held last
        self._ahead_s: float | None = None  # our time minus the monotonic clock; None before the first use

    def wait_s(self, now: Moment) -> float:
        """Return the seconds until the bridge may log in automatically; 0 if it may now."""
        return wait_s(*self._read_with(now))

    def is_spent(self, now: Moment) -> bool:
        """Whether the whole day's budget is used up."""
        return is_spent(*self._read_with(now))

    def last_result(self, now: Moment) -> Result:
        """Return the result of the last login."""
        attempts, _ = self._read(now)
        return attempts[-1].result if attempts else "unknown"

    def count(self, now: Moment, within_s: float = 3_600.0) -> int:
        """Return the number of logins of the last `within_s` seconds."""
        attempts, time = self._read(now)
        return sum(attempt.time > time - within_s for attempt in attempts)

    def spend(self, now: Moment) -> None:
        """Count a login; before it is made, so that one cut short counts too. Raises StateError: then make none."""
        attempts, time = self._read(now)
        self._save(self._changed([*attempts, LoginAttempt(time)], time))

    def spend_interactive(self, now: Moment) -> None:
        """Count a login that a person makes. Raises `RateLimited` if the limit for people is reached."""
        if self.count(now, self._limits.spacing_s) >= self._limits.interactive:
            minutes = self._limits.spacing_s / 60
            raise RateLimited(
                f"too many logins; wait {minutes:.0f} minutes so that Sense does not lock the account", minutes * 60
            )
        self.spend(now)

    def record_result(self, now: Moment, result: Result) -> None:
        """Record the result of the login that was counted last."""
        attempts, time = self._read(now)
        if attempts:
            self._save_or_keep(self._changed([*attempts[:-1], replace(attempts[-1], result=result)], time))

    def refund(self, now: Moment) -> None:
        """Take back the last login: it never reached Sense."""
        attempts, time = self._read(now)
        self._save_or_keep(self._changed(attempts[:-1], time))

    @property
    def refusal(self) -> LoginRefusal | None:
        """What Sense refused, over restarts too; None if it accepted the last login."""
        return self._load().refused

    def record_refusal(self, refusal: LoginRefusal | None) -> None:
        """Store what was refused; None: Sense accepted a login."""
        known = self._load()
        if refusal != known.refused:
            self._save_or_keep(known.model_copy(update={"refused": refusal}))

    def _read_with(self, now: Moment) -> tuple[Sequence[LoginAttempt], LoginLimits, float]:
        attempts, time = self._read(now)
        return attempts, self._limits, time

    def _read(self, now: Moment) -> tuple[list[LoginAttempt], float]:
        """Return the attempts of the last day, and the time by our clock."""
        attempts, seen = self._read_file()
        begun = now.wall - now.monotonic if self._ahead_s is None else self._ahead_s
        self._ahead_s = max(begun, seen - now.monotonic)
        time = now.monotonic + self._ahead_s
        jump_s = now.wall - time
        if jump_s >= JUMP_S:  # the wall clock was set forward: logins keep their age
            attempts = [replace(attempt, time=attempt.time + jump_s) for attempt in attempts]
            self._ahead_s, time = self._ahead_s + jump_s, now.wall
        recent = sorted((each for each in attempts if each.time > time - DAY_S), key=lambda each: each.time)
        if attempts and (jump_s >= JUMP_S or min(-jump_s, time - seen) >= SEEN_EVERY_S):
            self._save_or_keep(self._changed(recent, time))
        return recent, time

    def _read_file(self) -> tuple[list[LoginAttempt], float]:
        """Return the attempts, and the newest time that the file knows of; 0 if it knows of no attempt."""
        saved = self._load()
        if self._file.directory_was_replaced():  # it was removed while we run
            self._save_or_keep(saved)
        times = [attempt.time for attempt in saved.attempts]
        return saved.attempts, max([saved.seen, *times]) if times else 0.0

    def _changed(self, attempts: Sequence[LoginAttempt], time: float) -> SavedLogins:
        return self._known.model_copy(update={"logins": tuple(attempts[-MAX_ATTEMPTS:]), "seen": time})

    def _load(self) -> SavedLogins:
        with contextlib.suppress(StateError):  # the session says what is wrong with its directory
            self._known = SavedLogins.load_or_none(self._file) or self._known
        return self._known

    def _save(self, logins: SavedLogins) -> None:
        logins.save(self._file)
        self._known = logins

    def _save_or_keep(self, logins: SavedLogins) -> None:
        self._known = logins  # it counts as long as we run, saved or not
        with contextlib.suppress(StateError):
            logins.save(self._file)
