"""The queue that brings items to the bridge."""

import queue
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence

from sense_mqtt.items import Acknowledged, FrameArrived, Item, MessageArrived, UpdatePolled

# A feed with more than this waits, and TCP holds the rest
MAX_WAITING_FRAMES = 1_024  # of all feeds together,
MAX_WAITING_BYTES = 16_000_000  # likewise,
MAX_WAITING_OF_ONE = 16  # and of one: a feed that sends too much waits, the others go on
POLLED_BYTES = 20_000  # what an answer, parsed already, counts for
MAX_WAITING_REQUESTS = 32  # more are dropped
MAX_WAITING_OTHERS = 256  # likewise: echoes of our events, of which few are unacknowledged, and Home Assistant's birth


class Inbox:
    """The one queue into the bridge. `put` never blocks; any thread may call it, a signal handler too.

    Anybody may publish as many messages as they like: these wait behind all else, so many of each kind at most.
    Acknowledgements of the broker that wait can be taken between any two items: with many homes a thousand frames may
    wait, and the next messages go out only as fast as those before them are acknowledged.
    """

    def __init__(self) -> None:
        # None: one more message waits in `_messages`
        self._queue: queue.SimpleQueue[Item | _Waker | None] = queue.SimpleQueue()
        self._acknowledged: deque[Acknowledged] = deque()
        self._is_woken = False  # a _WAKER is in the queue
        self._frames = _WaitingFrames()
        self._messages: queue.SimpleQueue[MessageArrived] = queue.SimpleQueue()
        self._message_room = {
            True: threading.Semaphore(MAX_WAITING_REQUESTS),
            False: threading.Semaphore(MAX_WAITING_OTHERS),
        }
        self._messages_due = 0  # messages that wait, and whose None was taken
        self._lost_lock = threading.Lock()
        self._lost = 0

    def put(self, item: Item) -> None:
        """Add any item but a frame."""
        if isinstance(item, MessageArrived):
            self._put_message(item)
        elif isinstance(item, Acknowledged):
            self.put_acknowledged([item])
        else:
            self._queue.put(item)

    def put_acknowledged(self, items: Sequence[Acknowledged]) -> None:
        """Add acknowledgements."""
        self._acknowledged.extend(items)
        self._wake()

    def put_frame(self, item: FrameArrived | UpdatePolled) -> bool:
        """Add a frame, or return False where there is no room for it; for one thread at a time."""
        if not self._frames.add(item):
            return False
        self._queue.put(item)
        return True

    def call_when_room(self, call: Callable[[int | None], None]) -> None:
        """Call it, on the bridge's thread, when there is room again after `put_frame` had none.

        It is given the monitor of which too many frames waited, or None: of all together.
        """
        self._frames.on_room = call

    def _put_message(self, item: MessageArrived) -> None:
        """Add a message; where too many of its kind wait, it is dropped and counted."""
        if self._message_room[item.is_request].acquire(blocking=False):
            self._messages.put(item)
            self._queue.put(None)
            return
        with self._lost_lock:
            self._lost += 1

    def take_lost(self) -> int:
        """Return how many messages were dropped since the last call."""
        with self._lost_lock:
            lost, self._lost = self._lost, 0
            return lost

    def get(self, timeout_s: float) -> Item | None:
        """Return the oldest item, or None when nothing came in time. For the bridge's thread only.

        Messages come last.
        """
        try:
            while True:
                item = self._queue.get(not self._messages_due, max(timeout_s, 0.0))
                if item is None:
                    self._messages_due += 1
                elif isinstance(item, FrameArrived | UpdatePolled):
                    self._frames.remove(item)
                    return item
                elif not isinstance(item, _Waker):
                    return item
                elif (acknowledged := self._get_acknowledged()) is not None:
                    return acknowledged
        except queue.Empty:
            return self._get_message()

    def take_acknowledged(self) -> list[Acknowledged]:
        """Return the acknowledgements that wait now. For the bridge's thread only.

        Those that come meanwhile wait until the next call: a fast broker holds up nothing else.
        """
        return [self._acknowledged.popleft() for _ in range(len(self._acknowledged))] if self._acknowledged else []

    def _get_acknowledged(self) -> Acknowledged | None:
        self._is_woken = False
        oldest = self._acknowledged.popleft() if self._acknowledged else None
        if self._acknowledged:
            self._wake()
        return oldest

    def _wake(self) -> None:
        if not self._is_woken:
            self._is_woken = True
            self._queue.put(_WAKER)

    def _get_message(self) -> MessageArrived | None:
        if not self._messages_due:
            return None
        self._messages_due -= 1
        message = self._messages.get()
        self._message_room[message.is_request].release()
        return message

    @property
    def holds_only_messages(self) -> bool:
        """True where no item waits, or only messages from MQTT."""
        return len(self) <= self._messages.qsize()

    def __len__(self) -> int:
        return max(self._queue.qsize() - self._is_woken, 0) + len(self._acknowledged) + self._messages_due


class _Waker:
    """Wakes the bridge's thread: acknowledgements wait."""


_WAKER = _Waker()


class _WaitingFrames:
    """Counts the frames that wait. Each figure is written by one thread only, so no lock is needed."""

    def __init__(self) -> None:
        self.on_room: Callable[[int | None], None] = _do_nothing
        self._added: defaultdict[int, int] = defaultdict(int)  # by monitor; written by the feeds
        self._removed: defaultdict[int, int] = defaultdict(int)  # written by the bridge
        self._frames_added = self._bytes_added = 0
        self._frames_removed = self._bytes_removed = 0
        self._refused: set[int] = set()  # monitors of which too many wait
        self._is_full = False  # too many wait of all together

    def add(self, item: FrameArrived | UpdatePolled) -> bool:
        """Count a frame; False where there is no room."""
        monitor = item.monitor
        if not self._has_room(monitor):
            self._refused.add(monitor)
            self._is_full |= not self._has_room_of_all()  # others may wait for that too
            if not self._has_room(monitor):  # else it was made meanwhile, and nobody would tell
                return False
        self._refused.discard(monitor)
        self._added[monitor] += 1
        self._frames_added += 1
        self._bytes_added += _size(item)
        return True

    def remove(self, item: FrameArrived | UpdatePolled) -> None:
        """Count a frame no more."""
        monitor = item.monitor
        self._removed[monitor] += 1
        self._frames_removed += 1
        self._bytes_removed += _size(item)
        if monitor in self._refused and self._waiting_of(monitor) <= MAX_WAITING_OF_ONE // 2:
            self._refused.discard(monitor)
            self.on_room(monitor)
        if self._is_full and self._has_room_of_all(share=2):
            self._is_full = False
            self.on_room(None)

    def _waiting_of(self, monitor: int) -> int:
        return self._added.get(monitor, 0) - self._removed.get(monitor, 0)

    def _has_room(self, monitor: int) -> bool:
        return self._waiting_of(monitor) < MAX_WAITING_OF_ONE and self._has_room_of_all()

    def _has_room_of_all(self, share: int = 1) -> bool:
        return (
            self._frames_added - self._frames_removed < MAX_WAITING_FRAMES // share
            and self._bytes_added - self._bytes_removed < MAX_WAITING_BYTES // share
        )


def _size(item: FrameArrived | UpdatePolled) -> int:
    return len(item.raw) if isinstance(item, FrameArrived) else POLLED_BYTES


def _do_nothing(_monitor: int | None) -> None:
    """Nobody waits for room."""
