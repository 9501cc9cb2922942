"""The queue that brings items to the bridge."""

import queue
import threading

from sense_mqtt.items import FrameArrived, Item, MessageArrived, UpdatePolled

MAX_WAITING_FRAMES = 64  # of all feeds together; a feed with more waits, and TCP holds the rest
MAX_WAITING_REQUESTS = 32  # more are dropped
MAX_WAITING_OTHERS = 256  # likewise: echoes of our events, of which few are unacknowledged, and Home Assistant's birth


class Inbox:
    """The one queue into the bridge. `put` never blocks; any thread may call it, a signal handler too.

    Anybody may publish as many messages as they like: these wait behind all else, so many of each kind at most.
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Item | None] = queue.SimpleQueue()  # None: one more message waits in `_messages`
        self._room = threading.Semaphore(MAX_WAITING_FRAMES)
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
        else:
            self._queue.put(item)

    def put_frame(self, item: FrameArrived | UpdatePolled, timeout_s: float = 0.5) -> bool:
        """Add a frame once there is room for it; False where there was none within `timeout_s`."""
        if not self._room.acquire(timeout=timeout_s):
            return False
        self._queue.put(item)
        return True

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
        """Return the oldest item, messages last, or None when nothing came in time. For the bridge's thread only."""
        try:
            while (item := self._queue.get(not self._messages_due, max(timeout_s, 0.0))) is None:
                self._messages_due += 1
        except queue.Empty:
            return self._get_message()
        if isinstance(item, FrameArrived | UpdatePolled):
            self._room.release()
        return item

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
        return self._queue.qsize() + self._messages_due
