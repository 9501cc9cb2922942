"""How many REST calls commands may cause in any hour, counted over restarts."""

import contextlib
import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from msgspec import Struct

from sense_mqtt.clock import Clock
from sense_mqtt.errors import BudgetSpent, StateError
from sense_mqtt.sense.auth.session import Session
from sense_mqtt.sense.auth.tokens import Account
from sense_mqtt.sense.state_file import StateFile

logger = logging.getLogger(__name__)

HOUR_S = 3_600.0
MAX_RECONNECTIONS = 30  # an hour


class CallBudget:
    """At most `most` in any 3600 s; thread-safe. `what` completes "commands may cost at most 120 ... an hour"."""

    def __init__(self, file: StateFile, what: str, most: int, clock: Clock) -> None:
        self._file = file
        self._what = what
        self._most = most
        self._clock = clock
        self._one = threading.Lock()
        self._spent = self._read()  # wall clock; a restart must not begin a new hour
        self._silent_until = 0.0  # what is refused until then (monotonic) is not logged again

    def spend(self, count: int = 1) -> None:
        """Count what is about to be asked. Raises BudgetSpent, and counts nothing, where that is too much."""
        with self._one:
            self._refuse_beyond(count)
            self._spent += [self._clock.now().wall] * count
            with contextlib.suppress(StateError):  # the session says what is wrong with its directory
                self._file.save({"spent": self._spent}, durable=False)

    def refuse_beyond(self, count: int) -> None:
        """Raise BudgetSpent where so many cannot be asked now; count nothing."""
        with self._one:
            self._refuse_beyond(count)

    def _refuse_beyond(self, count: int) -> None:
        now = self._clock.now()
        self._spent = [min(time, now.wall) for time in self._spent if time > now.wall - HOUR_S]
        if len(self._spent) + count > self._most:
            raise self._refusal(count)

    def _refusal(self, count: int) -> BudgetSpent:
        now = self._clock.now()
        left = sorted(self._spent)[len(self._spent) + count - self._most - 1 :]
        wait_s = left[0] + HOUR_S - now.wall if left else HOUR_S  # none: more than an hour can hold
        message = f"commands may cost at most {self._most} {self._what} an hour; wait {wait_s:.0f} s"
        if now.monotonic >= self._silent_until:
            self._silent_until = now.monotonic + HOUR_S
            logger.warning("%s", message)
        return BudgetSpent(message, wait_s)

    def _read(self) -> list[float]:
        try:
            stored = (self._file.load() or {}).get("spent")
        except StateError:
            return []
        rows = stored if isinstance(stored, list) else []
        return [float(time) for time in rows if isinstance(time, int | float)]


class Budgets(Struct, frozen=True):
    """What commands may cost Sense."""

    calls: CallBudget  # of REST
    reconnections: CallBudget  # of the feed: after a pause; and with all else after a restart

    @classmethod
    def of(cls, state_dir: Path, calls_per_hour: int, clock: Clock) -> Self:
        return cls(
            CallBudget(StateFile(state_dir / "command_calls.json"), "REST calls", calls_per_hour, clock),
            CallBudget(StateFile(state_dir / "command_reconnects.json"), "reconnections", MAX_RECONNECTIONS, clock),
        )


class CommandSession:
    """The session as commands have it: each question is counted, and refusals cost one renewal for all of them."""

    def __init__(self, session: Session, budget: CallBudget) -> None:
        self._session = session
        self._budget = budget

    def account(self) -> Account:
        return self._session.account()

    def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Any:
        """Return what Sense answers. Raises BudgetSpent without a call where commands have asked too much."""
        self._budget.spend()
        return self._session.get(path, params, group="commands")
