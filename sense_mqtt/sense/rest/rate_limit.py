"""Rate limit of REST calls: one in flight, at most one a second, none while Sense asks us to wait."""

import contextlib
import threading
from collections import deque
from collections.abc import Iterator

from sense_mqtt.clock import Clock
from sense_mqtt.errors import RateLimited, SenseUnavailable, StateError
from sense_mqtt.net.http_times import RETRY_AFTER_MAX_S
from sense_mqtt.sense.state_file import StateFile
from sense_mqtt.sense.state_model import StateModel

HOUR_S = 3_600.0


class SavedRateLimit(StateModel):
    """Until when Sense asked us to wait, wall clock, s."""

    quiet_until: float = 0.0


class RateLimiter:
    """Gives each call its slot and counts it. Thread-safe."""

    def __init__(self, clock: Clock, closing: threading.Event, spacing_s: float, file: StateFile | None = None) -> None:
        self._clock = clock
        self._closing = closing
        self._spacing_s = spacing_s
        self._one = threading.Lock()
        self._calls: deque[float] = deque(maxlen=10_000)  # monotonic
        self._file = file  # keeps the end of a `back_off` over restarts
        self._blocked_until = self._now() + self._saved_wait_s()

    @contextlib.contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for a slot and count the call. Raises `RateLimited` while Sense asks us to wait."""
        with self._one:
            self._raise_if_blocked()
            if self._calls:
                self.wait(self._calls[-1] + self._spacing_s - self._now())
            self._raise_if_closing()
            self._calls.append(self._now())
            yield

    def back_off(self, seconds: float) -> None:
        """Allow no call for so many seconds: Sense asked for it."""
        self._blocked_until = self._now() + seconds
        if self._file is not None and seconds > 0:
            with contextlib.suppress(StateError):  # the session says what is wrong with its directory
                SavedRateLimit(quiet_until=self._clock.now().wall + seconds).save(self._file, durable=False)

    def wait(self, seconds: float) -> None:
        """Wait so many seconds. Raises `SenseUnavailable` if the bridge shuts down."""
        if seconds > 0:
            self._closing.wait(seconds)
        self._raise_if_closing()

    @property
    def calls_last_hour(self) -> int:
        since = self._now() - HOUR_S
        return sum(moment > since for moment in tuple(self._calls))

    @property
    def blocked_s(self) -> float:
        """How long Sense still asks us to wait; 0 if it does not."""
        return max(self._blocked_until - self._now(), 0.0)

    def _saved_wait_s(self) -> float:
        try:
            until = SavedRateLimit.load(self._file).quiet_until if self._file else 0.0
        except StateError:
            return 0.0
        left_s = until - self._clock.now().wall
        return left_s if 0.0 < left_s <= RETRY_AFTER_MAX_S else 0.0  # else it is over, or a clock was wrong

    def _raise_if_blocked(self) -> None:
        if self.blocked_s > 0:
            raise RateLimited(f"Sense asked us to wait; {self.blocked_s:.0f} s are left", self.blocked_s)

    def _raise_if_closing(self) -> None:
        if self._closing.is_set():
            raise SenseUnavailable("the bridge is shutting down")

    def _now(self) -> float:
        return self._clock.now().monotonic
