"""What waits to be published: the newest value per retained topic, events in order, and what may go out now.

Bounded: one message a topic, MAX_EVENTS events (more wait in the journal), MAX_RESPONSES responses, and as many
unacknowledged messages as the broker's Receive Maximum allows.
"""

from collections import deque

from sense_mqtt.core.publishing.event_queue import EventQueue
from sense_mqtt.core.publishing.message import Message
from sense_mqtt.core.publishing.postponed import Postponed
from sense_mqtt.core.publishing.retained import RetainedTopics

RECEIVE_MAXIMUM = 20  # what mosquitto allows in flight by default (its CONNACK says ReceiveMaximum 20)
MAX_RESPONSES = 100
# A quarter of the Receive Maximum is for events alone, and responses fill a quarter at most: requests would delay
# acknowledgements of events by seconds.
SHARE = 4


class Outbox:
    """The queue towards the broker. For the bridge's thread only."""

    def __init__(self) -> None:
        self._receive_maximum, self._connected = RECEIVE_MAXIMUM, False
        self._retained = RetainedTopics()
        self._events = EventQueue()
        self._responses: deque[Message] = deque()
        self._response_is_next = True  # responses and readings take turns: neither can starve the other
        self._inflight: dict[int, tuple[Message, float]] = {}  # by packet identifier, since when (monotonic s)
        self._echoed: set[int] = set()  # packet identifiers of what the broker has, but has not acknowledged
        self._postponed: Postponed[Message] = Postponed()

    # --- what comes in

    def enqueue_retained(self, message: Message) -> None:
        """Take a retained message; it replaces what waits for the same topic."""
        self._retained.put(message)

    def enqueue_event(self, event: Message, *, maybe_delivered: bool = False) -> None:
        """Take an event; see `room_for_events`. `maybe_delivered`: an earlier process may have sent it; the first."""
        self._events.put(event, maybe_delivered=maybe_delivered)

    def enqueue_response(self, message: Message) -> bool:
        """Take a response; False when too many wait for a broker that takes none."""
        if len(self._responses) >= MAX_RESPONSES:
            return False
        self._responses.append(message)
        return True

    @property
    def room_for_responses(self) -> int:
        return MAX_RESPONSES - len(self._responses)

    @property
    def room_for_events(self) -> int:
        return self._events.room

    # --- the connection

    @property
    def inflight(self) -> tuple[Message, ...]:
        """What was sent and is neither acknowledged nor echoed, oldest first."""
        return tuple(message for mid, (message, _) in self._inflight.items() if mid not in self._echoed)

    def set_receive_maximum(self, receive_maximum: int) -> None:
        """Let so many be unacknowledged from now on."""
        self._receive_maximum = receive_maximum

    def connected(self, receive_maximum: int = RECEIVE_MAXIMUM, *, resumed: bool = False) -> bool:
        """Begin with a new connection: everything retained is published again.

        True where the broker resumed our session and may echo events whose acknowledgement was lost: no event goes out
        before `release_events`.
        """
        self._receive_maximum, self._connected = receive_maximum, True
        self._retained.republish_all()
        return self._events.hold(is_resumed=resumed)

    def release_events(self) -> None:
        """The echoes had their time: what was not echoed goes again."""
        self._events.release()

    def echoed(self, topic: str, event_id: str) -> int | None:
        """Return the journal's number of an event that an echo shows to be delivered; it does not go again."""
        for mid, (event, _) in self._inflight.items():
            if event.event is not None and (event.topic, event.event_id) == (topic, event_id):
                self._echoed.add(mid)
                return event.event
        delivered = self._events.take_delivered(topic, event_id)
        return None if delivered is None else delivered.event

    def republish_all(self) -> None:
        """Publish everything retained again, by `PublishOrder`."""
        self._retained.republish_all()

    def republish(self, topic: str) -> None:
        """Publish what is retained on one topic again."""
        self._retained.republish(topic)

    def disconnected(self) -> None:
        """The connection is gone: what was not acknowledged goes again, in its old order."""
        self._connected = False
        lost = (*self.inflight, *self._postponed.take_all())
        self._inflight.clear()
        self._echoed.clear()
        for message in reversed(lost):
            self.requeue(message)
        self._events.note_lost(sum(message.event is not None for message in lost))

    # --- what goes out

    def next(self) -> Message | None:
        """Return the message that may go out now, and count on `sent` or `requeue` to be called with it."""
        room = self._receive_maximum - len(self._inflight)
        if not self._connected or room <= 0:
            return None
        if not (self._retained.dirty or self._events.waiting or self._responses):
            self._response_is_next = True
            return None
        first = self._retained.next_urgent() or self._events.next()
        if first is not None or room <= self._receive_maximum // SHARE:
            return first
        if self._responses and self._may_respond and (self._response_is_next or not self._retained.dirty):
            self._response_is_next = False
            return self._responses.popleft()
        self._response_is_next = True
        return self._retained.next()

    @property
    def _may_respond(self) -> bool:
        responses = sum(not message.retain and message.event is None for message, _ in self._inflight.values())
        return responses < max(self._receive_maximum // SHARE, 1)

    def requeue(self, message: Message) -> None:
        """Put what `next` gave in line again, first of its kind: it did not go out."""
        if message.retain:
            self._retained.put_back(message)
        elif message.event is not None:
            self._events.put_back(message)
        else:
            self._responses.appendleft(message)

    def postpone(self, message: Message) -> None:
        """The broker did not take this for the moment: it goes again after a while."""
        self._postponed.add(message)

    def release_postponed(self, now: float) -> None:
        """Put in line again what was postponed long enough at `now` (monotonic). Call now and then."""
        for message in reversed(self._postponed.take_due(now)) if self._postponed.waiting else ():
            self.requeue(message)

    def sent(self, mid: int, message: Message, now: float) -> None:
        """The message went out with the packet identifier `mid` at `now` (monotonic)."""
        self._inflight[mid] = message, now

    def acknowledged(self, mid: int) -> Message | None:
        """Return the message that the broker has now, None for a packet identifier that is not ours."""
        if mid not in self._inflight:
            return None
        message, _ = self._inflight.pop(mid)
        self._echoed.discard(mid)
        self._retained.acknowledged(message)
        return message

    def forget(self, topic: str) -> None:
        """Let go of what is retained on a topic: it is not published again."""
        self._retained.forget(topic)

    # --- what can be asked

    def value(self, topic: str) -> str | None:
        """Return the payload that is retained on a topic, or will be once it went out."""
        return self._retained.payload(topic)

    def is_unacknowledged(self, topic: str) -> bool:
        """True where what is retained on a topic has not been acknowledged yet."""
        return self._retained.is_dirty(topic) or any(message.topic == topic for message, _ in self._inflight.values())

    def oldest_inflight_s(self, now: float) -> float:
        """Return the age of the oldest unacknowledged message, 0 where there is none."""
        return max((now - since for _, since in self._inflight.values()), default=0.0)

    @property
    def lengths(self) -> dict[str, int]:
        return {
            "retained": len(self._retained),
            "events": len(self._events),
            "replies": len(self._responses),
            "in_flight": len(self._inflight),
        }

    @property
    def idle(self) -> bool:
        """Nothing waits and nothing is unacknowledged."""
        return not self._postponed and not any(self.lengths.values())
