"""Which of our subscriptions are made: all of them, but for a while after a message that is too large to be read."""

import threading
import time
from collections.abc import Callable, Sequence

PACKET_MOST_BYTES = 128 * 1024  # a request may have half of it
LEFT_OUT_S, LEFT_OUT_MOST_S = 600.0, 21_600.0  # doubled each time: it may be retained

REQUESTS = "/bridge/request/#"


class Subscriptions:
    """Thread-safe."""

    def __init__(self, topics: Sequence[str], now: Callable[[], float] = time.monotonic) -> None:
        self._topics = tuple(topics)
        self._now = now
        self._one = threading.Lock()
        self._left_out: tuple[str, ...] = ()
        self._until = 0.0  # monotonic
        self._next_s = LEFT_OUT_S

    def present(self) -> tuple[str, ...]:
        """Return what a new connection subscribes to."""
        with self._one:
            if self._now() >= self._until:
                self._left_out = ()
            return tuple(topic for topic in self._topics if topic not in self._left_out)

    def leave_out(self) -> tuple[tuple[str, ...], float]:
        """Leave out requests, or where that did not help all topics; return what is left out for how many seconds."""
        with self._one:
            now = self._now()
            again = bool(self._left_out) and now < self._until
            requests = tuple(topic for topic in self._topics if topic.endswith(REQUESTS))
            self._left_out = self._topics if again else requests or self._topics
            lasts_s, self._next_s = self._next_s, min(2 * self._next_s, LEFT_OUT_MOST_S)
            self._until = now + lasts_s
            return self._left_out, lasts_s

    def due_again(self) -> tuple[str, ...]:
        """Return what has been left out long enough, once."""
        with self._one:
            if self._now() < self._until:
                return ()
            due, self._left_out = self._left_out, ()
            return due
