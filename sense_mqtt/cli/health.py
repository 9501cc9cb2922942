"""`sense-mqtt health`: does the bridge work? Asked over MQTT, so that the way to the broker is tested too."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from sense_mqtt.clock import Clock
from sense_mqtt.core.health_rule import HealthResult, evaluate_health
from sense_mqtt.core.payloads import read_object
from sense_mqtt.core.publishing.topics import Topics
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import BrokerDropped, MessageArrived
from sense_mqtt.mqtt.client import MqttClient

PATIENCE_S = 10.0  # for the broker and its retained messages


class Heard(Struct):
    """What the broker keeps of the bridge."""

    state: str | None = None
    document: Mapping[str, Any] = field(default_factory=dict)

    def add_message(self, topic: str, payload: str) -> None:
        """Take in one message."""
        if topic.endswith("/state"):
            self.state = payload
        elif topic.endswith("/health"):
            self.document = read_object(payload)

    @property
    def is_complete(self) -> bool:
        return self.state == "offline" or (self.state is not None and bool(self.document))


def topics_heard(topics: Topics) -> tuple[str, ...]:
    return topics.bridge("state"), topics.bridge("health")


def ask(heard: Inbox, listener: MqttClient, clock: Clock, patience_s: float = PATIENCE_S) -> HealthResult:
    """Return what the broker says of the bridge; waits for it as long as `patience_s`."""
    said, reason, ends = Heard(), "", clock.now().monotonic + patience_s
    listener.open()
    try:
        while not said.is_complete and (left_s := ends - clock.now().monotonic) > 0:
            match heard.get(left_s):
                case MessageArrived(topic=topic, payload=payload):
                    said.add_message(topic, payload.decode(errors="replace"))
                case BrokerDropped(reason=reason):
                    break
    finally:
        listener.close()
    if reason:
        return HealthResult(f"no connection to the MQTT broker: {reason}")
    return evaluate_health(said.state, said.document, clock.now().wall)
