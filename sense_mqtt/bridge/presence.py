"""Publishes `online` again where another client has overwritten it."""

import logging

from sense_mqtt.bridge.publisher import Publisher
from sense_mqtt.clock import Moment
from sense_mqtt.logs.repeat_log import RepeatLog

logger = logging.getLogger(__name__)

OVERWRITTEN_S = 2.0  # our own message may take so long to come back from the broker

ONLINE = "online"


class Presence:
    """Owns what was last heard on our topics of presence. For the bridge's thread only.

    Only `online` is said again: two bridges that disagree would otherwise contradict each other for ever.
    """

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._heard: dict[str, str] = {}
        self._since: dict[str, float] = {}  # monotonic, when a topic was first seen to say otherwise than we do
        self._log = RepeatLog(logger)

    def on_message(self, topic: str, payload: str) -> None:
        """Take what a broker says of one of the topics, our own words too."""
        if self._publisher.outbox.value(topic) is not None:
            self._heard[topic] = payload

    def maintain(self, now: Moment) -> None:
        """Publish again what another client has overwritten. Call once a second."""
        for topic in tuple(self._heard):
            if not self._is_overwritten(topic):
                self._since.pop(topic, None)
            elif now.monotonic - self._since.setdefault(topic, now.monotonic) >= OVERWRITTEN_S:
                self._say_again(topic)

    def _is_overwritten(self, topic: str) -> bool:
        outbox = self._publisher.outbox
        return (
            self._publisher.connected
            and outbox.value(topic) == ONLINE
            and self._heard[topic] != ONLINE
            and not outbox.is_unacknowledged(topic)
        )

    def _say_again(self, topic: str) -> None:
        del self._since[topic]
        heard = self._heard.pop(topic)
        self._publisher.outbox.republish(topic)
        self._log.log(
            "overwritten",
            "%s: another client said %r while this bridge is online; said again. Does another bridge use "
            "mqtt.base_topic? Give each its own, or each its own sense.monitors",
            topic,
            heard[:20],
        )
