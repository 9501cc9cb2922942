"""What waits to be published: the newest value per retained topic, events in order, and what may go out now.

Bounded: one value a topic, MAX_EVENTS events (more wait in the journal), MAX_RESPONSES replies, a window in flight.
"""

from collections import deque
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from sense_mqtt.core.publishing.postponed import Postponed

RECEIVE_MAXIMUM = 20  # what mosquitto allows in flight by default (its CONNACK says ReceiveMaximum 20)
MAX_EVENTS = 100
MAX_RESPONSES = 100
SHARE = 4  # 1/4 of the window is for events alone, answers fill 1/4 at most: requests delay acknowledgements by seconds


class PublishOrder(IntEnum):
    """The order in which a new connection hears what is retained (contract 2.2). The journal keeps these numbers."""

    DISCOVERY = 0
    INFO = 1
    AVAILABILITY = 2
    VALUE = 3
    BRIDGE_STATE = 4


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message, QoS 1."""

    topic: str
    payload: str
    retain: bool = False
    order: PublishOrder = PublishOrder.VALUE
    event: int | None = None  # its number in the journal
    event_id: str = ""  # of an event: what it is known by, however late it is told
    correlation: bytes | None = None
    final: bool = False  # retained, and the last word on its topic: once a broker has it, it is not said again

    @property
    def size(self) -> int:
        """Bytes on the wire, with room for MQTT's own fields."""
        return len(self.payload.encode()) + len(self.topic.encode()) + len(self.correlation or b"") + 32


class _Inflight(NamedTuple):
    message: Message
    since: float  # monotonic seconds


class Outbox:
    """The queue towards the broker. For the bridge's thread only."""

    def __init__(self) -> None:
        self._receive_maximum, self._connected = RECEIVE_MAXIMUM, False
        self._dirty_first = 0  # of what is unsaid, so many from the left go before replies and events
        self._retained: dict[str, Message] = {}
        self._dirty: dict[str, None] = {}  # retained topics whose newest value has not gone out, in order
        self._events: deque[Message] = deque()
        self._maybe_delivered = 0  # of the events, so many from the left may have reached the broker
        self._held = False  # events wait until their echoes had time to come
        self._responses: deque[Message] = deque()
        self._response_is_next = True  # answers and readings take turns: neither can starve the other
        self._inflight: dict[int, _Inflight] = {}
        self._postponed: Postponed[Message] = Postponed()
        self._echoed_mids: set[int] = set()  # flights that the broker turns out to have, before it acknowledged them

    # --- what comes in

    def enqueue_retained(self, message: Message) -> None:
        """Take a retained message; it replaces what waits for the same topic."""
        self._retained[message.topic] = message
        self._dirty.setdefault(message.topic)
        # Home Assistant must know an entity before its first event comes.
        if message.order is PublishOrder.DISCOVERY:
            self._dirty_first = len(self._dirty)

    def enqueue_event(self, event: Message, *, maybe_delivered: bool = False) -> None:
        """Take an event; see `room_for_events`. `maybe_delivered`: an earlier process may have sent it; the first."""
        self._events.append(event)
        self._maybe_delivered += maybe_delivered

    def enqueue_response(self, message: Message) -> bool:
        """Take an answer; False when too many wait for a broker that takes none."""
        if len(self._responses) >= MAX_RESPONSES:
            return False
        self._responses.append(message)
        return True

    @property
    def room_for_responses(self) -> int:
        return MAX_RESPONSES - len(self._responses)

    @property
    def room_for_events(self) -> int:
        return MAX_EVENTS - len(self._events)

    # --- the connection

    @property
    def inflight(self) -> tuple[Message, ...]:
        """What was sent and not acknowledged, nor heard back, oldest first."""
        return tuple(entry.message for mid, entry in self._inflight.items() if mid not in self._echoed_mids)

    def set_receive_maximum(self, receive_maximum: int) -> None:
        """Let so many be unacknowledged from now on."""
        self._receive_maximum = receive_maximum

    def connected(self, receive_maximum: int = RECEIVE_MAXIMUM, *, resumed: bool = False) -> bool:
        """A broker took us, and so many unacknowledged messages: it is told everything retained again.

        True where it resumed our session and may echo events whose acknowledgement was lost: no event goes out before
        `release_events`.
        """
        self._receive_maximum = receive_maximum
        self._connected = True
        self._held = resumed and self._maybe_delivered > 0
        self.republish_all()
        return self._held

    def release_events(self) -> None:
        """The echoes had their time: what was not echoed goes again."""
        self._held = False

    def echoed(self, topic: str, event_id: str) -> int | None:
        """Return the journal's number of an event that the broker turns out to have; it does not go again."""
        for mid, entry in self._inflight.items():
            if entry.message.event is not None and _is_known_by(entry.message, topic, event_id):
                self._echoed_mids.add(mid)
                return entry.message.event
        for message in list(self._events)[: self._maybe_delivered]:
            if _is_known_by(message, topic, event_id):
                self._events.remove(message)
                self._maybe_delivered -= 1
                return message.event
        return None

    def republish_all(self) -> None:
        """Put everything retained in line again, in the order of ranks."""
        self._dirty = dict.fromkeys(sorted(self._retained, key=lambda topic: self._retained[topic].order))
        self._dirty_first = len(self._dirty)

    def republish(self, topic: str) -> None:
        """Put what is retained on one topic in line again."""
        self._dirty.setdefault(topic)

    def disconnected(self) -> None:
        """The connection is gone: what was not acknowledged goes again, in its old order."""
        self._connected = False
        lost = (*self.inflight, *self._postponed.take_all())
        self._inflight.clear()
        self._echoed_mids.clear()
        for message in reversed(lost):
            self.requeue(message)
        self._maybe_delivered += sum(message.event is not None for message in lost)

    # --- what goes out

    def next(self) -> Message | None:
        """Return the message that may go out now, and count on `sent` or `requeue` to be called with it."""
        room = self._receive_maximum - len(self._inflight)
        if not self._connected or room <= 0:
            return None
        if self._dirty_first and self._dirty:
            self._dirty_first -= 1  # what was said since waits its turn: readings that never end would starve events
            return self._next_retained()
        if self._events and not self._held:
            self._maybe_delivered = max(self._maybe_delivered - 1, 0)
            return self._events.popleft()
        if room <= self._receive_maximum // SHARE:
            return None
        self._response_is_next = self._may_reply and (self._response_is_next or not self._dirty)
        if self._response_is_next:
            self._response_is_next = False
            return self._responses.popleft()
        self._response_is_next = True
        return self._next_retained()

    @property
    def _may_reply(self) -> bool:
        if not self._responses:
            return False
        answers = sum(not entry.message.retain and entry.message.event is None for entry in self._inflight.values())
        return answers < max(self._receive_maximum // SHARE, 1)

    def _next_retained(self) -> Message | None:
        topic = next(iter(self._dirty), None)
        if topic is None:
            return None
        del self._dirty[topic]
        return self._retained[topic]

    def requeue(self, message: Message) -> None:
        """Put what `next` gave in line again, first of its kind: it did not go out."""
        if message.retain:
            if message.final:
                self._retained.setdefault(message.topic, message)
            if message.topic in self._retained:
                self._dirty.setdefault(message.topic)  # or a newer value: that is what goes out next
        elif message.event is not None:
            self._events.appendleft(message)
        else:
            self._responses.appendleft(message)

    def postpone(self, message: Message) -> None:
        """The broker did not take this for the moment: it goes again after a while."""
        self._postponed.add(message)

    def release_postponed(self, now: float) -> None:
        """Put in line again what was postponed long enough at `now` (monotonic). Call now and then."""
        for message in reversed(self._postponed.take_due(now)):
            self.requeue(message)

    def sent(self, mid: int, message: Message, now: float) -> None:
        """The message went out as number `mid` at `now` (monotonic)."""
        self._inflight[mid] = _Inflight(message, now)

    def acknowledged(self, mid: int) -> Message | None:
        """Return the message that the broker has now, None for a number that we do not know."""
        entry = self._inflight.pop(mid, None)
        self._echoed_mids.discard(mid)
        if entry is None:
            return None
        message = entry.message
        if message.final and self._retained.get(message.topic) is message:
            self.forget(message.topic)
        return message

    def forget(self, topic: str) -> None:
        """Let go of what is retained on a topic: it is not said again."""
        self._retained.pop(topic, None)
        self._dirty.pop(topic, None)

    # --- what can be asked

    def value(self, topic: str) -> str | None:
        """Return what is retained on a topic, or will be once it went out."""
        message = self._retained.get(topic)
        return None if message is None else message.payload

    def is_unacknowledged(self, topic: str) -> bool:
        """Say whether what is retained on a topic has not been acknowledged yet."""
        return topic in self._dirty or any(entry.message.topic == topic for entry in self._inflight.values())

    def oldest_inflight_s(self, now: float) -> float:
        """Return the age of the oldest unacknowledged message, 0 where there is none."""
        return max((now - entry.since for entry in self._inflight.values()), default=0.0)

    @property
    def lengths(self) -> dict[str, int]:
        return {
            "retained": len(self._dirty),
            "events": len(self._events),
            "replies": len(self._responses),
            "in_flight": len(self._inflight),
        }

    @property
    def idle(self) -> bool:
        """Nothing waits and nothing is unacknowledged."""
        return not self._postponed and not any(self.lengths.values())


def _is_known_by(message: Message, topic: str, event_id: str) -> bool:
    return (message.topic, message.event_id) == (topic, event_id)
