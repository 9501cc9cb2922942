"""What waits to be published: the newest value per retained topic, events in order, and what may go out now.

Bounded: one value a topic, EVENTS_MOST events (more wait in the journal), REPLIES_MOST replies, a window in flight.
"""

from collections import deque
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from sense_mqtt.core.publishing.postponed import Postponed

WINDOW = 20  # what mosquitto allows in flight by default (its CONNACK says ReceiveMaximum 20)
EVENTS_MOST = 100
REPLIES_MOST = 100
SHARE = 4  # 1/4 of the window is for events alone, answers fill 1/4 at most: requests delay acknowledgements by seconds


class Rank(IntEnum):
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
    rank: Rank = Rank.VALUE
    event: int | None = None  # its number in the journal
    identity: str = ""  # of an event: what it is known by, however late it is told
    correlation: bytes | None = None
    final: bool = False  # retained, and the last word on its topic: once a broker has it, it is not said again

    @property
    def size(self) -> int:
        """Bytes on the wire, with room for MQTT's own fields."""
        return len(self.payload.encode()) + len(self.topic.encode()) + len(self.correlation or b"") + 32


class _Flight(NamedTuple):
    message: Message
    since: float  # monotonic seconds


class Outgoing:
    """The queue towards the broker. For the bridge's thread only."""

    def __init__(self) -> None:
        self._window, self._connected = WINDOW, False
        self._introductions = 0  # of what is unsaid, so many from the left go before replies and events
        self._retained: dict[str, Message] = {}
        self._unsaid: dict[str, None] = {}  # retained topics whose newest value has not gone out, in order
        self._events: deque[Message] = deque()
        self._doubtful = 0  # of the events, so many from the left may have reached the broker
        self._held = False  # events wait until their echoes had time to come
        self._replies: deque[Message] = deque()
        self._reply_is_next = True  # answers and readings take turns: neither can starve the other
        self._flights: dict[int, _Flight] = {}
        self._postponed: Postponed[Message] = Postponed()
        self._echoed: set[int] = set()  # flights that the broker turns out to have, before it acknowledged them

    # --- what comes in

    def say(self, message: Message) -> None:
        """Take a retained message; it replaces what waits for the same topic."""
        self._retained[message.topic] = message
        self._unsaid.setdefault(message.topic)
        # Home Assistant must know an entity before its first event comes.
        if message.rank is Rank.DISCOVERY:
            self._introductions = len(self._unsaid)

    def offer(self, event: Message, *, doubtful: bool = False) -> None:
        """Take an event; see `room_for_events`. `doubtful`: an earlier process may have sent it; the first."""
        self._events.append(event)
        self._doubtful += doubtful

    def reply(self, message: Message) -> bool:
        """Take an answer; False when too many wait for a broker that takes none."""
        if len(self._replies) >= REPLIES_MOST:
            return False
        self._replies.append(message)
        return True

    @property
    def room_for_replies(self) -> int:
        return REPLIES_MOST - len(self._replies)

    @property
    def room_for_events(self) -> int:
        return EVENTS_MOST - len(self._events)

    # --- the connection

    @property
    def in_flight(self) -> tuple[Message, ...]:
        """What was sent and not acknowledged, nor heard back, oldest first."""
        return tuple(flight.message for mid, flight in self._flights.items() if mid not in self._echoed)

    def widen(self, window: int) -> None:
        """Let so many be unacknowledged from now on."""
        self._window = window

    def connected(self, window: int = WINDOW, *, resumed: bool = False) -> bool:
        """A broker took us, and so many unacknowledged messages: it is told everything retained again.

        True where it resumed our session and may echo events whose acknowledgement was lost: no event goes out before
        `release_events`.
        """
        self._window = window
        self._connected = True
        self._held = resumed and self._doubtful > 0
        self.say_again()
        return self._held

    def release_events(self) -> None:
        """The echoes had their time: what was not echoed goes again."""
        self._held = False

    def echoed(self, topic: str, identity: str) -> int | None:
        """Return the journal's number of an event that the broker turns out to have; it does not go again."""
        for mid, flight in self._flights.items():
            if flight.message.event is not None and _is_known_by(flight.message, topic, identity):
                self._echoed.add(mid)
                return flight.message.event
        for message in list(self._events)[: self._doubtful]:
            if _is_known_by(message, topic, identity):
                self._events.remove(message)
                self._doubtful -= 1
                return message.event
        return None

    def say_again(self) -> None:
        """Put everything retained in line again, in the order of ranks."""
        self._unsaid = dict.fromkeys(sorted(self._retained, key=lambda topic: self._retained[topic].rank))
        self._introductions = len(self._unsaid)

    def say_topic_again(self, topic: str) -> None:
        """Put what is retained on one topic in line again."""
        self._unsaid.setdefault(topic)

    def dropped(self) -> None:
        """The connection is gone: what was not acknowledged goes again, in its old order."""
        self._connected = False
        lost = (*self.in_flight, *self._postponed.take_all())
        self._flights.clear()
        self._echoed.clear()
        for message in reversed(lost):
            self.take_back(message)
        self._doubtful += sum(message.event is not None for message in lost)

    # --- what goes out

    def next(self) -> Message | None:
        """Return the message that may go out now, and count on `sent` or `take_back` to be called with it."""
        room = self._window - len(self._flights)
        if not self._connected or room <= 0:
            return None
        if self._introductions and self._unsaid:
            self._introductions -= 1  # what was said since waits its turn: readings that never end would starve events
            return self._next_retained()
        if self._events and not self._held:
            self._doubtful = max(self._doubtful - 1, 0)
            return self._events.popleft()
        if room <= self._window // SHARE:
            return None
        self._reply_is_next = self._may_reply and (self._reply_is_next or not self._unsaid)
        if self._reply_is_next:
            self._reply_is_next = False
            return self._replies.popleft()
        self._reply_is_next = True
        return self._next_retained()

    @property
    def _may_reply(self) -> bool:
        if not self._replies:
            return False
        answers = sum(not flight.message.retain and flight.message.event is None for flight in self._flights.values())
        return answers < max(self._window // SHARE, 1)

    def _next_retained(self) -> Message | None:
        topic = next(iter(self._unsaid), None)
        if topic is None:
            return None
        del self._unsaid[topic]
        return self._retained[topic]

    def take_back(self, message: Message) -> None:
        """Put what `next` gave in line again, first of its kind: it did not go out."""
        if message.retain:
            if message.final:
                self._retained.setdefault(message.topic, message)
            if message.topic in self._retained:
                self._unsaid.setdefault(message.topic)  # or a newer value: that is what goes out next
        elif message.event is not None:
            self._events.appendleft(message)
        else:
            self._replies.appendleft(message)

    def postpone(self, message: Message) -> None:
        """The broker did not take this for the moment: it goes again after a while."""
        self._postponed.add(message)

    def release_postponed(self, now: float) -> None:
        """Put in line again what was postponed long enough at `now` (monotonic). Call now and then."""
        for message in reversed(self._postponed.take_due(now)):
            self.take_back(message)

    def sent(self, mid: int, message: Message, now: float) -> None:
        """The message went out as number `mid` at `now` (monotonic)."""
        self._flights[mid] = _Flight(message, now)

    def acknowledged(self, mid: int) -> Message | None:
        """Return the message that the broker has now, None for a number that we do not know."""
        flight = self._flights.pop(mid, None)
        self._echoed.discard(mid)
        if flight is None:
            return None
        message = flight.message
        if message.final and self._retained.get(message.topic) is message:
            self.forget(message.topic)
        return message

    def forget(self, topic: str) -> None:
        """Let go of what is retained on a topic: it is not said again."""
        self._retained.pop(topic, None)
        self._unsaid.pop(topic, None)

    # --- what can be asked

    def value(self, topic: str) -> str | None:
        """Return what is retained on a topic, or will be once it went out."""
        message = self._retained.get(topic)
        return None if message is None else message.payload

    def is_under_way(self, topic: str) -> bool:
        """Say whether what is retained on a topic has not been acknowledged yet."""
        return topic in self._unsaid or any(flight.message.topic == topic for flight in self._flights.values())

    def oldest_flight_s(self, now: float) -> float:
        """Return the age of the oldest unacknowledged message, 0 where there is none."""
        return max((now - flight.since for flight in self._flights.values()), default=0.0)

    @property
    def lengths(self) -> dict[str, int]:
        return {
            "retained": len(self._unsaid),
            "events": len(self._events),
            "replies": len(self._replies),
            "in_flight": len(self._flights),
        }

    @property
    def idle(self) -> bool:
        """Nothing waits and nothing is unacknowledged."""
        return not self._postponed and not any(self.lengths.values())


def _is_known_by(message: Message, topic: str, identity: str) -> bool:
    return (message.topic, message.identity) == (topic, identity)
