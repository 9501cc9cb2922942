"""Somebody who hears everything on a broker, as `mosquitto_sub -v -t '#'` does."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Heard:
    """One message as it came."""

    topic: str
    payload: str
    retain: bool  # it was kept by the broker from before
    correlation: bytes | None = None

    @property
    def document(self) -> Any:
        return json.loads(self.payload)


class Listener:
    """Keeps every message; tests wait for what they expect."""

    def __init__(
        self,
        port: int,
        *topics: str,
        user: tuple[str, str] | None = None,
        protocol: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv5,
    ) -> None:
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=protocol)
        if user is not None:
            self._client.username_pw_set(*user)
        self._client.reconnect_delay_set(1, 1)
        self._port, self._topics = port, topics or ("#",)
        self._changed = threading.Condition()
        self._heard: list[Heard] = []
        self._subscribed = threading.Event()
        self._client.on_connect = lambda *_: self._client.subscribe([(topic, 1) for topic in self._topics])
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._keep

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        assert self._subscribed.wait(WAIT_S), "the broker took no subscription"
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _keep(self, _client: Any, _userdata: Any, message: paho.MQTTMessage) -> None:
        correlation = getattr(message.properties, "CorrelationData", None)
        heard = Heard(message.topic, message.payload.decode(), message.retain, correlation)
        with self._changed:
            self._heard.append(heard)
            self._changed.notify_all()

    # --- what was heard

    def messages(self, ends: str = "") -> list[Heard]:
        """Return all messages whose topic ends so, in order."""
        with self._changed:
            return [heard for heard in self._heard if heard.topic.endswith(ends)]

    def latest(self, ends: str = "") -> dict[str, str]:
        """Return the newest payload of each topic that ends so."""
        return {heard.topic: heard.payload for heard in self.messages(ends)}

    def events(self) -> list[dict[str, Any]]:
        """Return the documents of all events of devices, in order."""
        return [heard.document for heard in self.messages("/event") if "/device/" in heard.topic]

    def wait_for(self, claim: Callable[[list[Heard]], bool], what: str, timeout_s: float = WAIT_S) -> None:
        """Return once the claim holds of all that was heard."""
        ends = time.monotonic() + timeout_s
        with self._changed:
            while not claim(self._heard):
                left_s = ends - time.monotonic()
                assert left_s > 0, f"not heard in {timeout_s:g} s: {what}"
                self._changed.wait(left_s)

    def wait_for_payload(self, topic: str, payload: str, timeout_s: float = WAIT_S) -> None:
        """Return once this is the newest payload of the topic."""

        def published(heard: list[Heard]) -> bool:
            return next((message.payload for message in reversed(heard) if message.topic == topic), None) == payload

        self.wait_for(published, f"{topic} {payload}", timeout_s)

    # --- what is said

    def publish(self, topic: str, payload: str = "", *, retain: bool = False, **properties: Any) -> None:
        """Publish one message, with MQTT 5 properties such as ResponseTopic."""
        given = Properties(PacketTypes.PUBLISH)
        for name, value in properties.items():
            setattr(given, name, value)
        self._client.publish(topic, payload, 1, retain, given if properties else None)

    def ask(self, command: str, base: str = "sense", timeout_s: float = WAIT_S, **arguments: Any) -> Any:
        """Send a request and return the answer's document."""
        transaction = f"t{time.monotonic_ns()}"
        topic = f"{base}/bridge/response/{command}"

        def answers(heard: list[Heard]) -> list[Any]:
            documents = [message.document for message in heard if message.topic == topic]
            return [document for document in documents if document.get("transaction") == transaction]

        self.publish(f"{base}/bridge/request/{command}", json.dumps({**arguments, "transaction": transaction}))
        self.wait_for(lambda heard: bool(answers(heard)), f"an answer to {command}", timeout_s)
        return answers(self.messages())[0]
