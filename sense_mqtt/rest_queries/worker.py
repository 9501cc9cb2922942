"""The thread `sense-rest`: runs lookups, one at a time."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sense_mqtt.errors import CommandRefused, SenseMqttError, SenseUnavailable
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import LookupDone
from sense_mqtt.sense.auth.session import Session

MAX_WAITING = 8  # commands; periodic jobs wait in a queue of their own

Lookup = Callable[[Session], Any]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    ticket: object
    lookup: Lookup


class RestWorker:
    """Runs lookups on the thread `sense-rest`; each one that was taken is answered once, by LookupDone.

    Commands and periodic jobs wait in two queues and take turns, so that neither can starve the other.
    """

    def __init__(self, session: Session, inbox: Inbox) -> None:
        self._session = session
        self._inbox = inbox
        self._changed = threading.Condition()
        self._commands: deque[_Job] = deque()
        self._jobs: deque[_Job] = deque()
        self._current: _Job | None = None
        self._command_is_next = True
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="sense-rest", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def submit_command(self, ticket: object, lookup: Lookup) -> None:
        """Take a command's lookup. Raises CommandRefused: `busy` beyond MAX_WAITING, `unavailable` once closed."""
        with self._changed:
            if self._closed:
                raise CommandRefused("unavailable", "the bridge is stopping")
            if len(self._commands) >= MAX_WAITING:
                raise CommandRefused("busy", f"{MAX_WAITING} lookups are waiting already: ask again later")
            self._commands.append(_Job(ticket, lookup))
            self._changed.notify()

    def submit_job(self, ticket: object, lookup: Lookup) -> bool:
        """Take a periodic job's lookup; False where one with an equal ticket waits, or the worker is closed."""
        with self._changed:
            if self._closed or any(job.ticket == ticket for job in self._jobs):
                return False
            logger.debug("due: %s", ticket)
            self._jobs.append(_Job(ticket, lookup))
            self._changed.notify()
            return True

    def __len__(self) -> int:
        """How many lookups are waiting or under way."""
        with self._changed:
            return len(self._commands) + len(self._jobs) + (self._current is not None)

    def close(self, timeout_s: float = 2.0) -> None:
        """End the thread; what is not done by then is answered with SenseUnavailable. Returns within `timeout_s`."""
        with self._changed:
            self._closed = True
            given_up = [*self._commands, *self._jobs]
            self._commands.clear()
            self._jobs.clear()
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        with self._changed:
            given_up += [] if self._current is None else [self._current]
            self._current = None  # so that its late result is dropped
        for job in given_up:
            self._inbox.put(LookupDone(job.ticket, SenseUnavailable("the bridge stopped before Sense answered")))

    def _work(self) -> None:
        while (job := self._next()) is not None:
            result = self._run(job)
            with self._changed:
                wanted, self._current = self._current is job, None
            if wanted:
                self._inbox.put(LookupDone(job.ticket, result))

    def _next(self) -> _Job | None:
        """Wait for the next lookup, and take it; None once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._commands or self._jobs)
            if self._closed:
                return None
            line = self._commands if self._commands and (self._command_is_next or not self._jobs) else self._jobs
            self._command_is_next = line is self._jobs
            self._current = line.popleft()
            return self._current

    def _run(self, job: _Job) -> Any:
        try:
            return job.lookup(self._session)
        except SenseMqttError as error:
            return error
        except Exception:
            logger.exception("a lookup failed unexpectedly")
            return SenseUnavailable("the lookup failed unexpectedly; see the log")
