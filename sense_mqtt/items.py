"""Every item that can reach the bridge."""

from typing import Any, Literal

from msgspec import Struct

from sense_mqtt.clock import Moment
from sense_mqtt.core.publishing.broker_limits import describe_limits

Transport = Literal["stream", "poll", "snapshot", "paused"]


# --- from a feed (thread "sense-feeds")


class FrameArrived(Struct, frozen=True):
    """One message of the realtime feed as it came: text (JSON) or binary (msgpack, or JSON in old binary frames)."""

    monitor: int
    raw: str | bytes


class UpdatePolled(Struct, frozen=True):
    """The answer of `GET app/{monitor}/realtime_update`: a bare realtime payload, already parsed from JSON."""

    monitor: int
    payload: Any
    asked: Moment
    answered: Moment  # the time of the frame, where its payload tells none


class FeedOpened(Struct, frozen=True):
    """A connection was made, or the first poll of a row worked; frames follow."""

    monitor: int
    transport: Transport


class FeedEnded(Struct, frozen=True):
    """The feed ended: the next frame is the first after a gap."""

    monitor: int
    reason: str


class FeedChanged(Struct, frozen=True):
    """Frames come by another transport from now on, and why."""

    monitor: int
    transport: Transport
    reason: str


class FeedLimited(Struct, frozen=True):
    """Sense limits the rate of the feed's requests (HTTP 429)."""

    monitor: int
    reason: str
    retry_after_s: float  # 0: it did not say how long to wait


Auth = Literal["starting", "ok", "auth_required", "unavailable"]


class AuthChanged(Struct, frozen=True):
    """The state of the login changed, and why."""

    auth: Auth
    reason: str
    account: int = 0  # its place among the accounts


# --- from the REST workers (threads "sense-worker-<n>")


class LookupDone(Struct, frozen=True):
    """A lookup ended: `result` holds what Sense said, or the error."""

    ticket: object  # as given to the worker
    result: Any  # the parsed answer, or a SenseMqttError


# --- from the webhooks (threads "webhook-<n>")


class PostDone(Struct, frozen=True):
    """A post to a webhook ended; its sender holds the result."""

    hook: int  # its place in `webhooks` of the configuration


# --- from the broker (thread "paho-mqtt-client-...")


class BrokerConnected(Struct, frozen=True):
    """The broker accepted the connection; `connection_id` names this connection, in all items that follow from it."""

    connection_id: int
    receive_maximum: int  # messages that may be unacknowledged, from the broker's CONNACK
    maximum_packet_size: int | None = None  # bytes, likewise; None: no limit
    resumed: bool = False  # the broker kept our session: messages that were missed come now
    retain_available: bool = True  # False: the broker keeps no retained messages, and none is sent as such
    maximum_qos: int = 1  # 0: nothing is acknowledged; a message counts as delivered once it is written
    wildcards_available: bool = True  # in subscriptions

    @property
    def limits(self) -> tuple[str, ...]:
        """What does not work with this broker, a sentence each."""
        return tuple(
            describe_limits(
                retain_available=self.retain_available,
                maximum_qos=self.maximum_qos,
                wildcards_available=self.wildcards_available,
            )
        )


class BrokerDropped(Struct, frozen=True):
    """The connection, or the attempt at one, ended; posted at least once for each."""

    connection_id: int
    reason: str
    taken_over: bool = False  # another client came with our client id
    refused: bool = False  # the broker refused this client; a retry soon will not help
    retry_now: bool = False  # the next attempt asks for something else
    code: int | None = None  # the reason code of CONNACK or of MQTT 5's DISCONNECT, where there was one


class Acknowledged(Struct, frozen=True):
    """The broker has the message that `publish` numbered `mid`; `refusal` is the reason where it did not take it."""

    connection_id: int
    mid: int
    refusal: str | None = None
    transient: bool = False  # the refusal: it may take the same message later


class MessageArrived(Struct, frozen=True):
    """A message came on a topic of our subscriptions."""

    connection_id: int
    topic: str
    payload: bytes
    retain: bool = False
    response_topic: str | None = None
    correlation: bytes | None = None

    @property
    def is_request(self) -> bool:
        return "/request/" in self.topic  # below the bridge; no other subscription has such a topic


# --- from the process


class Stop(Struct, frozen=True):
    """End in good order with this exit code."""

    reason: str
    exit_code: int = 0


class Reload(Struct, frozen=True):
    """Read the configuration again."""


class Crashed(Struct, frozen=True):
    """A thread ended by an unexpected exception."""

    thread: str
    error: str


Item = (
    FrameArrived
    | UpdatePolled
    | FeedOpened
    | FeedEnded
    | FeedChanged
    | FeedLimited
    | AuthChanged
    | LookupDone
    | PostDone
    | BrokerConnected
    | BrokerDropped
    | Acknowledged
    | MessageArrived
    | Stop
    | Reload
    | Crashed
)
