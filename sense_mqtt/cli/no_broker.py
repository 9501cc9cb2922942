"""A broker that is not there: takes everything and keeps nothing, for `record`, which publishes nothing."""

from collections.abc import Sequence

from sense_mqtt.core.publishing.message import Message
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import Acknowledged, BrokerConnected
from sense_mqtt.mqtt.client import MqttClient
from sense_mqtt.mqtt.settings import BrokerSettings

RECEIVE_MAXIMUM = 20


class NoBroker(MqttClient):
    """Answers as a broker does, without a connection. For the bridge's thread only."""

    def __init__(self, settings: BrokerSettings, inbox: Inbox, will: Message | None, topics: Sequence[str]) -> None:
        super().__init__(settings, inbox, will, topics)
        self._to = inbox
        self._published = 0

    def open(self) -> None:
        """Connect at once."""
        self.connection_id += 1
        self._to.put(BrokerConnected(self.connection_id, RECEIVE_MAXIMUM))

    def publish(self, message: Message) -> int | None:  # noqa: ARG002 - it goes nowhere
        """Acknowledge at once."""
        self._published += 1
        self._to.put(Acknowledged(self.connection_id, self._published))
        return self._published

    def flush(self) -> None:
        """There is nothing to send."""

    def maintain(self) -> None:
        """There is nothing to do."""

    def discard(self) -> None:
        """There is nothing to end."""

    def close(self) -> None:
        """There is nothing to end."""

    def close_without_disconnect(self) -> None:
        """There is nothing to end."""
