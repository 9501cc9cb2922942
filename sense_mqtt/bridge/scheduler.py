"""When each job of one account is due, and when one that failed is tried again."""

import logging
from collections.abc import Callable

from sense_mqtt.bridge.jobs import Job, JobIntervals, name_of, related_jobs
from sense_mqtt.clock import Moment
from sense_mqtt.core.backoff import Retries
from sense_mqtt.core.job_queue import JobQueue
from sense_mqtt.errors import LoginRefused, SenseMqttError
from sense_mqtt.repeat_log import RepeatLog

logger = logging.getLogger(__name__)

SPREAD_S = 10.0  # between the first queries of capabilities, and between related jobs that are tried again


class Scheduler:
    """Owns the retries of one account's jobs; `queue` is the bridge's. For the bridge's thread only."""

    def __init__(self, queue: JobQueue, intervals: JobIntervals, make_retries: Callable[[], Retries]) -> None:
        self.intervals = intervals
        self._make_retries = make_retries
        self._queue = queue
        self._retries: dict[tuple[Job, ...], Retries] = {}  # of jobs that fail together
        self._log = RepeatLog(logger)

    def put(self, job: Job, at: float) -> None:
        """Set when (monotonic) a job is due."""
        self._queue.put(job, at)

    def advance(self, job: Job, at: float) -> None:
        """Set when (monotonic) a job is due, unless it is due before."""
        self._queue.advance(job, at)

    def repeat(self, job: Job, now: Moment) -> None:
        """Set a job to be done again after its interval."""
        self._queue.put(job, now.monotonic + self.intervals.interval_s(job))

    def succeeded(self, job: Job) -> None:
        """Note that a job worked."""
        self._retries.pop(related_jobs(job), None)
        self._log.reset(related_jobs(job))

    def postpone(self, job: Job, error: SenseMqttError, now: Moment) -> None:
        """Try a job that failed again later, and those that would fail with it not before."""
        related = related_jobs(job)
        retries = self._retries.setdefault(related, self._make_retries())
        at = now.monotonic + self.intervals.wait_s(job, error, retries)
        for number, other in enumerate(related, 1):
            self._queue.delay(other, at + number * SPREAD_S)  # by then it is known whether this one works
        self._queue.put(job, at)
        # That somebody has to log in, the session has logged.
        level = logging.DEBUG if isinstance(error, LoginRefused) else logging.WARNING
        self._log.log(related, "%s: %s; trying again", name_of(job), error, level=level)
