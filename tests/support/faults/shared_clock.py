"""One wall clock for the simulated house, the simulated cloud and the bridge under test: eight bytes in a shared file.

House time runs faster than ours and stands still while nobody listens. A bridge that read the machine's clock would
take every frame for one of yesterday or tomorrow.
"""

import mmap
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from sense_mqtt.clock import Moment

LAG_S = 1.0  # a real frame is that old when it arrives
POLL_S = 0.5  # how soon the thread notices that it is to end

_FORMAT = struct.Struct("d")


class SharedClock:
    """Reads the clock; `now` is what the bridge is given. Waiting is done in real seconds."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _FORMAT.size)

    def now(self) -> Moment:
        return Moment(_FORMAT.unpack(self._memory[:])[0], time.monotonic())


class SharedClockWriter:
    """Writes the clock, from a thread that follows a house."""

    def __init__(self, path: Path, begins: float) -> None:
        path.write_bytes(_FORMAT.pack(begins + LAG_S))
        self.error_s = 0.0  # how wrong the bridge's host is; may be changed at any time
        self._house_s = begins
        self._shown = SharedClock(path)
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def wall(self) -> float:
        """Return the right time, as the cloud has it."""
        return self._house_s + LAG_S

    def follow(self, wait_until: Callable[[float, float], bool], now: Callable[[], float]) -> Self:
        """Show the time of a house that `wait_until` (a moment, a timeout) waits for and `now` tells."""
        self._thread = threading.Thread(target=self._run, args=(wait_until, now), name="shared-clock", daemon=True)
        self._thread.start()
        return self

    def close(self) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def set_wrong(self, error_s: float) -> None:
        """Let the bridge's host be wrong by so much from now on."""
        self.error_s = error_s
        self._show()

    def _run(self, wait_until: Callable[[float, float], bool], now: Callable[[], float]) -> None:
        while not self._closing.is_set():
            wait_until(self._house_s + 1e-6, POLL_S)
            self._house_s = now()
            self._show()

    def _show(self) -> None:
        self._shown._memory[:] = _FORMAT.pack(self._house_s + LAG_S + self.error_s)
