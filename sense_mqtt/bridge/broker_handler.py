"""What comes from the MQTT broker: connections, acknowledgements, messages."""

import logging
from collections.abc import Callable

from sense_mqtt.bridge.jobs import RepublishDiscovery
from sense_mqtt.bridge.monitor import Services
from sense_mqtt.bridge.presence import Presence
from sense_mqtt.bridge.request_handler import RequestHandler
from sense_mqtt.clock import Moment
from sense_mqtt.items import Acknowledged, BrokerConnected, BrokerDropped, MessageArrived

logger = logging.getLogger(__name__)

MAX_BIRTH_DELAY_S = 3.0  # Home Assistant asks for a random delay before a response to its birth (facts page, 1.5)


class BrokerHandler:
    """Hands items of the present connection to whom they concern. For the bridge's thread only.

    `uniform` draws a random number between two others.
    """

    def __init__(
        self, services: Services, request_handler: RequestHandler, uniform: Callable[[float, float], float]
    ) -> None:
        self._services = services
        self._publisher = services.publisher
        self._request_handler = request_handler
        self._uniform = uniform
        self.presence = Presence(services.publisher)

    def on_connected(self, item: BrokerConnected, now: Moment) -> None:
        if self._publisher.is_current(item.connection_id):
            self._services.status.counters.broker_connections += 1
            logger.debug("the broker took connection %d: %s", item.connection_id, item)
            self._services.status.publish(now)
            self._publisher.on_connected(item, now)

    def on_dropped(self, item: BrokerDropped, now: Moment) -> None:
        if self._publisher.is_current(item.connection_id):
            self._publisher.on_dropped(item, now)

    def on_acknowledged(self, item: Acknowledged, _now: Moment) -> None:
        if self._publisher.is_current(item.connection_id):
            self._publisher.on_acknowledged(item)

    def on_message(self, item: MessageArrived, now: Moment) -> None:
        command = self._services.topics.command(item.topic)
        if command is None and item.topic.endswith("/event"):  # the broker has it, whichever connection says so
            self._publisher.on_echo(item.topic, item.payload.decode(errors="replace"))
        elif not self._publisher.is_current(item.connection_id):
            return
        elif command is not None:
            self._request_handler.on_request(command, item, now)
        elif item.topic == self._services.topics.birth and item.payload == b"online":
            delay_s = self._uniform(0, MAX_BIRTH_DELAY_S)
            self._services.jobs.put(RepublishDiscovery(), now.monotonic + delay_s)
        else:
            self.presence.on_message(item.topic, item.payload.decode(errors="replace"))
