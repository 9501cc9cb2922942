"""The MQTT broker, through paho: connect, will, publish. Paho's callbacks do nothing but post to the inbox.

Every connection is a client of its own. Paho's reconnecting, queueing and re-sending stay off: it has no jitter, sends
stale values, and cannot be cured of one message that the broker refuses. What must go again, the bridge knows.
"""

import contextlib
import logging
import os
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

import paho.mqtt.client as paho
from msgspec.structs import replace
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from sense_mqtt.core.publishing.message import Message
from sense_mqtt.core.publishing.outbox import RECEIVE_MAXIMUM
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import Acknowledged, BrokerConnected, BrokerDropped, Item
from sense_mqtt.mqtt.capabilities import BrokerCapabilities
from sense_mqtt.mqtt.paho_client import (
    HUNG_UP,
    WRONG_CREDENTIALS,
    connect,
    disconnect,
    explain_failure,
    make_client,
    publish,
    read_disconnect,
    read_message,
    read_puback,
    subscribe,
)
from sense_mqtt.mqtt.paho_network import Client
from sense_mqtt.mqtt.protocol import ProtocolChoice, ProtocolMemory
from sense_mqtt.mqtt.settings import BrokerSettings
from sense_mqtt.mqtt.subscriptions import MAX_PACKET_BYTES, Subscriptions, describe_refusal

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 2.0

_UNSUPPORTED_VERSION = 132  # MQTT 5 reason code; paho gives it for the 3.1.1 answer too
_UNAVAILABLE = 136  # it starts, or ends
_KEEPALIVE_TIMEOUT = 141
CREDENTIALS_REFUSED = (134, 135)  # bad user name or password, not authorized; paho gives them for MQTT 3.1.1 too


class MqttClient:
    """One MQTT client after the other. All methods are for the bridge's thread; what happens reaches the inbox."""

    def __init__(self, settings: BrokerSettings, inbox: Inbox, will: Message | None, topics: Sequence[str]) -> None:
        self._settings = settings
        self._inbox = inbox
        self._will = will
        self.subscriptions = Subscriptions(topics)
        memory = ProtocolMemory(f"{settings.host}:{settings.port}", settings.state_dir)
        self._protocol = ProtocolChoice(settings.protocol, memory)
        self._client: Client | None = None
        self._client_lock = threading.Lock()  # of the client, between the bridge's thread and one attempt's
        self._awaits_connack = False  # our CONNECT
        self._capabilities = BrokerCapabilities()
        self._connected: BrokerConnected | None = None  # to be told once the broker answered our subscriptions
        self._is_resumable = True  # a session of this process, or of the one before, may still be there
        self.connection_id = 0
        self._refused_id = 0  # of the last connection whose CONNECT was refused

    def open(self) -> None:
        """Start one attempt at a connection; it ends as BrokerConnected or BrokerDropped, with a new id."""
        self.discard()
        threading.Thread(target=self._connect, args=(self.connection_id,), name="mqtt-connect", daemon=True).start()

    def use_client_id(self, client_id: str) -> None:
        """Go by another client id from the next connection on."""
        self._settings = replace(self._settings, client_id=client_id)

    def publish(self, message: Message) -> int | None:
        """Take a message, which `flush` sends, and return its number; None where there is no connection."""
        return None if self._client is None else publish(self._client, message, self._capabilities.present)

    def flush(self) -> None:
        """Hand all messages that were published to the connection."""
        if self._client is not None:
            self._client.send_added()

    def maintain(self) -> None:
        """Subscribe again to what was left out for a while. Call once a second."""
        if self._client is not None and (due := self.subscriptions.due_again()):
            subscribe(self._client, self.subscriptions.ask(due))

    @property
    def protocol(self) -> str:
        """The version of MQTT that the present connection speaks."""
        return self._protocol.version

    def discard(self) -> None:
        """Let go of the present connection, or attempt at one, without a word to the inbox."""
        if self._awaits_connack:
            self._awaits_connack = False
            self._protocol.unanswered(silent=True)
        client = self._detach()
        if client is not None:
            threading.Thread(target=disconnect, args=(client,), name="mqtt-close", daemon=True).start()

    def close(self) -> None:
        """End the present connection in good order: the broker drops our will. Returns within two seconds."""
        client = self._detach()
        if client is not None:
            closing = threading.Thread(target=disconnect, args=(client,), name="mqtt-close", daemon=True)
            closing.start()
            closing.join(CLOSE_TIMEOUT_S)

    def close_without_disconnect(self) -> None:
        """End the present connection without a word to the broker: it publishes our will."""
        client = self._detach()
        line: Any = None if client is None else client.socket()
        if line is not None:
            # A websocket of paho's has no shutdown, but a descriptor like any socket.
            with contextlib.suppress(OSError, ValueError), socket.socket(fileno=os.dup(line.fileno())) as bare:
                bare.shutdown(socket.SHUT_RDWR)

    def _detach(self) -> Client | None:
        with self._client_lock:
            self.connection_id += 1
            client, self._client = self._client, None
            return client

    # --- one attempt, on the thread "mqtt-connect"

    def _connect(self, connection_id: int) -> None:
        try:
            client = make_client(self._settings, self._protocol.version, self._will, self._capabilities.present)
            self._set_callbacks(client, connection_id)
            connect(client, self._settings, fresh=not self._is_resumable)
        except (OSError, ValueError) as error:  # of TCP, DNS and TLS; a bad host is a UnicodeError
            self._inbox.put(BrokerDropped(connection_id, explain_failure(self._settings, error)))
            return
        with self._client_lock:
            if connection_id == self.connection_id:
                self._client, self._awaits_connack = client, True
                client.loop_start()
                return
        disconnect(client)

    def _set_callbacks(self, client: Client, connection_id: int) -> None:
        def connected(_c: Any, _u: Any, flags: Any, code: ReasonCode, properties: Properties | None) -> None:
            self._post(
                connection_id,
                lambda: self._read_connack(client, connection_id, code, properties, resumed=flags.session_present),
            )

        def dropped(_c: Any, _u: Any, flags: Any, code: ReasonCode, _p: Any) -> None:
            self._log_refusals(self.subscriptions.disconnected())
            if client.too_large_bytes:
                self._post(connection_id, lambda: self._leave_out(connection_id, client.too_large_bytes))
                return
            self._post(connection_id, lambda: self._read_disconnect(connection_id, flags, code))

        def acknowledged(_c: Any, _u: Any, mid: int, code: ReasonCode, _p: Any) -> None:
            self._post(connection_id, lambda: read_puback(connection_id, mid, code))

        def taken(mids: Sequence[int]) -> None:
            self._inbox.put_acknowledged([Acknowledged(connection_id, mid) for mid in mids])

        def arrived(_c: Any, _u: Any, message: paho.MQTTMessage) -> None:
            self._post(connection_id, lambda: read_message(connection_id, message))

        def subscribed(_c: Any, _u: Any, _mid: int, codes: Any, _p: Any) -> None:
            self._post(connection_id, lambda: self._read_suback(client, codes))

        client.on_subscribe = subscribed
        client.on_connect, client.on_disconnect = connected, dropped
        client.on_publish, client.on_message, client.on_taken = acknowledged, arrived, taken

    def _post(self, connection_id: int, make: Callable[[], Item | None]) -> None:
        # An exception in a callback would end paho's thread while it still claims to be connected (facts page, P1).
        try:
            if (item := make()) is not None:
                self._inbox.put(item)
        except Exception:
            logger.exception("an MQTT callback failed")
            self._inbox.put(BrokerDropped(connection_id, "an MQTT callback failed"))

    def _read_disconnect(self, connection_id: int, flags: Any, code: ReasonCode) -> BrokerDropped | None:
        if connection_id == self._refused_id:  # the CONNACK has said why; paho only knows that the line has ended
            return None
        if connection_id == self.connection_id and self._awaits_connack:
            self._awaits_connack = False
            reason = HUNG_UP.format(self._protocol.version)
            tries_other = self._protocol.unanswered(silent=code.value == _KEEPALIVE_TIMEOUT)
            return BrokerDropped(connection_id, reason, retry_now=tries_other)
        self._capabilities.refused(code.value)
        return read_disconnect(connection_id, flags, code)

    def _leave_out(self, connection_id: int, size: int) -> BrokerDropped:
        """Come again without the topic on which the broker would send us the same message, as far as we can tell."""
        self._is_resumable = False  # in our session of before, it would come again
        topics, lasts_s = self.subscriptions.suspend()
        reason = f"a message of {size} bytes was on its way to us, and at most {MAX_PACKET_BYTES} are read"
        logger.warning("%s: for %.0f minutes nothing is heard on %s", reason, lasts_s / 60, ", ".join(topics))
        return BrokerDropped(connection_id, reason, retry_now=True)

    def _read_connack(
        self, client: paho.Client, connection_id: int, code: ReasonCode, properties: Properties | None, *, resumed: bool
    ) -> Item | None:
        if connection_id == self.connection_id:
            self._awaits_connack = False
        if code.is_failure:
            is_version = code.value == _UNSUPPORTED_VERSION
            asks_anew = self._protocol.refused() if is_version else self._capabilities.refused(code.value)
            self._refused_id = connection_id
            advice = WRONG_CREDENTIALS if code.value in CREDENTIALS_REFUSED else ""
            reason, refused = f"it refused the connection: {code}{advice}", code.value != _UNAVAILABLE
            return BrokerDropped(connection_id, reason, refused=refused, retry_now=asks_anew, code=code.value)
        if not self._protocol.taken():
            return BrokerDropped(connection_id, "it takes MQTT 3.1.1; MQTT 5 is tried once more", retry_now=True)
        self._capabilities.read_connack(properties)
        first = self.subscriptions.begin()
        subscribe(client, first)
        self._is_resumable = self._protocol.version == "5"
        connected = BrokerConnected(
            connection_id,
            receive_maximum=min(RECEIVE_MAXIMUM, getattr(properties, "ReceiveMaximum", RECEIVE_MAXIMUM)),
            maximum_packet_size=getattr(properties, "MaximumPacketSize", None),
            resumed=resumed,
            retain_available=self._capabilities.present.retain,
            maximum_qos=self._capabilities.present.qos,
            wildcards_available=bool(getattr(properties, "WildcardSubscriptionAvailable", True)),
        )
        # Where a broker hangs up on a subscription, nothing else is to be under way that it may have hung up on.
        self._connected = connected if self.subscriptions.one_at_a_time and first else None
        return None if self._connected else connected

    def _read_suback(self, client: Client, codes: Sequence[ReasonCode]) -> Item | None:
        news, following = self.subscriptions.answered([str(code) if code.is_failure else None for code in codes])
        self._log_refusals(news)
        if following:
            subscribe(client, following)
            return None
        connected, self._connected = self._connected, None
        return connected

    def _log_refusals(self, topics: Sequence[str]) -> None:
        for topic in topics:
            logger.error("%s", describe_refusal(topic, self.subscriptions.refused[topic]))
