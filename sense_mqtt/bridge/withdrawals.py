"""Clears retained topics that are not valid any more, also those of an earlier process, step by step."""

import math
from collections import deque
from collections.abc import Callable, Collection, Iterable

from sense_mqtt.bridge.publisher import Publisher
from sense_mqtt.clock import Moment
from sense_mqtt.core.home_assistant.messages import DiscoveryMessage, DiscoveryOptions
from sense_mqtt.core.home_assistant.migration import read_discovery_topic, remove_obsolete
from sense_mqtt.core.payloads import write_json
from sense_mqtt.core.publishing.message import Message, PublishOrder

STEP_S = 1.0  # for Home Assistant to carry out one step, after the broker has it

Step = tuple[Message, ...]


class TopicRemoval:
    """Owns the steps by which topics are taken back. For the bridge's thread only."""

    def __init__(self, publisher: Publisher, style: DiscoveryOptions) -> None:
        self._publisher = publisher
        self._style = style
        self._steps: deque[Step] = deque()
        self._under_way: Step = ()
        self._next_at = math.inf  # monotonic; infinite while a broker has not acknowledged the step under way
        self._leaving: set[str] = set()  # discovery topics that are being emptied
        self._moving: set[str] = set()  # nodes that are told on another topic, once the old one is empty

    def begin(self, *, is_shared: bool) -> None:
        """Publish `offline` for all that an earlier process announced: nothing is served yet.

        `is_shared`: another process may serve a monitor now, so it is said once and then forgotten.
        """
        base, announced = self._style.topics.base, self._publisher.announced
        for topic in announced.topics(PublishOrder.AVAILABILITY):
            self._say_offline(topic, PublishOrder.AVAILABILITY, final=is_shared or not topic.startswith(f"{base}/"))
        for topic in announced.topics(PublishOrder.BRIDGE_STATE):
            if topic != self._style.topics.bridge("state"):
                self._say_offline(topic, PublishOrder.BRIDGE_STATE, final=True)
        self._publisher.enqueue_retained(_clear(topic) for topic in announced.topics(PublishOrder.VALUE))

    def set_others_offline(self, monitors: Collection[int]) -> None:
        """Publish for the last time that all monitors but these are offline."""
        ours = {self._style.topics.monitor(monitor, "availability") for monitor in monitors}
        for topic in self._publisher.announced.topics(PublishOrder.AVAILABILITY):
            if topic not in ours:
                self._say_offline(topic, PublishOrder.AVAILABILITY, final=True)

    def remove_obsolete(self, wanted: Iterable[DiscoveryMessage], is_kept: Callable[[str], bool]) -> None:
        """Begin to empty the discovery topics that are not wanted, but for those of nodes that are kept."""
        announced = set(self._publisher.announced.topics(PublishOrder.DISCOVERY)) - self._leaving
        removal = remove_obsolete(sorted(announced), wanted, is_kept, self._style)
        self._moving |= removal.moving
        self._leaving |= {config.topic for step in removal.steps for config in step}
        self._append(tuple(map(to_message, step)) for step in removal.steps)

    def clear_after_discovery(self, messages: Iterable[Message]) -> None:
        """Clear these topics once the discovery that named them is empty."""
        cleared = self._publisher.announced.noted(messages)
        for message in cleared:
            self._publisher.outbox.forget(message.topic)
        self._append([cleared])

    def is_allowed(self, config: DiscoveryMessage) -> bool:
        """Say whether Home Assistant may be told this now; what may not is to be told once `maintain` says so."""
        place = read_discovery_topic(config.topic)
        return place is None or place.node not in self._moving

    def maintain(self, now: Moment) -> bool:
        """Take the next step when it is time; True when the last one is done. Call once a second."""
        if not self._under_way or any(
            self._publisher.outbox.is_unacknowledged(message.topic) for message in self._under_way
        ):
            return False
        if self._next_at == math.inf:
            self._next_at = now.monotonic + STEP_S
        if now.monotonic < self._next_at:
            return False
        self._under_way = ()
        self._take_step()
        if self._under_way:
            return False
        self._leaving.clear()
        self._moving.clear()
        return True

    def _append(self, steps: Iterable[Step]) -> None:
        self._steps.extend(step for step in steps if step)
        if not self._under_way:
            self._take_step()

    def _take_step(self) -> None:
        while self._steps and not self._under_way:
            self._under_way = tuple(filter(self._is_due, self._steps.popleft()))
        self._next_at = math.inf
        self._publisher.enqueue_retained(self._under_way)

    def _is_due(self, message: Message) -> bool:
        # A value that was published again since then stays.
        return message.order is not PublishOrder.VALUE or self._publisher.outbox.value(message.topic) is None

    def _say_offline(self, topic: str, order: PublishOrder, *, final: bool) -> None:
        self._publisher.enqueue_retained([Message(topic, "offline", retain=True, order=order, final=final)])


def to_message(config: DiscoveryMessage) -> Message:
    """Return the message of a discovery config; an empty one is the last on its topic."""
    is_last = config.payload is None
    payload = "" if config.payload is None else write_json(config.payload)
    return Message(config.topic, payload, retain=True, order=PublishOrder.DISCOVERY, final=is_last)


def _clear(topic: str) -> Message:
    return Message(topic, "", retain=True, final=True)
