"""Which of our subscriptions are made, which are refused, and which are left out after a message too large to read."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence

MAX_PACKET_BYTES = 128 * 1024  # a request may have half of it
SUSPENDED_S, MAX_SUSPENDED_S = 600.0, 21_600.0  # doubled each time: it may be retained

REQUESTS = "/request/#"
MAX_DISCONNECTS = 2  # in a row, before a subscription was answered: then the broker is taken to refuse it
DISCONNECTED = "the broker hangs up on it"


class Subscriptions:
    """For the thread of one connection; `due_again` for the bridge's."""

    def __init__(self, topics: Sequence[str], now: Callable[[], float] = time.monotonic) -> None:
        self._topics = tuple(topics)
        self._now = now
        self._lock = threading.Lock()
        self._suspended: tuple[str, ...] = ()
        self._until = 0.0  # monotonic
        self._next_s = SUSPENDED_S
        self._asked: deque[tuple[str, ...]] = deque()  # SUBSCRIBEs of this connection without an answer
        self._to_ask: deque[str] = deque()  # one by one
        self._disconnects: Counter[tuple[str, ...]] = Counter()
        self.one_at_a_time = (
            False  # a SUBSCRIBE was answered by hanging up: one topic at a time, and nothing else before
        )
        self.refused: dict[str, str] = {}  # topic -> reason

    @property
    def losses(self) -> dict[str, str]:
        """What does not work, a sentence for each topic that the broker refused."""
        return {topic: describe_refusal(topic, reason) for topic, reason in self.refused.items()}

    def begin(self) -> tuple[str, ...]:
        """Return what a new connection subscribes to first."""
        present = tuple(topic for topic in self.present() if self.refused.get(topic) != DISCONNECTED)
        self._asked.clear()
        self._to_ask = deque(present if self.one_at_a_time else ())
        return self._ask_next() if self.one_at_a_time else self.ask(present)

    def ask(self, topics: tuple[str, ...]) -> tuple[str, ...]:
        """Note that these are asked for together, and return them."""
        if topics:
            self._asked.append(topics)
        return topics

    def _ask_next(self) -> tuple[str, ...]:
        return self.ask((self._to_ask.popleft(),)) if self._to_ask else ()

    def answered(self, refusals: Sequence[str | None]) -> tuple[list[str], tuple[str, ...]]:
        """Take a SUBACK, with None for what was granted; return what is refused as news, and what to ask next."""
        topics = self._asked.popleft() if self._asked else ()
        self._disconnects.pop(topics, None)
        told = dict(zip(topics, refusals, strict=False))
        news = [topic for topic, reason in told.items() if reason is not None and topic not in self.refused]
        for topic, reason in told.items():
            self.refused.pop(topic, None)
            if reason is not None:
                self.refused[topic] = reason
        return news, self._ask_next()

    def disconnected(self) -> list[str]:
        """Take the end of a connection; return what the broker is taken to refuse, as news."""
        topics = self._asked.popleft() if self._asked else ()
        self._asked.clear()
        if not topics:
            return []
        self._disconnects[topics] += 1
        if self._disconnects[topics] < MAX_DISCONNECTS:
            return []
        if not self.one_at_a_time:
            self.one_at_a_time = True
            return []
        self.refused |= dict.fromkeys(topics, DISCONNECTED)
        return list(topics)

    def present(self) -> tuple[str, ...]:
        """Return what a new connection subscribes to."""
        with self._lock:
            if self._now() >= self._until:
                self._suspended = ()
            return tuple(topic for topic in self._topics if topic not in self._suspended)

    def suspend(self) -> tuple[tuple[str, ...], float]:
        """Leave out requests, or where that did not help all topics; return what is left out for how many seconds."""
        with self._lock:
            now = self._now()
            again = bool(self._suspended) and now < self._until
            requests = tuple(topic for topic in self._topics if topic.endswith(REQUESTS))
            self._suspended = self._topics if again else requests or self._topics
            lasts_s, self._next_s = self._next_s, min(2 * self._next_s, MAX_SUSPENDED_S)
            self._until = now + lasts_s
            return self._suspended, lasts_s

    def due_again(self) -> tuple[str, ...]:
        """Return what has been left out long enough, once."""
        with self._lock:
            if self._now() < self._until:
                return ()
            due, self._suspended = self._suspended, ()
            return due


def describe_refusal(topic: str, reason: str) -> str:
    """Say what does not work where a subscription is refused, and what to do."""
    if topic.endswith(REQUESTS):
        loss = "commands are not heard"
    elif topic.endswith(("/event", "/events")):
        loss = "an event may be told twice after the connection was lost"
    elif topic.endswith(("/state", "/availability")):
        loss = "where another client says `offline` for this bridge, it stays so"
    else:
        loss = "what Home Assistant missed is not said again when it starts"
    return f"the broker refuses the subscription to {topic} ({reason}): {loss}; let mqtt.username read it"
