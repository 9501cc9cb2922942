"""The thread `sense-feeds`: the sockets and the times of all feeds. It never waits for anything but both of them."""

import contextlib
import heapq
import itertools
import logging
import os
import selectors
import threading
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, Protocol, TypeVar

from sense_mqtt.clock import Clock
from sense_mqtt.errors import SenseMqttError
from sense_mqtt.inbox import Inbox
from sense_mqtt.sense.workers import Workers

logger = logging.getLogger(__name__)

LONGEST_WAIT_S = 3600.0
OPENINGS_A_TURN = 8  # steps of a handshake: TLS costs a millisecond, and frames of others wait

T = TypeVar("T")


class LoopFeed(Protocol):
    """What the loop calls; never two calls at a time, and none of them may wait."""

    @property
    def is_opening(self) -> bool:
        """Whether the socket is still being opened."""

    def begin(self) -> None:
        """The feed was added."""

    def on_ready(self) -> None:
        """The socket is ready, or `again` was asked for."""

    def on_due(self) -> None:
        """The time of `wake_at` has come."""

    def on_room(self) -> None:
        """There is room in the inbox again."""


class FeedLoop:
    """Any thread may `add`, `call` and `run`; the rest is for the feeds, on the loop's thread.

    The thread is there as long as feeds are.
    """

    def __init__(self, inbox: Inbox, clock: Clock) -> None:
        self.inbox = inbox
        self.clock = clock
        self._workers = Workers()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._waker = -1  # a pipe that wakes the thread; -1: there is no thread
        self._feeds: set[LoopFeed] = set()
        self._calls: deque[Callable[[], None]] = deque()
        self._unfinished = 0  # works of `run`
        self._selector: selectors.BaseSelector = selectors.DefaultSelector()
        self._watched: dict[LoopFeed, tuple[int, int]] = {}  # descriptor, and what it has to be ready for
        self._times: list[tuple[float, int, LoopFeed]] = []  # of which only those in `_entries` count
        self._entries: dict[LoopFeed, int] = {}
        self._due: dict[LoopFeed, float] = {}
        self._numbers = itertools.count()
        self._again: dict[LoopFeed, None] = {}
        self._without_room: dict[int, LoopFeed] = {}  # by monitor, the one first that has waited longest
        inbox.call_when_room(lambda monitor: self.call(lambda: self._on_room(monitor)))

    # --- for any thread

    def add(self, feed: LoopFeed) -> None:
        """Begin a feed."""
        with self._lock:
            self._feeds.add(feed)
            if self._thread is None:
                self._start()
        self.call(feed.begin)

    def call(self, work: Callable[[], None]) -> None:
        """Call it soon, on the loop's thread."""
        with self._lock:
            self._calls.append(work)
            if self._waker >= 0:
                with contextlib.suppress(BlockingIOError):  # then it is awake
                    os.write(self._waker, b"x")

    def has(self, feed: LoopFeed) -> bool:
        """Whether the feed was added and has not ended; False where the thread has died."""
        with self._lock:
            return feed in self._feeds and self._thread is not None and self._thread.is_alive()

    # --- for the feeds, on the loop's thread

    def remove(self, feed: LoopFeed) -> None:
        """The feed has ended."""
        self.unwatch(feed)
        self._due.pop(feed, None)
        self._entries.pop(feed, None)
        with self._lock:
            self._feeds.discard(feed)

    def run(self, key: Hashable, work: Callable[[], T], done: Callable[[T | SenseMqttError], None]) -> None:
        """Do what may block on another thread, after all else with this key; then call `done`, here."""

        def task() -> None:
            result: Any
            try:
                result = work()
            except SenseMqttError as error:
                result = error
            self.call(lambda: finish(result))

        def finish(result: Any) -> None:
            self._unfinished -= 1
            done(result)

        self._unfinished += 1
        self._workers.submit(key, task)

    def watch(self, feed: LoopFeed, descriptor: int, events: int) -> None:
        """Call `on_ready` whenever this descriptor is ready for these events."""
        known = self._watched.get(feed)
        if known == (descriptor, events):
            return
        if known is not None and known[0] == descriptor:
            self._selector.modify(descriptor, events, feed)
        else:
            self.unwatch(feed)
            self._selector.register(descriptor, events, feed)
        self._watched[feed] = descriptor, events

    def unwatch(self, feed: LoopFeed) -> None:
        """Watch the socket of this feed no more; call it before the socket is closed."""
        known = self._watched.pop(feed, None)
        if known is not None:
            self._selector.unregister(known[0])

    def wake_at(self, feed: LoopFeed, moment: float) -> None:
        """Call `on_due` at that time (monotonic), instead of any other."""
        before = self._due.get(feed)
        self._due[feed] = moment
        if before is None or moment < before:  # else the entry that is there comes soon enough
            self._enter(feed, moment)

    def _enter(self, feed: LoopFeed, moment: float) -> None:
        self._entries[feed] = number = next(self._numbers)
        heapq.heappush(self._times, (moment, number, feed))

    def again(self, feed: LoopFeed) -> None:
        """Call `on_ready` once more, after the others had their turn."""
        self._again.setdefault(feed)

    def wait_for_room(self, feed: LoopFeed, monitor: int) -> None:
        """Call `on_room` once the inbox has room again for frames of this monitor."""
        self._without_room[monitor] = feed

    # --- the thread

    def _start(self) -> None:
        awake, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(awake, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._run, args=(awake,), name="sense-feeds", daemon=True)
        self._thread.start()

    def _run(self, awake: int) -> None:
        while self._goes_on(awake):
            self._turn(awake)

    def _goes_on(self, awake: int) -> bool:
        with self._lock:
            if self._feeds or self._calls or self._unfinished:
                return True
            self._selector.close()
            os.close(awake)
            os.close(self._waker)
            self._thread, self._waker = None, -1
            return False

    def _turn(self, awake: int) -> None:
        ready = [key.data for key, _ in self._selector.select(self._wait_s())]
        if None in ready:
            os.read(awake, 65_536)
        self._call_all()
        waiting, self._again = self._again, {}
        openings = 0
        for feed in dict.fromkeys(itertools.chain(waiting, ready)):
            if feed is None or feed not in self._feeds:
                continue
            if feed.is_opening:
                openings += 1
                if openings > OPENINGS_A_TURN:
                    continue  # its socket is still ready in the next turn
            feed.on_ready()
        self._call_due()

    def _wait_s(self) -> float:
        if self._again or self._calls:
            return 0.0
        if not self._times:
            return LONGEST_WAIT_S
        return min(max(self._times[0][0] - self._now(), 0.0), LONGEST_WAIT_S)

    def _call_all(self) -> None:
        for _ in range(len(self._calls)):
            self._calls.popleft()()

    def _call_due(self) -> None:
        now = self._now()
        while self._times and self._times[0][0] <= now:
            _, number, feed = heapq.heappop(self._times)
            if self._entries.get(feed) != number:
                continue
            if self._due[feed] > now:
                self._enter(feed, self._due[feed])
                continue
            del self._due[feed], self._entries[feed]
            feed.on_due()

    def _on_room(self, monitor: int | None) -> None:
        """Let that feed go on, or all of them."""
        waiting = list(self._without_room) if monitor is None else [monitor]
        for each in waiting:
            feed = self._without_room.pop(each, None)
            if feed is not None and feed in self._feeds:
                feed.on_room()

    def _now(self) -> float:
        return self.clock.now().monotonic
