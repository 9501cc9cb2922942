"""`sense-mqtt health`: does the bridge work? Asked over MQTT, so that the way to the broker is tested too."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sense_mqtt.clock import Clock
from sense_mqtt.core.payloads import read_object
from sense_mqtt.core.publishing.topics import Topics
from sense_mqtt.core.timestamps import read_timestamp
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import BrokerDropped, MessageArrived
from sense_mqtt.mqtt.client import MqttClient

PATIENCE_S = 10.0  # for the broker and its retained messages
SILENCE_S = 150.0  # `bridge/health` comes once a minute; older than this, the bridge's loop does not run
FRESH = ("stream", "poll", "snapshot")
WAITS = {  # states of the login in which frames are not expected, and why
    "starting": "it has just started",
    "auth_required": "the login needs a person: run `sense-mqtt login`",
    "unavailable": "Sense cannot be reached or has an outage; it is tried again",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, in words."""

    text: str
    is_healthy: bool = False


@dataclass(slots=True)
class Heard:
    """What the broker keeps of the bridge."""

    state: str | None = None
    document: Mapping[str, Any] = field(default_factory=dict)

    def add_message(self, topic: str, payload: str) -> None:
        """Take in one message."""
        if topic.endswith("/state"):
            self.state = payload
        elif topic.endswith("/health"):
            self.document = read_object(payload)

    @property
    def is_complete(self) -> bool:
        return self.state == "offline" or (self.state is not None and bool(self.document))


def topics_heard(topics: Topics) -> tuple[str, ...]:
    return topics.bridge("state"), topics.bridge("health")


def ask(heard: Inbox, listener: MqttClient, clock: Clock, patience_s: float = PATIENCE_S) -> Verdict:
    """Return what the broker says of the bridge; waits for it as long as `patience_s`."""
    said, reason, ends = Heard(), "", clock.now().monotonic + patience_s
    listener.open()
    try:
        while not said.is_complete and (left_s := ends - clock.now().monotonic) > 0:
            match heard.get(left_s):
                case MessageArrived(topic=topic, payload=payload):
                    said.add_message(topic, payload.decode(errors="replace"))
                case BrokerDropped(reason=reason):
                    break
    finally:
        listener.close()
    if reason:
        return Verdict(f"no connection to the MQTT broker: {reason}")
    return judge(said, clock.now().wall)


def judge(said: Heard, now: float) -> Verdict:
    """Return whether the bridge works, from what it published; `now` is Unix time."""
    if said.state is None:
        return Verdict("nothing is retained on bridge/state: is this the bridge's broker and mqtt.base_topic?")
    if said.state != "online":
        return Verdict(f"the bridge is {said.state}: it does not run, or has no connection to the broker")
    written = read_timestamp(said.document.get("time"))
    if written is None or now - written > SILENCE_S:
        since = "" if written is None else f" for {now - written:.0f} s"
        return Verdict(f"the bridge published no bridge/health{since}, though it is connected: restart it")
    return _judge_feeds(said.document)


def _judge_feeds(document: Mapping[str, Any]) -> Verdict:
    feeds = document.get("feeds")
    feeds = feeds if isinstance(feeds, Mapping) else {}
    missing = sorted(str(monitor) for monitor, feed in feeds.items() if feed not in (*FRESH, "paused"))
    waits = WAITS.get(str(document.get("auth")))
    if waits is not None and (missing or not feeds):
        return Verdict(f"the bridge waits: {waits}", is_healthy=True)
    if missing:
        return Verdict(f"no frames come of monitor {', '.join(missing)}; the bridge's log says why")
    if not feeds:
        return Verdict("the account has no monitor, or none of sense.monitors")
    told = ", ".join(f"{monitor} {feed}" for monitor, feed in sorted(feeds.items()))
    return Verdict(f"frames come, or are paused as asked: {told}", is_healthy=True)
