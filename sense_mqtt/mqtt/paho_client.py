"""One paho client: made from the settings, with what its CONNECT and SUBSCRIBE packets say."""

import ssl
from collections.abc import Sequence
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from sense_mqtt.core.publishing.message import Message
from sense_mqtt.core.publishing.outbox import RECEIVE_MAXIMUM
from sense_mqtt.items import Acknowledged, BrokerDropped, MessageArrived
from sense_mqtt.mqtt.capabilities import Capabilities
from sense_mqtt.mqtt.paho_network import Client
from sense_mqtt.mqtt.protocol import Version
from sense_mqtt.mqtt.settings import BrokerSettings, make_context
from sense_mqtt.mqtt.subscriptions import MAX_PACKET_BYTES
from sense_mqtt.net.certificate import describe_certificate

CONNECT_TIMEOUT_S = 5.0  # a host that comes back while we wait for its answer is asked again so soon
SESSION_S = 300  # so long a broker keeps our session after a cut: requests, and echoes of our own events
BAD_ANSWER = "what the broker answered is not MQTT; Mosquitto answers so to a message above its message_size_limit"
WRONG_CREDENTIALS = "; check mqtt.username and mqtt.password, which the broker does not take"
HUNG_UP = (
    "the connection was lost before the broker answered our CONNECT (MQTT {}): perhaps it refuses "
    "mqtt.username, mqtt.client_id or a retained last will of QoS 1, or mqtt.port and mqtt.tls do not fit it; "
    "its log may tell"
)

_UNSPECIFIED = 128  # what paho says where the line just ended
_PROTOCOL_ERROR = 130
_TAKEN_OVER = 142
_TRANSIENT = (128, 131, 145, 151)  # of PUBACK: unspecified, implementation specific, number in use, quota exceeded


def make_client(settings: BrokerSettings, version: Version, will: Message | None, flags: Capabilities) -> Client:
    """Return a client that is not connected yet. Raises OSError or ssl.SSLError where a TLS file cannot be used."""
    protocol = MQTTProtocolVersion.MQTTv5 if version == "5" else MQTTProtocolVersion.MQTTv311
    client = Client(
        CallbackAPIVersion.VERSION2,
        settings.client_id,
        clean_session=None if protocol == MQTTProtocolVersion.MQTTv5 else True,
        protocol=protocol,
        transport=settings.transport,
        reconnect_on_failure=False,
    )
    client.connect_timeout = CONNECT_TIMEOUT_S
    if settings.transport == "websockets":
        client.ws_set_options(settings.path)
    client.max_inflight_messages_set(RECEIVE_MAXIMUM)
    if will is not None:
        client.will_set(will.topic, will.payload, flags.qos, will.retain and flags.retain)
    if settings.username is not None:
        client.username_pw_set(settings.username, settings.password())
    if settings.tls is not None:
        client.tls_set_context(make_context(settings.tls))
    return client


def connect(client: paho.Client, settings: BrokerSettings, *, fresh: bool) -> None:
    """Open the TCP connection and send CONNECT; `fresh`: without a session of before. Raises OSError or ValueError."""
    if client.protocol != MQTTProtocolVersion.MQTTv5:
        client.connect(settings.host, settings.port, settings.keepalive_s)
        return
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = SESSION_S
    properties.MaximumPacketSize = MAX_PACKET_BYTES  # the broker drops what is larger, on our side of it
    client.connect(settings.host, settings.port, settings.keepalive_s, clean_start=fresh, properties=properties)


def explain_failure(settings: BrokerSettings, error: OSError | ValueError) -> str:
    """Say why there is no connection, and where a certificate is not trusted, whose it is."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return f"{type(error).__name__}: {error}"
    shown = describe_certificate(settings.host, settings.port)
    return (
        f"its certificate is not trusted ({error.verify_message}): {shown}; set mqtt.tls.ca_file to its "
        "authority's certificate (PEM), or mqtt.tls.server_name to its name"
    )


def publish(client: Client, message: Message, flags: Capabilities) -> int:
    """Take a message and return its number; with QoS 1 it goes out with `Client.send_added`."""
    retain = message.retain and flags.retain
    if flags.qos:
        return client.add(message, retain=retain)
    properties = None
    if message.correlation is not None and client.protocol == MQTTProtocolVersion.MQTTv5:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.CorrelationData = message.correlation
    return client.publish(message.topic, message.payload.encode(), 0, retain, properties).mid


def subscribe(client: paho.Client, topics: Sequence[str]) -> None:
    if topics:  # there may be none, and paho raises
        client.subscribe(_subscriptions(topics, client.protocol))


def _subscriptions(topics: Sequence[str], protocol: MQTTProtocolVersion) -> list[tuple[str, Any]]:
    if protocol != MQTTProtocolVersion.MQTTv5:
        return [(topic, 1) for topic in topics]
    # Only so does the broker say that a request which arrives now was published to be retained.
    options = SubscribeOptions(qos=1, retainAsPublished=True)
    return [(topic, options) for topic in topics]


def read_disconnect(connection_id: int, flags: Any, code: ReasonCode) -> BrokerDropped:
    """Return how a connection ended that the broker had taken."""
    if code.value == _PROTOCOL_ERROR and not flags.is_disconnect_packet_from_server:  # paho could not read it
        return BrokerDropped(connection_id, BAD_ANSWER, code=code.value)
    if code.value != _UNSPECIFIED:
        return BrokerDropped(connection_id, str(code), taken_over=code.value == _TAKEN_OVER, code=code.value)
    return BrokerDropped(connection_id, "the connection was lost")


def read_puback(connection_id: int, mid: int, code: ReasonCode) -> Acknowledged:
    refusal = str(code) if code.is_failure else None
    return Acknowledged(connection_id, mid, refusal, transient=code.value in _TRANSIENT)


def read_message(connection_id: int, message: paho.MQTTMessage) -> MessageArrived:
    properties = message.properties
    return MessageArrived(
        connection_id,
        message.topic,
        bytes(message.payload),
        message.retain,
        getattr(properties, "ResponseTopic", None),
        getattr(properties, "CorrelationData", None),
    )


def disconnect(client: paho.Client) -> None:
    client.on_disconnect = None
    client.disconnect()
    client.loop_stop()
