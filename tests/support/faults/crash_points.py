"""A bridge that crashes at a chosen moment: before or after its n-th commit, publish, or item; as by `kill -9`.

Moments are armed at the start, or later by a line on standard input: `after_record 3` is the third from then on.
"""

import os
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TextIO, TypeVar

from sense_mqtt.core.publishing.message import Message
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import Item
from sense_mqtt.mqtt.client import MqttClient
from sense_mqtt.mqtt.settings import BrokerSettings
from sense_mqtt.store.journal import Journal

T = TypeVar("T")

MOMENTS = {
    "before_record": "before state and events are committed",
    "in_transaction": "all written, nothing committed",
    "after_record": "after state and events were committed",
    "before_forget": "acknowledged events not yet let go of",
    "after_forget": "acknowledged events just let go of",
    "before_publish": "before a publish",
    "after_publish": "after a publish",
    "item": "between two items of the inbox",
}


class CrashPoint:
    """Counts the moments of one kind, and ends the process at the last of them."""

    def __init__(self) -> None:
        self._armed: tuple[str, int] | None = None
        self._lock = threading.Lock()

    def arm(self, moment: str, number: int) -> None:
        """Crash at the `number`-th such moment from now on, 1 = the next."""
        if moment not in MOMENTS:
            raise ValueError(f"no moment {moment!r}; there are {', '.join(MOMENTS)}")
        with self._lock:
            self._armed = (moment, number)

    def listen(self, lines: TextIO) -> None:
        """Be armed by lines such as `after_publish 7`, on a thread of its own."""
        threading.Thread(target=self._read, args=(lines,), name="crash-points", daemon=True).start()

    def reach(self, moment: str) -> None:
        """Say that such a moment has come."""
        with self._lock:
            if self._armed is None or self._armed[0] != moment:
                return
            self._armed = (moment, self._armed[1] - 1)
            if self._armed[1] > 0:
                return
        os.kill(os.getpid(), signal.SIGKILL)
        threading.Event().wait()  # not one instruction more, even where the signal takes its time

    def _read(self, lines: TextIO) -> None:
        for line in lines:
            moment, _, number = line.strip().partition(" ")
            self.arm(moment, int(number))


class CrashingJournal(Journal):
    """Crashes around what it writes."""

    def __init__(self, path: Path, crash_point: CrashPoint) -> None:
        self._crash_point = crash_point
        super().__init__(path)

    def record(self, *given: Any, **more: Any) -> None:
        self._crash_point.reach("before_record")
        super().record(*given, **more)
        self._crash_point.reach("after_record")

    def record_progress(self, *given: Any) -> None:
        self._crash_point.reach("before_record")
        super().record_progress(*given)
        self._crash_point.reach("after_record")

    def forget(self, numbers: Iterable[int]) -> None:
        self._crash_point.reach("before_forget")
        super().forget(numbers)
        self._crash_point.reach("after_forget")

    def write(self, work: Callable[[sqlite3.Connection], T], *, is_synced: bool = True) -> T:
        def work_and_crash(connection: sqlite3.Connection) -> T:
            done = work(connection)
            self._crash_point.reach("in_transaction")
            return done

        return super().write(work_and_crash, is_synced=is_synced)


class CrashingBroker(MqttClient):
    """Crashes around what it sends."""

    def __init__(
        self,
        settings: BrokerSettings,
        inbox: Inbox,
        will: Message | None,
        topics: Sequence[str],
        crash_point: CrashPoint,
    ) -> None:
        self._crash_point = crash_point
        self._published = 0
        super().__init__(settings, inbox, will, topics)

    def publish(self, message: Message) -> int | None:
        self._crash_point.reach("before_publish")
        self._published += 1
        return super().publish(message)

    def flush(self) -> None:
        super().flush()
        for _ in range(self._published):
            self._crash_point.reach("after_publish")
        self._published = 0


class CrashingInbox(Inbox):
    """Crashes between two items."""

    def __init__(self, crash_point: CrashPoint) -> None:
        self._crash_point = crash_point
        super().__init__()

    def get(self, timeout_s: float) -> Item | None:
        item = super().get(timeout_s)
        if item is not None:
            self._crash_point.reach("item")
        return item
