"""How often we may log in with the password: once in 15 minutes, four times a day, counted over restarts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from sense_mqtt.errors import RateLimited
from sense_mqtt.sense.store import StateFile

DAY_S = 86_400.0

Result = Literal["unknown", "ok", "refused", "unavailable"]


@dataclass(frozen=True, slots=True)
class Limits:
    """The figures: Sense asks not to log in often (facts 2.5: never more than once in 15-20 minutes)."""

    spacing_s: float = 900.0
    daily: int = 4
    by_hand: int = 5  # attempts of a person within one spacing, who may mistype


@dataclass(frozen=True, slots=True)
class Attempt:
    """One login with the password, at `time` (wall clock)."""

    time: float
    result: Result = "unknown"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Sense refused what the configuration holds; until that changes, only a person can help."""

    who: str  # a fingerprint of what was refused
    why: str


def wait_s(attempts: Sequence[Attempt], limits: Limits, now: float) -> float:
    """Return the seconds until the next login may be made; 0 where it may be made now."""
    times = sorted(attempt.time for attempt in attempts)
    after_last = times[-1] + limits.spacing_s if times else now
    after_day = times[-limits.daily] + DAY_S if len(times) >= limits.daily else now
    return max(after_last - now, after_day - now, 0.0)


def is_spent(attempts: Sequence[Attempt], limits: Limits, now: float) -> bool:
    """Whether the whole day's budget is used up."""
    return sum(attempt.time > now - DAY_S for attempt in attempts) >= limits.daily


class LoginBudget:
    """The logins of the last day, in a file."""

    def __init__(self, file: StateFile, limits: Limits | None = None) -> None:
        self._file = file
        self._limits = limits or Limits()

    def wait_s(self, now: float) -> float:
        """Return the seconds until the bridge may log in by itself; 0 where it may now."""
        return wait_s(self._read(now), self._limits, now)

    def is_spent(self, now: float) -> bool:
        """Whether the whole day's budget is used up."""
        return is_spent(self._read(now), self._limits, now)

    def last(self, now: float) -> Result:
        """Return what became of the last login."""
        attempts = self._read(now)
        return attempts[-1].result if attempts else "unknown"

    def count(self, now: float, within_s: float = 3_600.0) -> int:
        """Return the number of logins of the last `within_s` seconds."""
        return sum(attempt.time > now - within_s for attempt in self._read(now))

    def spend(self, now: float) -> None:
        """Count a login; before it is made, so that one cut short counts too."""
        self._write([*self._read(now), Attempt(now)])

    def spend_by_hand(self, now: float) -> None:
        """Count a login that a person makes; raise `RateLimited` where even a person should wait."""
        if self.count(now, self._limits.spacing_s) >= self._limits.by_hand:
            minutes = self._limits.spacing_s / 60
            raise RateLimited(
                f"too many logins; wait {minutes:.0f} minutes so that Sense does not lock the account", minutes * 60
            )
        self.spend(now)

    def settle(self, now: float, result: Result) -> None:
        """Note what became of the login that was counted last."""
        attempts = self._read(now)
        self._write([*attempts[:-1], Attempt(attempts[-1].time, result)] if attempts else [])

    def refund(self, now: float) -> None:
        """Take back the last login: it never reached Sense."""
        self._write(self._read(now)[:-1])

    @property
    def refusal(self) -> Refusal | None:
        """What Sense refused, over restarts too; None where it took the last login."""
        refused = (self._file.load() or {}).get("refused")
        return Refusal(str(refused.get("who")), str(refused.get("why"))) if isinstance(refused, dict) else None

    def note_refusal(self, refusal: Refusal | None) -> None:
        """Remember what was refused; None: Sense took a login."""
        told = None if refusal is None else {"who": refusal.who, "why": refusal.why}
        if told != (self._file.load() or {}).get("refused"):
            self._save(refused=told)

    def _read(self, now: float) -> list[Attempt]:
        rows = (self._file.load() or {}).get("logins", [])
        attempts = [attempt for row in rows if (attempt := _attempt(row))] if isinstance(rows, list) else []
        if any(attempt.time > now for attempt in attempts):  # by a clock that ran fast: they count as just made, once
            attempts = [replace(attempt, time=min(attempt.time, now)) for attempt in attempts]
            self._write(attempts)
        return sorted((attempt for attempt in attempts if attempt.time > now - DAY_S), key=lambda attempt: attempt.time)

    def _write(self, attempts: Sequence[Attempt]) -> None:
        self._save(logins=[{"time": attempt.time, "result": attempt.result} for attempt in attempts[-50:]])

    def _save(self, **changed: Any) -> None:
        self._file.save({**(self._file.load() or {}), **changed})


def _attempt(row: object) -> Attempt | None:
    if not isinstance(row, dict) or not isinstance(row.get("time"), int | float):
        return None
    result: Result = next((known for known in get_args(Result) if known == row.get("result")), "unknown")
    return Attempt(float(row["time"]), result)
