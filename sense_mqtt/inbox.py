"""Every item that can reach the bridge, and the queue that brings it."""

import queue
import threading
from dataclasses import dataclass
from typing import Any, Literal

from sense_mqtt.clock import Moment

Rung = Literal["stream", "poll", "snapshot", "paused"]

FRAMES_WAITING_MOST = 64  # of all feeds together; a feed that would bring more waits, and TCP holds the rest


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


@dataclass(frozen=True, slots=True)
class MessageArrived:
    """Something was published on a topic that we subscribed to."""

    generation: int
    topic: str
    payload: bytes
    retain: bool = False
    response_topic: str | None = None
    correlation: bytes | None = None


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
    """The one queue into the bridge. `put` never blocks; any thread may call it, a signal handler too."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._room = threading.Semaphore(FRAMES_WAITING_MOST)

    def put(self, item: Item) -> None:
        self._queue.put(item)

    def put_frame(self, item: FrameArrived | UpdatePolled, patience_s: float = 0.5) -> bool:
        """Bring a frame once there is room for it; False when there was none for `patience_s`: ask again, or end."""
        if not self._room.acquire(timeout=patience_s):
            return False
        self._queue.put(item)
        return True

    def get(self, timeout_s: float) -> Item | None:
        """Return the oldest item, or None when nothing came in time. For the bridge's thread only."""
        try:
            item = self._queue.get(timeout=max(timeout_s, 0.0))
        except queue.Empty:
            return None
        if isinstance(item, FrameArrived | UpdatePolled):
            self._room.release()
        return item

    def __len__(self) -> int:
        return self._queue.qsize()
