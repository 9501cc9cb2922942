"""A few threads for calls that may block, shared by all accounts and feeds."""

import threading
from collections import deque
from collections.abc import Callable, Hashable

MAX_THREADS = 6
IDLE_S = 10.0  # a thread that has nothing to do for so long ends

Task = Callable[[], None]


class Workers:
    """Runs tasks; those with an equal key one after the other and in order, so that no key takes more than one thread.

    Keys take turns. Thread-safe. Threads are made when they are needed. A task that raises ends its thread, and with it
    the process (see `Crashed`).
    """

    def __init__(self, most: int = MAX_THREADS) -> None:
        self._most = most
        self._changed = threading.Condition()
        self._waiting: dict[Hashable, deque[Task]] = {}  # of each key that waits or runs
        self._runnable: deque[Hashable] = deque()  # keys that have a task, of which none runs
        self._threads = 0
        self._idle = 0

    def submit(self, key: Hashable, task: Task) -> None:
        """Run a task soon."""
        with self._changed:
            if key in self._waiting:
                self._waiting[key].append(task)
                return
            self._waiting[key] = deque([task])
            self._runnable.append(key)
            if len(self._runnable) > self._idle and self._threads < self._most:
                self._threads += 1
                threading.Thread(target=self._work, name=f"sense-worker-{self._threads}", daemon=True).start()
            self._changed.notify()

    def _work(self) -> None:
        while (found := self._next()) is not None:
            key, task = found
            try:
                task()
            finally:
                self._done(key)

    def _next(self) -> tuple[Hashable, Task] | None:
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._runnable, IDLE_S)
            self._idle -= 1
            if not self._runnable:
                self._threads -= 1
                return None
            key = self._runnable.popleft()
            return key, self._waiting[key].popleft()

    def _done(self, key: Hashable) -> None:
        with self._changed:
            if self._waiting[key]:
                self._runnable.append(key)
                self._changed.notify()
            else:
                del self._waiting[key]
