"""The events that wait for the broker, in order, and which of them it may have already."""

from collections import deque

from sense_mqtt.core.publishing.message import Message

MAX_EVENTS = 100  # more wait in the journal


class EventQueue:
    """Events that a connection before this one may have delivered are the first of the queue. For one thread only."""

    def __init__(self) -> None:
        self.waiting: deque[Message] = deque()
        self._maybe_delivered = 0  # so many from the left
        self._is_held = False

    @property
    def room(self) -> int:
        return MAX_EVENTS - len(self.waiting)

    def put(self, event: Message, *, maybe_delivered: bool) -> None:
        self.waiting.append(event)
        self._maybe_delivered += maybe_delivered

    def put_back(self, event: Message) -> None:
        """Take back an event that did not go out: it is the next one again."""
        self.waiting.appendleft(event)

    def note_lost(self, events: int) -> None:
        """Note that so many from the left were sent and not acknowledged."""
        self._maybe_delivered += events

    def hold(self, *, is_resumed: bool) -> bool:
        """Begin with a connection; True where its session may echo events: none goes out before `release`."""
        self._is_held = is_resumed and self._maybe_delivered > 0
        return self._is_held

    def release(self) -> None:
        self._is_held = False

    def next(self) -> Message | None:
        """Return the event that may go out now, and count it as gone."""
        if self._is_held or not self.waiting:
            return None
        self._maybe_delivered = max(self._maybe_delivered - 1, 0)
        return self.waiting.popleft()

    def take_delivered(self, topic: str, event_id: str) -> Message | None:
        """Remove and return the event that an echo shows to be delivered, None where it does not wait here."""
        for event in list(self.waiting)[: self._maybe_delivered]:
            if (event.topic, event.event_id) == (topic, event_id):
                self.waiting.remove(event)
                self._maybe_delivered -= 1
                return event
        return None

    def __len__(self) -> int:
        return len(self.waiting)
