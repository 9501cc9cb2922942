"""Every item that can reach the bridge, and the queue that brings it."""

import queue
import threading
from dataclasses import dataclass
from typing import Any, Literal

from sense_mqtt.clock import Moment
from sense_mqtt.core.broker_limits import describe_limits

Rung = Literal["stream", "poll", "snapshot", "paused"]

FRAMES_WAITING_MOST = 64  # of all feeds together; a feed that would bring more waits, and TCP holds the rest
REQUESTS_WAITING_MOST = 32  # more are lost
OTHERS_WAITING_MOST = 256  # likewise: echoes of our events, of which few are unacknowledged, and Home Assistant's birth


# --- from a feed (threads "sense-feed-<monitor>")


@dataclass(frozen=True, slots=True)
class FrameArrived:
    """One message of the realtime feed as it came: text (JSON) or binary (msgpack, or JSON in old binary frames)."""

    monitor: int
    raw: str | bytes


@dataclass(frozen=True, slots=True)
class UpdatePolled:
    """The answer of `GET app/{monitor}/realtime_update`: a bare realtime payload, already parsed from JSON."""

    monitor: int
    payload: Any
    asked: Moment


@dataclass(frozen=True, slots=True)
class FeedOpened:
    """A connection (or the first poll of a row) stands; frames follow."""

    monitor: int
    rung: Rung


@dataclass(frozen=True, slots=True)
class FeedEnded:
    """Frames are interrupted: what comes next may differ from what came last by more than one step."""

    monitor: int
    reason: str


@dataclass(frozen=True, slots=True)
class FeedChanged:
    """The feed moved to another rung of its ladder, and why."""

    monitor: int
    rung: Rung
    reason: str


@dataclass(frozen=True, slots=True)
class FeedLimited:
    """Sense answered the feed that we ask too much (HTTP 429)."""

    monitor: int
    reason: str
    retry_after_s: float  # 0: it did not say how long to wait


Auth = Literal["starting", "ok", "auth_required", "unavailable"]


@dataclass(frozen=True, slots=True)
class AuthChanged:
    """The session's standing with Sense changed, and why."""

    auth: Auth
    reason: str


# --- from the desk (thread "sense-rest")


@dataclass(frozen=True, slots=True)
class LookupDone:
    """A lookup ended: `result` holds what Sense said, or the error."""

    ticket: object  # as given to the desk
    result: Any  # the parsed answer, or a SenseMqttError


# --- from the broker (thread "paho-mqtt-client-...")


@dataclass(frozen=True, slots=True)
class BrokerConnected:
    """The broker took us; `generation` names this connection, in all items that follow from it."""

    generation: int
    window: int  # messages that may be unacknowledged, from the broker's CONNACK
    packet_limit: int | None = None  # bytes, likewise; None: no limit
    resumed: bool = False  # our session of before is continued: what we missed on our subscriptions comes now
    retain_available: bool = True  # False: the broker keeps no retained messages, and none is sent as such
    maximum_qos: int = 1  # 0: nothing is acknowledged; a message counts as delivered once it is written
    wildcards_available: bool = True  # in subscriptions

    @property
    def limits(self) -> tuple[str, ...]:
        """What does not work with this broker, a sentence each."""
        return tuple(
            describe_limits(
                retain_available=self.retain_available,
                maximum_qos=self.maximum_qos,
                wildcards_available=self.wildcards_available,
            )
        )


@dataclass(frozen=True, slots=True)
class BrokerDropped:
    """The connection, or the attempt at one, ended; told at least once each."""

    generation: int
    reason: str
    taken_over: bool = False  # another client came with our client id
    refused: bool = False  # the broker does not want this client: to try again soon will not help
    retry_now: bool = False  # the next attempt asks for something else
    code: int | None = None  # the reason code of MQTT 5's DISCONNECT, where there was one


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The broker has the message that `publish` numbered `mid`; `refusal` is the reason where it did not take it."""

    generation: int
    mid: int
    refusal: str | None = None
    transient: bool = False  # the refusal: it may take the same message later


@dataclass(frozen=True, slots=True)
class MessageArrived:
    """Something was published on a topic that we subscribed to."""

    generation: int
    topic: str
    payload: bytes
    retain: bool = False
    response_topic: str | None = None
    correlation: bytes | None = None

    @property
    def is_request(self) -> bool:
        return "/bridge/request/" in self.topic


# --- from the process


@dataclass(frozen=True, slots=True)
class Stop:
    """End in good order, with this exit code."""

    reason: str
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class Crashed:
    """A thread died of an exception that nobody foresaw."""

    thread: str
    error: str


Item = (
    FrameArrived
    | UpdatePolled
    | FeedOpened
    | FeedEnded
    | FeedChanged
    | FeedLimited
    | AuthChanged
    | LookupDone
    | BrokerConnected
    | BrokerDropped
    | Acknowledged
    | MessageArrived
    | Stop
    | Crashed
)


class Inbox:
    """The one queue into the bridge. `put` never blocks; any thread may call it, a signal handler too.

    Anybody may publish as many messages as they like: these wait behind all else, so many of each kind at most.
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Item | None] = queue.SimpleQueue()  # None: a message more waits
        self._room = threading.Semaphore(FRAMES_WAITING_MOST)
        self._messages: queue.SimpleQueue[MessageArrived] = queue.SimpleQueue()
        self._message_room = {
            True: threading.Semaphore(REQUESTS_WAITING_MOST),
            False: threading.Semaphore(OTHERS_WAITING_MOST),
        }
        self._messages_due = 0  # of those that wait, so many were announced by None
        self._lost_lock = threading.Lock()
        self._lost = 0

    def put(self, item: Item) -> None:
        """Bring anything but a frame."""
        if isinstance(item, MessageArrived):
            self._put_message(item)
        else:
            self._queue.put(item)

    def put_frame(self, item: FrameArrived | UpdatePolled, patience_s: float = 0.5) -> bool:
        """Bring a frame once there is room for it; False when there was none for `patience_s`: ask again, or end."""
        if not self._room.acquire(timeout=patience_s):
            return False
        self._queue.put(item)
        return True

    def _put_message(self, item: MessageArrived) -> None:
        """Put a message in line; where too many of its kind wait it is lost, and counted."""
        if self._message_room[item.is_request].acquire(blocking=False):
            self._messages.put(item)
            self._queue.put(None)
            return
        with self._lost_lock:
            self._lost += 1

    def take_lost(self) -> int:
        """Return how many messages were lost since this was last asked."""
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
        """Nothing waits, or nothing but messages from MQTT."""
        return len(self) <= self._messages.qsize()

    def __len__(self) -> int:
        return self._queue.qsize() + self._messages_due
