"""The lookups of one account: which is next, and one at a time."""

import heapq
import itertools
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any

from msgspec import Struct

from sense_mqtt.errors import CommandRefused, SenseMqttError, SenseUnavailable
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import LookupDone
from sense_mqtt.sense.auth.session import Session
from sense_mqtt.sense.rest_queries.lookups import TimelineLookup
from sense_mqtt.sense.workers import Workers

MAX_WAITING = 8  # commands; periodic jobs wait in a queue of their own

Lookup = Callable[[Session], Any]

logger = logging.getLogger(__name__)


class Urgency(IntEnum):
    """Which periodic job comes first: each call costs a second of the account's budget."""

    GAP = 0  # frames wait for it
    MONITORS = 1  # without them there is nothing to serve
    DEVICES = 2
    STATUS = 3
    MISSED_EDGES = 4  # of a gap, once more
    FIGURES = 5  # energy and the like


class _Job(Struct, frozen=True, eq=False):
    ticket: object
    lookup: Lookup


class RestWorker:
    """Runs lookups, one at a time, on threads that all accounts share; each one is answered once, by LookupDone.

    Commands and periodic jobs wait in two queues and take turns, so that neither can starve the other; but the timeline
    of a gap goes before both. Timelines that wait are read together: the account has only one.
    """

    def __init__(self, session: Session, inbox: Inbox, workers: Workers) -> None:
        self._session = session
        self._inbox = inbox
        self._workers = workers
        self._changed = threading.Condition()
        self._commands: deque[_Job] = deque()
        self._jobs: list[tuple[Urgency, int, _Job]] = []  # a heap
        self._tickets: set[object] = set()  # of those jobs
        self._numbers = itertools.count()
        self._current: Sequence[_Job] = ()  # those that the present lookup answers
        self._command_is_next = True
        self._started = self._closed = False

    def start(self) -> None:
        """Begin with what waits."""
        with self._changed:
            self._started = True
            for _ in range(len(self._commands) + len(self._jobs)):
                self._workers.submit(self, self._work)

    def submit_command(self, ticket: object, lookup: Lookup) -> None:
        """Take a command's lookup. Raises CommandRefused: `busy` beyond MAX_WAITING, `unavailable` once closed."""
        with self._changed:
            if self._closed:
                raise CommandRefused("unavailable", "the bridge is stopping")
            if len(self._commands) >= MAX_WAITING:
                raise CommandRefused("busy", f"{MAX_WAITING} lookups are waiting already: ask again later")
            self._commands.append(_Job(ticket, lookup))
            self._wake()

    def submit_job(self, ticket: object, lookup: Lookup, urgency: Urgency = Urgency.FIGURES) -> bool:
        """Take a periodic job's lookup; False where one with an equal ticket waits, or the worker is closed."""
        with self._changed:
            if self._closed or ticket in self._tickets:
                return False
            self._tickets.add(ticket)
            logger.debug("due: %s", ticket)
            heapq.heappush(self._jobs, (urgency, next(self._numbers), _Job(ticket, lookup)))
            self._wake()
            return True

    def __len__(self) -> int:
        """How many lookups are waiting or under way."""
        with self._changed:
            return len(self._commands) + len(self._jobs) + len(self._current)

    def close(self, timeout_s: float = 2.0) -> None:
        """Begin nothing more; what is not done within `timeout_s` is answered by SenseUnavailable."""
        with self._changed:
            self._closed = True
            given_up = [*self._commands, *(job for _, _, job in self._jobs)]
            self._commands.clear()
            self._jobs.clear()
            self._tickets.clear()
            self._changed.wait_for(lambda: not self._current, timeout_s)
            given_up += self._current
            self._current = ()  # so that its late result is dropped
        for job in given_up:
            self._inbox.put(LookupDone(job.ticket, SenseUnavailable("the bridge stopped before Sense answered")))

    def _wake(self) -> None:
        if self._started:
            self._workers.submit(self, self._work)

    def _work(self) -> None:
        """Run the next lookup, if there is one: others may have been answered together with an earlier one."""
        jobs = self._next()
        if not jobs:
            return
        result = self._run(jobs)
        with self._changed:
            wanted, self._current = self._current is jobs, ()
            self._changed.notify_all()
        if wanted:
            for job in jobs:
                self._inbox.put(LookupDone(job.ticket, result))

    def _next(self) -> Sequence[_Job]:
        """Take the next lookup, with the jobs that it answers; empty where there is none."""
        with self._changed:
            self._current = self._take()
            return self._current

    def _take(self) -> Sequence[_Job]:
        if self._commands and not self._job_is_next():
            self._command_is_next = False
            return [self._commands.popleft()]
        if not self._jobs:
            return ()
        _, _, job = heapq.heappop(self._jobs)
        self._tickets.discard(job.ticket)
        self._command_is_next = True
        return [job, *self._take_timelines()] if isinstance(job.lookup, TimelineLookup) else [job]

    def _job_is_next(self) -> bool:
        return bool(self._jobs) and (not self._command_is_next or self._jobs[0][0] is Urgency.GAP)

    def _take_timelines(self) -> list[_Job]:
        """Take all timelines that wait: what is left of a sorted list is a heap."""
        waiting = sorted(self._jobs, key=lambda entry: entry[:2])
        self._jobs = [entry for entry in waiting if not isinstance(entry[2].lookup, TimelineLookup)]
        taken = [job for _, _, job in waiting if isinstance(job.lookup, TimelineLookup)]
        self._tickets.difference_update(job.ticket for job in taken)
        return taken

    def _run(self, jobs: Sequence[_Job]) -> Any:
        lookup = jobs[0].lookup
        if isinstance(lookup, TimelineLookup):
            lookup = TimelineLookup(min(job.lookup.since_s for job in jobs if isinstance(job.lookup, TimelineLookup)))
        try:
            return lookup(self._session)
        except SenseMqttError as error:
            return error
        except Exception:
            logger.exception("a lookup failed unexpectedly")
            return SenseUnavailable("the lookup failed unexpectedly; see the log")
