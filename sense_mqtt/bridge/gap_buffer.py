"""After a gap, Sense's timeline comes first: what the feed delivers waits until the timeline of the gap was read.

So the edges of the gap are published in order and with their true times before the first frame is compared
(docs/decisions/0002-reconciling-frames-and-timeline.md).
"""

import math

from sense_mqtt.clock import Moment
from sense_mqtt.items import FeedEnded, FrameArrived, UpdatePolled

MAX_WAIT_S = 10.0  # for Sense's REST interface; then the frames are compared without the timeline
MIN_LAGS_BETWEEN = 3  # readings for gaps are at least so many lags of the timeline apart: at most 14 an hour
MAX_WAITING = 256  # items: two minutes of a stream

FeedItem = FrameArrived | UpdatePolled | FeedEnded


class GapBuffer:
    """Items of one feed that wait for the timeline. For the bridge's thread only."""

    def __init__(self) -> None:
        self._waiting: list[tuple[FeedItem, Moment]] = []
        self.is_open = False  # items wait
        self.until = math.inf  # monotonic seconds, when the buffer is to be closed at the latest

    def open(self, now: Moment) -> None:
        """Let items wait from now on; a buffer that is open already waits no longer for it."""
        if not self.is_open:
            self.is_open, self.until = True, now.monotonic + MAX_WAIT_S

    def buffer(self, item: FeedItem, now: Moment) -> bool:
        """Keep the item and return True; False where the buffer is closed, or full."""
        if not self.is_open or self.is_full:
            return False
        self._waiting.append((item, now))
        return True

    @property
    def is_full(self) -> bool:
        return len(self._waiting) >= MAX_WAITING

    def close(self) -> list[tuple[FeedItem, Moment]]:
        """Return what waited, in order and with the moment at which it came; nothing waits any more."""
        waiting, self._waiting, self.is_open, self.until = self._waiting, [], False, math.inf
        return waiting


class TimelineTimes:
    """When one monitor's timeline is read for gaps in a stream: once its items appear, and not too often."""

    def __init__(self, lag_s: float) -> None:
        self._lag_s = lag_s  # items appear so late
        self._ended = -math.inf  # the newest gap, monotonic seconds
        self._read = -math.inf  # the newest reading

    def gap_ended(self, now: Moment) -> float:
        """Return when (monotonic) to read what happened in a gap that has just ended."""
        self._ended = now.monotonic
        return self._due()

    def reading(self, now: Moment) -> float | None:
        """Note that the timeline is read now; return when to read again, for a gap whose items may not appear yet."""
        self._read = now.monotonic
        return self._due() if now.monotonic < self._ended + self._lag_s else None

    def _due(self) -> float:
        return max(self._ended + self._lag_s, self._read + MIN_LAGS_BETWEEN * self._lag_s)
