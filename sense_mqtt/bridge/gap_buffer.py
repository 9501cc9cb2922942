"""After a gap, the timeline first: what the feed brings waits until the timeline of the gap was read.

So the edges of the gap are told in order and with their true times before the first frame is compared
(docs/decisions/0002-reconciling-frames-and-timeline.md).
"""

import math
from collections import deque

from sense_mqtt.clock import Moment
from sense_mqtt.items import FeedEnded, FrameArrived, UpdatePolled

MAX_WAIT_S = 10.0  # for Sense's REST interface; then the frames are compared without the timeline
MIN_LAGS_BETWEEN = 3  # readings for holes are at least so many lags of the timeline apart: at most 14 an hour
MAX_WAITING = 256  # items of one feed: two minutes of a stream

Waiting = FrameArrived | UpdatePolled | FeedEnded


class GapBuffer:
    """What waits for the timeline, by monitor. For the bridge's thread only."""

    def __init__(self) -> None:
        self._waiting: dict[int, deque[tuple[Waiting, Moment]]] = {}
        self._until: dict[int, float] = {}  # monotonic seconds

    def open(self, monitor: int, now: Moment) -> None:
        """From now on, what this feed brings waits."""
        self._waiting.setdefault(monitor, deque())
        self._until.setdefault(monitor, now.monotonic + MAX_WAIT_S)

    def buffer(self, item: Waiting, now: Moment) -> bool:
        """Keep the item and say so; False where nothing of its feed waits (any more)."""
        waiting = self._waiting.get(item.monitor)
        if waiting is None or len(waiting) >= MAX_WAITING:
            return False
        waiting.append((item, now))
        return True

    def close(self, monitor: int) -> list[tuple[Waiting, Moment]]:
        """Return what waited, in order and with the moment at which it came; nothing waits any more."""
        self._until.pop(monitor, None)
        return list(self._waiting.pop(monitor, ()))

    def overdue(self, now: Moment) -> list[int]:
        """Return the monitors whose feeds have waited long enough, or brought too much."""
        full = [monitor for monitor, waiting in self._waiting.items() if len(waiting) >= MAX_WAITING]
        late = [monitor for monitor, until in self._until.items() if now.monotonic >= until]
        return list(dict.fromkeys([*full, *late]))


class TimelineTimes:
    """When the timeline is read for holes in a stream, and again after gaps: once items show, and not too often."""

    def __init__(self, lag_s: float) -> None:
        self._lag_s = lag_s  # items show so late
        self._ended: dict[int, float] = {}  # the newest hole or gap of each monitor, monotonic seconds
        self._read: dict[int, float] = {}  # the newest reading

    def note(self, monitor: int, now: Moment) -> float:
        """Note that a hole or gap has ended; return when (monotonic) to read what happened in it."""
        self._ended[monitor] = now.monotonic
        return self._due(monitor)

    def begin(self, monitor: int, now: Moment) -> float | None:
        """Note that the timeline is read now; return when to read again, for a hole whose items may not show yet."""
        self._read[monitor] = now.monotonic
        return self._due(monitor) if now.monotonic < self._ended[monitor] + self._lag_s else None

    def _due(self, monitor: int) -> float:
        spaced = self._read.get(monitor, -math.inf) + MIN_LAGS_BETWEEN * self._lag_s
        return max(self._ended[monitor] + self._lag_s, spaced)
