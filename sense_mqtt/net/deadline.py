"""A deadline over a connection: when it passes, the socket is shut, however slowly the peer sends meanwhile."""

import contextlib
import socket
import threading
from collections.abc import Callable

from sense_mqtt.clock import Clock

SHUTDOWN_RETRY_S = 0.1  # between two attempts to shut, while the connection still comes into being
IDLE_S = 10.0  # the watcher ends when there was nothing to watch for so long

FindSocket = Callable[[], socket.socket | None]


class Deadline:
    """Within the `with` block, the socket that `find` returns is shut once the time is up; `expired` then says so."""

    def __init__(self, seconds: float, find: FindSocket, clock: Clock) -> None:
        self._clock = clock
        self._find = find
        self._due = self._now() + seconds
        self.expired = False

    def __enter__(self) -> "Deadline":
        _watcher.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        _watcher.remove(self)

    def watch(self) -> float:
        """Shut the socket if the time is up; return the seconds until this is to be called again."""
        left_s = self._due - self._now()
        if left_s > 0:
            return left_s
        self.expired = True
        found = self._find()
        if found is not None:
            with contextlib.suppress(OSError):  # of the plain socket: an SSLSocket would first drop its session
                socket.socket.shutdown(found, socket.SHUT_RDWR)
        return SHUTDOWN_RETRY_S

    def _now(self) -> float:
        return self._clock.now().monotonic


class _Watcher:
    """Watches all deadlines of the process, on one thread that is there as long as it is needed."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._deadlines: set[Deadline] = set()
        self._running = False

    def add(self, deadline: Deadline) -> None:
        with self._changed:
            self._deadlines.add(deadline)
            if not self._running:
                self._running = True
                threading.Thread(target=self._watch, name="sense-deadlines", daemon=True).start()
            self._changed.notify()

    def remove(self, deadline: Deadline) -> None:
        with self._changed:
            self._deadlines.discard(deadline)

    def _watch(self) -> None:
        with self._changed:
            while True:
                wait_s = min((deadline.watch() for deadline in self._deadlines), default=IDLE_S)
                told = self._changed.wait(wait_s)
                if not told and not self._deadlines:
                    self._running = False
                    return


_watcher = _Watcher()
