"""A broker connection in use: its inbox items as they come."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from sense_mqtt.core.publishing.message import Message, PublishOrder
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import Acknowledged, BrokerConnected, BrokerDropped
from sense_mqtt.mqtt.client import MqttClient
from sense_mqtt.mqtt.settings import BrokerSettings

PATIENCE_S = 30.0
WILL = Message("sense/bridge/state", "offline", retain=True, order=PublishOrder.BRIDGE_STATE)
TOPICS = ("sense/bridge/request/#", "sense/+/device/+/event")
EVENT = "sense/7/device/a/event"
CONNACK, TAKEN_OVER = b"\x20\x03\x00\x00\x00", b"\xe0\x02\x8e\x00"  # MQTT 5
REQUEST = "sense/bridge/request/health"


class MqttConnection:
    """A broker connection with an inbox of its own."""

    def __init__(self, port: int, inbox: Inbox | None = None, **settings: Any) -> None:
        self.inbox = Inbox() if inbox is None else inbox
        self._came: list[Any] = []
        self.broker = MqttClient(BrokerSettings("127.0.0.1", port, **settings), self.inbox, WILL, TOPICS)

    def expect(self, kind: Any) -> Any:
        """Return the next item of this kind; others wait until they are expected."""
        ends = time.monotonic() + PATIENCE_S
        while (found := next((item for item in self._came if isinstance(item, kind)), None)) is None:
            item = self.inbox.get(ends - time.monotonic())
            assert item is not None, f"no {kind} came, but {self._came}"
            self._came.append(item)
        self._came.remove(found)
        return found

    def connect(self) -> BrokerConnected:
        """Open until the broker takes us: the first attempt may only find out the protocol."""
        self.broker.open()
        while isinstance(item := self.expect((BrokerConnected, BrokerDropped)), BrokerDropped):
            assert item.connection_id < 5, item.reason
            self.broker.open()
        self.broker.publish(Message("settled", ""))  # the subscriptions went before it
        self.broker.flush()
        self.expect(Acknowledged)
        return item

    def settle(self) -> None:
        """Return once the broker has read our PUBACKs of all that has come: what it has not, it sends again."""
        for _ in range(2):  # paho sends a PUBACK after it told of the message, and before it reads that of ours
            self.broker.publish(Message("settled", ""))
            self.broker.flush()
            self.expect(Acknowledged)

    def refusal(self) -> str:
        """Open, and return why it came to nothing."""
        self.broker.open()
        return self.expect(BrokerDropped).reason


@contextlib.contextmanager
def open_connection(port: int, inbox: Inbox | None = None, **settings: Any) -> Iterator[MqttConnection]:
    call = MqttConnection(port, inbox, **settings)
    try:
        yield call
    finally:
        call.broker.close()
