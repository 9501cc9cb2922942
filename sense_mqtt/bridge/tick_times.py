"""When the home of one monitor is looked at again, as time alone may change what is known of it."""

import math

from sense_mqtt.clock import Moment
from sense_mqtt.core.home.state import Home, Policy
from sense_mqtt.core.job_queue import JobQueue
from sense_mqtt.core.next_tick import next_tick


class TickTimes:
    """When a Tick is due is found out once a second, not with each frame: that would cost more than the Tick.

    For the bridge's thread only.
    """

    def __init__(self, monitor: int, queue: JobQueue) -> None:
        self._monitor = monitor
        self._queue = queue  # of all monitors
        self._is_queued = False  # since `is_due` was asked last
        self._is_due = True  # whatever time it is: capabilities may need to read
        self._plain_at = Moment(0.0, 0.0)  # of the last observation after which only time makes a Tick due

    def observed(self, now: Moment, *, is_plain: bool) -> None:
        """Note that something was observed; `is_plain`: a frame after which nothing had to be stored."""
        if is_plain:
            self._plain_at = now
        else:
            self._is_due = True
        if not self._is_queued:
            self._is_queued = True
            self._queue.advance(self._monitor, now.monotonic)

    def hasten(self) -> None:
        """Let a Tick be due now."""
        self._is_due = True
        self._queue.advance(self._monitor, -math.inf)

    def is_due(self, home: Home, now: Moment, policy: Policy) -> bool:
        """Say whether a Tick is due; the queue says when to ask next, also where the Tick then fails."""
        self._is_queued = False
        due = now.monotonic if self._is_due else next_tick(home, self._plain_at.monotonic, policy)
        self._queue.put(self._monitor, max(due, now.monotonic))
        return due <= now.monotonic

    def ticked(self, home: Home, now: Moment, policy: Policy) -> None:
        """Note that a Tick was observed."""
        self._is_due = self._is_queued = False
        self._plain_at = now
        self._queue.put(self._monitor, next_tick(home, now.monotonic, policy))
