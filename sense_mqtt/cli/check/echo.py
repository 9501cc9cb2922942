"""A word to the broker and back, over a connection of its own."""

from collections.abc import Iterator, Sequence

from sense_mqtt.cli.check.checks import CheckFailed
from sense_mqtt.clock import Clock
from sense_mqtt.core.publishing.broker_limits import describe_packet_limit
from sense_mqtt.core.publishing.outbox import Message
from sense_mqtt.inbox import Acknowledged, BrokerConnected, BrokerDropped, Inbox, Item, MessageArrived
from sense_mqtt.mqtt.client import Broker, BrokerSettings

CONNECT_S = 15.0
ECHO_S = 5.0
ATTEMPTS_MOST = 6  # another protocol each, or with less asked of the broker

UNKNOWN_VERSION = "protocol version"
RIGHTS = "check what the broker's access list lets this user write and read"

# What a broker or the system says, in small letters, and what to do about it; the first that fits.
WHAT_TO_DO = (
    ("mqtt.tls.ca_file", ""),  # the reason says it
    ("ssl", "check mqtt.port and mqtt.tls"),
    ("connection refused", "check mqtt.host and mqtt.port, and that the broker runs"),
    ("user name", "check mqtt.username and mqtt.password"),
    ("not authorized", "check mqtt.username and mqtt.password"),
    (UNKNOWN_VERSION, "set mqtt.protocol: auto"),
    ("", "check mqtt.host, mqtt.port and mqtt.tls, and the broker's log"),
)


def echo(
    settings: BrokerSettings, topic: str, others: Sequence[str], clock: Clock
) -> tuple[tuple[MessageArrived, ...], tuple[str, ...]]:
    """Publish on `topic`; return what came on the others before it came back, and what the broker cannot do.

    Raises `CheckFailed`.
    """
    heard = Inbox()
    broker = Broker(settings, heard, will=None, topics=(*others, topic))
    try:
        connected = _connect(broker, heard, settings, clock)
        broker.publish(Message(topic, "echo"))
        limits = (*connected.limits, *describe_packet_limit(connected.packet_limit))
        return tuple(_listen(broker, heard, topic, clock)), limits
    finally:
        broker.close()


def _connect(broker: Broker, heard: Inbox, settings: BrokerSettings, clock: Clock) -> BrokerConnected:
    reason = f"no answer within {CONNECT_S:g} s"
    silent = 0
    for _ in range(ATTEMPTS_MOST):
        broker.open()
        match next(_items(broker, heard, CONNECT_S, clock), None):
            case BrokerConnected() as connected:
                return connected
            case None if settings.protocol == "auto" and not silent:
                silent += 1  # some brokers never answer MQTT 5
            case BrokerDropped(retry_now=True, reason=reason):
                continue
            case BrokerDropped(reason=reason):
                break
            case _:
                break
    raise CheckFailed(_advise(reason, settings))


def _listen(broker: Broker, heard: Inbox, topic: str, clock: Clock) -> Iterator[MessageArrived]:
    for item in _items(broker, heard, ECHO_S, clock):
        match item:
            case MessageArrived(topic=on) if on == topic:
                return
            case MessageArrived():
                yield item
            case Acknowledged(refusal=str(reason)):
                raise CheckFailed(f"publishing on {topic} is refused ({reason}); {RIGHTS}")
            case BrokerDropped(reason=reason):
                raise CheckFailed(f"the connection was dropped ({reason}); check the broker's log")
    raise CheckFailed(f"what was published on {topic} did not come back within {ECHO_S:g} s; {RIGHTS}")


def _items(broker: Broker, heard: Inbox, patience_s: float, clock: Clock) -> Iterator[Item]:
    """Yield what happens to the present connection, as long as there is time."""
    ends_at = clock.now().monotonic + patience_s
    while (item := heard.get(ends_at - clock.now().monotonic)) is not None:
        if getattr(item, "generation", None) == broker.generation:
            yield item


def _advise(reason: str, settings: BrokerSettings) -> str:
    what_to_do = next(advice for words, advice in WHAT_TO_DO if words in reason.lower())
    return f"{settings.host} port {settings.port}: {reason}{what_to_do and '; '}{what_to_do}"
