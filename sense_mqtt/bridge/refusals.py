"""What the broker refuses: its limits, topics without a right, and messages at which it disconnects."""

import logging
from collections.abc import Sequence

from sense_mqtt.clock import Moment
from sense_mqtt.core.publishing.message import Message
from sense_mqtt.core.publishing.poison_messages import PoisonMessages
from sense_mqtt.items import BrokerConnected, BrokerDropped
from sense_mqtt.logs.repeat_log import RepeatLog

logger = logging.getLogger(__name__)

HELD_S = 600.0  # after a connection that held so long, what was kept back is tried again


class Refusals:
    """Owns what must not be sent, and logs once why. For the bridge's thread only."""

    def __init__(self) -> None:
        self._poison_messages = PoisonMessages()
        self._packet_limit: int | None = None  # bytes, as the broker told
        self.maximum_packet_size: int | None = None  # bytes, as it told or as was found; None: no limit is known
        self._connected_at: float | None = None  # monotonic seconds
        self._limits: tuple[str, ...] = ()  # as last told
        self._log = RepeatLog(logger)  # by topic

    # --- the connection

    def connected(self, item: BrokerConnected, now: Moment) -> None:
        self._connected_at = now.monotonic
        self._packet_limit = item.maximum_packet_size
        self._note_limits()
        for limit in item.limits if item.limits != self._limits else ():
            logger.warning("%s", limit)
        self._limits = item.limits

    def connection_lost(self, inflight: Sequence[Message], item: BrokerDropped, now: Moment, *, early: bool) -> bool:
        """Say whether the cause is found: the next connection goes without it."""
        held = self._connected_at is not None and now.monotonic - self._connected_at >= HELD_S
        self._connected_at = None
        if held:
            self._poison_messages.retry_all()
        suspect = self._poison_messages.connection_lost(inflight, item.code, early=early)
        self._note_limits()
        if suspect is None:
            return False
        self._log.reset(suspect.topic)
        self._log.log(
            suspect.topic,
            "the broker ends the connection at %s (%d bytes): %s. It is not sent any more, until a later connection or "
            "start; let the user of mqtt.username publish there, or raise the broker's limit of message size",
            suspect.topic,
            suspect.size,
            item.reason,
            level=logging.ERROR,
        )
        if self._poison_messages.withholds_kind(suspect):
            logger.error("nor are all other topics like %s: the broker took none of them", suspect.topic)
        return True

    @property
    def receive_maximum(self) -> int | None:
        """How many messages may be unacknowledged; None: as many as the broker allows."""
        return 1 if self._poison_messages.one_at_a_time else None

    def all_delivered(self) -> None:
        self._poison_messages.all_delivered()

    # --- messages

    def withholds(self, message: Message) -> bool:
        """Say whether this message must not be sent; what is too large is told once for each topic."""
        if self.is_too_large(message):
            # paho would send it, lose the connection, and send it again for ever (facts page, P11).
            self._tell_size(message)
            return True
        return self._poison_messages.withholds(message)

    def is_too_large(self, message: Message) -> bool:
        """Say whether the broker can never take this message."""
        return self.maximum_packet_size is not None and message.size > self.maximum_packet_size

    def _note_limits(self) -> None:
        limits = (self._packet_limit, self._poison_messages.max_size)
        self.maximum_packet_size = min((limit for limit in limits if limit is not None), default=None)

    def _tell_size(self, message: Message) -> None:
        text = "%s: %d bytes are more than the broker takes: not sent"
        self._log.log(message.topic, text, message.topic, message.size)

    def acknowledged(self, message: Message) -> None:
        """The broker has acknowledged this message."""
        self._poison_messages.acknowledged(message)

    def refused(self, topic: str, refusal: str, *, is_transient: bool) -> bool:
        """The broker has answered that it does not take a message on this topic; say whether it goes again."""
        what_to_do = "it is sent again" if is_transient else "let the user of mqtt.username publish there"
        self._log.log(topic, "the broker refuses %s (%s): %s", topic, refusal, what_to_do, level=logging.ERROR)
        return is_transient


def possible_causes(item: BrokerDropped, inflight: Sequence[Message]) -> str:
    """Return what may have made a broker end a connection soon after it was made."""
    causes = ["another client that uses mqtt.client_id", "a right that the user of mqtt.username lacks"]
    if inflight:
        first = inflight[0]
        causes.insert(0, f"a message that it refuses ({len(inflight)} unacknowledged, first {_show(first)})")
    return f"{item.reason}; possible causes: {', '.join(causes)}"


def _show(message: Message) -> str:
    return f"{message.topic}, {message.size} bytes"
