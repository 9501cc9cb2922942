"""A deadline of a connection: when it expires the socket is shut down, even if bytes still trickle in."""

import contextlib
import socket
import threading
from collections.abc import Callable

from sense_mqtt.clock import Clock

SHUTDOWN_RETRY_S = 0.1  # between two attempts to shut down a connection that is still being made

FindSocket = Callable[[], socket.socket | None]


class Deadline:
    """Within the `with` block, the socket that `find` returns is shut once the time is up; `expired` then says so."""

    def __init__(self, seconds: float, find: FindSocket, clock: Clock) -> None:
        self._clock = clock
        self._find = find
        self._due = self._now() + seconds
        self._final = False
        self._changed = threading.Condition()
        self._over = False
        self._thread = threading.Thread(target=self._watch, name="sense-deadline", daemon=True)
        self.expired = False

    def __enter__(self) -> "Deadline":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._over = True
            self._changed.notify()

    def extend(self, seconds: float) -> None:
        """Something came: the time is up `seconds` from now."""
        with self._changed:
            due = self._now() + seconds
            if self._final:
                return
            if due < self._due:  # otherwise the watcher looks again soon enough
                self._changed.notify()
            self._due = due

    def shorten(self, seconds: float) -> None:
        """The time is up `seconds` from now at the latest, and cannot be extended any more."""
        with self._changed:
            self._due = min(self._due, self._now() + seconds)
            self._final = True
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while not self._over:
                left_s = self._due - self._now()
                if left_s <= 0:
                    self.expired = True
                    self._shut()
                    left_s = SHUTDOWN_RETRY_S
                self._changed.wait(left_s)

    def _shut(self) -> None:
        found = self._find()
        if found is not None:
            with contextlib.suppress(OSError):  # of the plain socket: an SSLSocket would first drop its session
                socket.socket.shutdown(found, socket.SHUT_RDWR)

    def _now(self) -> float:
        return self._clock.now().monotonic
