"""Whoever listens on the broker: keeps every event of a device with the moment at which it arrived.

QoS 0 on a connection of its own that lasts as long as the broker: Mosquitto writes a message to its subscribers before
it acknowledges it, so what was acknowledged to the bridge is here even where the broker is killed the moment after.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

WAIT_S = 20.0
RETRY_S = 0.05


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event of a device, as it arrived."""

    at: float  # monotonic
    event: dict[str, Any]  # empty: not JSON


class Subscriber:
    """Connects again by itself; `wait_until_connected` tells when it hears again."""

    def __init__(self, port: int, base: str) -> None:
        self._port, self._base = port, base
        self._topics = [f"{base}/+/device/+/event", f"{base}/+/devices", f"{base}/+/availability", f"{base}/bridge/#"]
        self._changed = threading.Condition()
        self._there = False
        self.arrivals: list[Arrival] = []
        self.latest: dict[str, str] = {}  # by topic, below the base
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.reconnect_delay_set(RETRY_S, RETRY_S)
        self._client.on_connect = lambda *_: self._client.subscribe([(topic, 0) for topic in self._topics])
        self._client.on_subscribe = lambda *_: self._note(there=True)
        self._client.on_disconnect = lambda *_: self._note(there=False)
        self._client.on_message = self._keep

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        self.wait_until_connected()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def wait_for(self, claim: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until the claim holds for what arrived; False when it did not in time."""
        with self._changed:
            return self._changed.wait_for(claim, timeout_s)

    def wait_until_connected(self) -> None:
        assert self.wait_for(lambda: self._there, WAIT_S), "the broker takes no subscription"

    def wait_until_disconnected(self) -> None:
        assert self.wait_for(lambda: not self._there, WAIT_S), "the broker's end goes unnoticed"

    def count(self) -> int:
        with self._changed:
            return len(self.arrivals)

    def ask(self, command: str, timeout_s: float) -> dict[str, Any] | None:
        """Send a request and return the answer's data; None where none arrived in time."""
        transaction = f"t{time.monotonic_ns()}"
        topic = f"bridge/response/{command}"

        def answer() -> dict[str, Any] | None:
            document = json.loads(self.latest.get(topic, "{}"))
            return document if document.get("transaction") == transaction else None

        self._client.publish(f"{self._base}/bridge/request/{command}", json.dumps({"transaction": transaction}), 1)
        if not self.wait_for(lambda: answer() is not None, timeout_s):
            return None
        return (answer() or {}).get("data", {})

    def _note(self, *, there: bool) -> None:
        with self._changed:
            self._there = there
            self._changed.notify_all()

    def _keep(self, _client: Any, _userdata: Any, message: paho.MQTTMessage) -> None:
        at = time.monotonic()
        payload = message.payload.decode(errors="replace")
        with self._changed:
            self.latest[message.topic.removeprefix(f"{self._base}/")] = payload
            if "/device/" in message.topic:
                self.arrivals.append(Arrival(at, _parse(payload)))
            self._changed.notify_all()


def read_retained(port: int, base: str) -> dict[str, str]:
    """Return what the broker keeps below the base, by topic."""
    kept: dict[str, str] = {}
    complete, subscribed = threading.Event(), threading.Event()
    marker = f"marker/{base}/{time.monotonic_ns()}"

    def keep(_client: Any, _userdata: Any, message: paho.MQTTMessage) -> None:
        if message.topic == marker:
            complete.set()
        elif message.retain:
            kept[message.topic.removeprefix(f"{base}/")] = message.payload.decode(errors="replace")

    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.on_message = keep
    client.on_connect = lambda *_: client.subscribe([(f"{base}/#", 0), (marker, 0)])
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert subscribed.wait(WAIT_S), "the broker takes no subscription"
    client.publish(marker, b"")  # comes behind all that was retained
    assert complete.wait(WAIT_S), "the broker keeps back what is retained"
    client.disconnect()
    client.loop_stop()
    return kept


def _parse(payload: str) -> dict[str, Any]:
    try:
        document = json.loads(payload)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
