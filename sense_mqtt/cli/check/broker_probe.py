"""Publish and receive test messages over a separate connection with the subscriptions of `run`."""

import secrets
from collections.abc import Iterator, Mapping, Sequence

from sense_mqtt.cli.check.checks import BrokerReport, CheckFailed, ProbeMessage
from sense_mqtt.clock import Clock
from sense_mqtt.core.publishing.broker_limits import describe_maximum_packet_size
from sense_mqtt.core.publishing.message import Message
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import Acknowledged, BrokerConnected, BrokerDropped, Item, MessageArrived
from sense_mqtt.mqtt.client import MqttClient
from sense_mqtt.mqtt.settings import BrokerSettings
from sense_mqtt.mqtt.subscriptions import MAX_DISCONNECTS

CONNECT_S = 15.0
ECHO_S = 5.0
MAX_ATTEMPTS = 6  # another protocol each, or with less asked of the broker

UNKNOWN_VERSION = "protocol version"
RIGHTS = "check what the broker's access list lets this user write and read"

# What a broker or the system says, in small letters, and what to do about it; the first that fits.
ADVICE = (
    ("mqtt.tls.ca_file", ""),  # the reason says it
    ("ssl", "check mqtt.port and mqtt.tls"),
    ("connection refused", "check mqtt.host and mqtt.port, and that the broker runs"),
    ("mqtt.username and mqtt.password", ""),
    (UNKNOWN_VERSION, "set mqtt.protocol: auto"),
    ("", "check mqtt.host, mqtt.port and mqtt.tls, and the broker's log"),
)


class _ConnectionLost(Exception):
    """The connection ended; says why."""


def exchange_messages(
    settings: BrokerSettings, filters: Sequence[str], trials: Sequence[ProbeMessage], clock: Clock
) -> BrokerReport:
    """Connect, subscribe as `run` does, and publish each trial; return what was found. Raises `CheckFailed`.

    Some brokers hang up on a subscription or a message that they refuse; the next connections find out which.
    """
    inbox = Inbox()
    broker = MqttClient(settings, inbox, will=None, topics=filters)
    try:
        losses = 0
        while True:
            try:
                return _try(broker, inbox, settings, trials, clock)
            except _ConnectionLost as lost:
                losses += 1
                if losses > MAX_DISCONNECTS * (1 + len(filters) * broker.subscriptions.one_at_a_time):
                    tried = ", ".join(trial.topic for trial in trials if trial.is_required)
                    raise CheckFailed(f"the broker ends the connection at {tried} ({lost}); {RIGHTS}") from lost
    finally:
        broker.close()


def _try(
    broker: MqttClient, inbox: Inbox, settings: BrokerSettings, trials: Sequence[ProbeMessage], clock: Clock
) -> BrokerReport:
    connected, early = _connect(broker, inbox, settings, clock)
    sent = {broker.publish(Message(trial.topic, trial.payload)): trial for trial in trials}
    broker.flush()
    others, not_received = _listen(broker, inbox, sent, clock)
    return BrokerReport(
        received=[*early, *others],
        refused=broker.subscriptions.losses,
        not_received=[trial for trial in not_received if trial.expected_filter not in broker.subscriptions.refused],
        limits=(*connected.limits, *describe_maximum_packet_size(connected.maximum_packet_size)),
        protocol=broker.protocol,
    )


def _connect(
    broker: MqttClient, inbox: Inbox, settings: BrokerSettings, clock: Clock
) -> tuple[BrokerConnected, list[MessageArrived]]:
    """Return the connection, and what came before all subscriptions were answered."""
    reason = f"no answer within {CONNECT_S:g} s"
    silent = 0
    for _ in range(MAX_ATTEMPTS):
        # A broker may need seconds to forget a client that it hung up on: RabbitMQ 3.10 does not answer it before.
        broker.use_client_id(f"{settings.client_id}-{secrets.token_hex(4)}")
        broker.open()
        early: list[MessageArrived] = []
        match _next_but_messages(_items(broker, inbox, CONNECT_S, clock), early):
            case BrokerConnected() as connected:
                return connected, early
            case None if settings.protocol == "auto" and not silent:
                silent += 1  # some brokers never answer MQTT 5
            case BrokerDropped(retry_now=True, reason=reason):
                continue
            case BrokerDropped(reason=reason) if broker.subscriptions.one_at_a_time:
                raise _ConnectionLost(reason)
            case BrokerDropped(reason=reason):
                break
            case _:
                break
    raise CheckFailed(_advise(reason, settings))


def _next_but_messages(items: Iterator[Item], messages: list[MessageArrived]) -> Item | None:
    """Return the next item that is no message, and add to `messages` those before it."""
    for item in items:
        if not isinstance(item, MessageArrived):
            return item
        messages.append(item)
    return None


def _listen(
    broker: MqttClient, inbox: Inbox, sent: Mapping[int | None, ProbeMessage], clock: Clock
) -> tuple[list[MessageArrived], list[ProbeMessage]]:
    """Wait until all is answered; return what came from others, and what is not needed and did not come back."""
    others: list[MessageArrived] = []
    unanswered, away = dict(sent), [trial for trial in sent.values() if trial.expected_filter is not None]
    for item in _items(broker, inbox, ECHO_S, clock):
        match item:
            case MessageArrived() as message:
                own = [trial for trial in away if _is_same(trial, message)]
                away = [trial for trial in away if trial not in own]
                others += [] if own else [message]
            case Acknowledged(mid=mid, refusal=refusal) if mid in unanswered:
                trial = unanswered.pop(mid)
                if refusal is not None:
                    away = [other for other in away if other is not trial]
                    _fail_if_needed(trial, f"publishing on {trial.topic} is refused ({refusal})")
            case BrokerDropped(reason=reason):
                raise _ConnectionLost(reason)
        if not unanswered and all(trial.expected_filter in broker.subscriptions.refused for trial in away):
            break
    for trial in unanswered.values():
        _fail_if_needed(trial, f"what was published on {trial.topic} was not acknowledged within {ECHO_S:g} s")
    for trial in away:
        if trial.expected_filter not in broker.subscriptions.refused:
            _fail_if_needed(trial, f"what was published on {trial.topic} did not come back within {ECHO_S:g} s")
    return others, away


def _is_same(trial: ProbeMessage, message: MessageArrived) -> bool:
    return (trial.topic, trial.payload.encode()) == (message.topic, message.payload)


def _fail_if_needed(trial: ProbeMessage, what: str) -> None:
    if trial.is_required:
        raise CheckFailed(f"{what}; {RIGHTS}")


def _items(broker: MqttClient, inbox: Inbox, timeout_s: float, clock: Clock) -> Iterator[Item]:
    """Yield what happens to the present connection, as long as there is time."""
    ends_at = clock.now().monotonic + timeout_s
    while (item := inbox.get(ends_at - clock.now().monotonic)) is not None:
        if getattr(item, "connection_id", None) == broker.connection_id:
            yield item


def _advise(reason: str, settings: BrokerSettings) -> str:
    what_to_do = next(advice for words, advice in ADVICE if words in reason.lower())
    return f"{settings.host} port {settings.port}: {reason}{what_to_do and '; '}{what_to_do}"
