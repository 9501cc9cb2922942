"""The publisher over a real broker connection, its loop run by the test."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sense_mqtt.bridge.publisher import Publisher
from sense_mqtt.clock import SystemClock
from sense_mqtt.core.backoff import Backoff, Retries
from sense_mqtt.core.publishing.message import Message
from sense_mqtt.items import Acknowledged, BrokerConnected, BrokerDropped, MessageArrived
from sense_mqtt.store.journal import Journal
from tests.support.mqtt.mqtt_connection import EVENT, PATIENCE_S, MqttConnection


class PublisherLoop:
    """A publisher over a real connection, on the test's own thread."""

    def __init__(self, port: int, folder: Path, stall_after_s: float = PATIENCE_S, **settings: Any) -> None:
        self.connection = MqttConnection(port, **settings)
        self.journal = Journal(folder / "journal.sqlite3")
        retries = Retries(Backoff(0.05, 0.05), max)
        self.publisher = Publisher(self.connection.broker, self.journal, retries, stall_after_s)
        self.connection_count = 0
        self.connected: BrokerConnected | None = None  # the newest
        self._clock = SystemClock()
        self._handlers = {
            BrokerConnected: self._take_connected,
            BrokerDropped: lambda item: self.publisher.on_dropped(item, self._clock.now()),
            Acknowledged: self.publisher.on_acknowledged,
            MessageArrived: lambda item: self.publisher.on_echo(item.topic, item.payload.decode()),
        }

    def _take_connected(self, item: BrokerConnected) -> None:
        self.connection_count += 1
        self.connected = item
        self.publisher.on_connected(item, self._clock.now())

    def record(self, *payloads: str) -> None:
        self.publisher.record(7, {}, [Message(EVENT, payload) for payload in payloads])

    def work_until(self, is_so: Callable[[], object], what: str) -> None:
        """Do what the bridge's loop does, until it is so."""
        ends = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < ends, f"not in time: {what}"
            item = self.connection.inbox.get(0.05)
            if item is not None and self.publisher.is_current(item.connection_id):
                self._handlers[type(item)](item)
            self.publisher.maintain(self._clock.now())
            self.publisher.flush(self._clock.now())

    def work_until_delivered(self) -> None:
        self.work_until(lambda: self.journal.held == 0, "everything delivered")

    def close(self) -> None:
        self.publisher.close()
        self.journal.close()
