"""When each job of one account is due, and when one that failed is tried again."""

import logging
from collections.abc import Callable, Hashable

from sense_mqtt.bridge.jobs import Job, JobIntervals, RunQuery, name_of
from sense_mqtt.clock import Moment
from sense_mqtt.core.backoff import Retries
from sense_mqtt.core.job_queue import JobQueue
from sense_mqtt.errors import LoginRefused, NotFound, RequestRefused, SenseMqttError, TokenRefused
from sense_mqtt.logs.repeat_log import RepeatLog

logger = logging.getLogger(__name__)

SPREAD_S = 10.0  # between related queries that are tried again
REPEAT_S = 60.0  # a query that worked is not read again sooner, whatever its capability says


class Scheduler:
    """Owns the retries of one account's jobs; `queue` is the bridge's. For the bridge's thread only.

    The queries of one capability are related. One of them that fails is tried again alone, with waits that grow; once
    all of them fail, one after the other is tried for all, and when one works, all are.
    """

    def __init__(self, queue: JobQueue, intervals: JobIntervals, make_retries: Callable[[], Retries]) -> None:
        self._intervals = intervals
        self._make_retries = make_retries
        self._queue = queue
        self._retries: dict[Hashable, Retries] = {}  # of a job that fails alone, or of related ones together
        self._related: dict[Hashable, list[Job]] = {}  # queries that were planned, the one to be tried next first
        self._failing: set[Job] = set()  # did not work the last time
        self._refused: set[Job] = set()  # Sense refused them the last time, which says nothing of related ones
        self._earliest: dict[Job, float] = {}  # monotonic, of queries
        self._log = RepeatLog(logger)

    def put(self, job: Job, at: float) -> None:
        """Set when (monotonic) a job is due."""
        self._queue.put(job, at)

    def advance(self, job: Job, at: float) -> None:
        """Set when (monotonic) a job is due, unless it is due before."""
        self._queue.advance(job, at)

    def repeat(self, job: Job, now: Moment) -> None:
        """Set a job to be done again after its interval."""
        self._queue.put(job, now.monotonic + self._intervals.interval_s(job))

    def plan(self, query: RunQuery, due: float) -> None:
        """Set when (monotonic) a query is due; not before it may be read again."""
        related = self._related.setdefault(_group_of(query), [])
        if query not in related:
            related.append(query)
        self._queue.put(query, max(due, self._earliest.get(query, due)))

    def succeeded(self, job: Job, now: Moment) -> None:
        """Note that a job worked, and try those that have waited for it."""
        group = _group_of(job)
        self._failing.discard(job)
        self._earliest[job] = now.monotonic + REPEAT_S
        self._retries.pop(job, None)
        waiting = [other for other in self._related.get(group, []) if other in self._failing]
        if self._retries.pop(group, None) is not None:
            for other in waiting:
                self._try_again(other, now.monotonic)
        if not waiting:
            self._log.reset(group)
        self._log.reset(job)

    def postpone(self, job: Job, error: SenseMqttError, now: Moment, refused_wait_s: float | None) -> None:
        """Try a job that failed again later; where Sense refuses it, after so many seconds or its interval.

        Sooner would not help.
        """
        if refused_wait_s is None:
            refused_wait_s = self._intervals.interval_s(job)
        if isinstance(error, NotFound | RequestRefused | TokenRefused):
            self._failing.discard(job)
            self._refused.add(job)
            self._try_again(job, now.monotonic + refused_wait_s)
            condition: Hashable = job
        else:
            self._failing.add(job)
            self._refused.discard(job)
            self._plan_retries(job, error, now)
            condition = _group_of(job)
        # That somebody has to log in, the session has logged.
        level = logging.DEBUG if isinstance(error, LoginRefused) else logging.WARNING
        self._log.log(condition, "%s: %s; trying again", name_of(job), error, level=level)

    def _plan_retries(self, job: Job, error: SenseMqttError, now: Moment) -> None:
        group = _group_of(job)
        related = [other for other in self._related.get(group, []) if other not in self._refused]
        together = len(related) > 1 and self._failing.issuperset(related)
        retries = self._retries.setdefault(group if together else job, self._make_retries())
        at = now.monotonic + self._intervals.wait_s(error, retries)
        # The next time, the one that has waited longest is tried for all.
        related.sort(key=lambda other: (other == job, self._earliest.get(other, 0.0)))
        for number, other in enumerate(related if together else [job]):
            self._try_again(other, at + number * SPREAD_S)

    def _try_again(self, job: Job, at: float) -> None:
        self._earliest[job] = at
        self._queue.put(job, at)


def _group_of(job: Job) -> Hashable:
    """Return what related jobs have in common; a job that is related to none is a group of its own."""
    return (job.monitor, job.capability) if isinstance(job, RunQuery) else (job,)
