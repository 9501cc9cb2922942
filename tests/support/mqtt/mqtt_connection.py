"""A MqttClient in use: its items as they come, and lines to a real broker that can be cut at a chosen moment."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

from sense_mqtt.bridge.publisher import Publisher
from sense_mqtt.clock import SystemClock
from sense_mqtt.core.publishing.outbox import Message, PublishOrder
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import Acknowledged, BrokerConnected, BrokerDropped, MessageArrived
from sense_mqtt.mqtt.client import MqttClient
from sense_mqtt.mqtt.settings import BrokerSettings
from sense_mqtt.store.journal import Journal

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
        self.expect(Acknowledged)
        return item

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


class PublisherLoop:
    """A publisher over a real connection, on the test's own thread."""

    def __init__(self, port: int, folder: Path, stall_after_s: float = PATIENCE_S, **settings: Any) -> None:
        self.call = MqttConnection(port, **settings)
        self.journal = Journal(folder / "journal.sqlite3")
        self.publisher = Publisher(self.call.broker, self.journal, lambda: iter(lambda: 0.05, None), stall_after_s)
        self.connections = 0
        self.connected: BrokerConnected | None = None  # the newest
        self._clock = SystemClock()
        self._handlers = {
            BrokerConnected: self._take_connected,
            BrokerDropped: lambda item: self.publisher.on_dropped(item, self._clock.now()),
            Acknowledged: self.publisher.on_acknowledged,
            MessageArrived: lambda item: self.publisher.on_echo(item.topic, item.payload.decode()),
        }

    def _take_connected(self, item: BrokerConnected) -> None:
        self.connections += 1
        self.connected = item
        self.publisher.on_connected(item, self._clock.now())

    def record(self, *payloads: str) -> None:
        self.publisher.record(7, {}, [Message(EVENT, payload) for payload in payloads])

    def work_until(self, is_so: Callable[[], object], what: str) -> None:
        """Do what the bridge's loop does, until it is so."""
        ends = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < ends, f"not in time: {what}"
            item = self.call.inbox.get(0.05)
            if item is not None and self.publisher.is_current(item.connection_id):
                self._handlers[type(item)](item)
            self.publisher.maintain(self._clock.now())
            self.publisher.flush(self._clock.now())

    def work_until_delivered(self) -> None:
        self.work_until(lambda: self.journal.held == 0, "everything delivered")

    def close(self) -> None:
        self.publisher.close()
        self.journal.close()


class TcpProxy:
    """Stands before a broker: may hang up on whoever speaks MQTT 5, keep its answers back, and cut."""

    def __init__(self, port: int) -> None:
        self._broker_port = port
        self.hangs_up: Callable[[int], bool] = lambda _version: False
        self.answers = threading.Event()  # cleared: what the broker says is kept back
        self.answers.set()
        self.published = threading.Semaphore(0)  # released with each packet towards the broker after the CONNECT
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._start(self._listen)
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        lines, self._open = self._open, []
        for line in lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()
        self.answers.set()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                hello = client.recv(4096)
                if self.hangs_up(hello[8]):  # the protocol level of a CONNECT, after MQTT's name
                    client.close()
                    continue
                broker = socket.create_connection(("127.0.0.1", self._broker_port))
                broker.sendall(hello)
                self._open += [client, broker]
                self._start(self._carry, client, broker, self.published.release)
                self._start(self._carry, broker, client, self.answers.wait)

    def _carry(self, source: socket.socket, target: socket.socket, before: Callable[[], object]) -> None:
        with contextlib.suppress(OSError):
            while received := source.recv(65536):
                before()
                target.sendall(received)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def _start(self, do: Callable[..., None], *given: Any) -> None:
        threading.Thread(target=do, args=given, daemon=True).start()
