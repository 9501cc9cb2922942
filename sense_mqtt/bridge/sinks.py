"""Sinks: each takes what is new of a home, and brings it to those who listen in its own way. MQTT is the first."""

from collections.abc import Sequence
from typing import Protocol

from sense_mqtt.bridge.discovery import Discovery
from sense_mqtt.bridge.publisher import Publisher
from sense_mqtt.core.changes import Change, Event
from sense_mqtt.core.home.state import Home
from sense_mqtt.core.publishing.home_state import is_changed, write_home_state
from sense_mqtt.core.publishing.message import Message
from sense_mqtt.core.publishing.messages import HomeTopics, to_messages
from sense_mqtt.core.publishing.topics import Topics


class Sink(Protocol):
    """Takes what is new of a home: readings, and devices that came, changed or went.

    Events are among the changes too, but are published by the journal: it holds them until they are delivered.
    For the bridge's thread only.
    """

    def publish(self, home: Home, changes: Sequence[Change]) -> None: ...


class MqttSink:
    """Publishes each reading on its topic, and announces to Home Assistant what there is."""

    def __init__(self, publisher: Publisher, discovery: Discovery, topics: Topics) -> None:
        self._publisher = publisher
        self._discovery = discovery
        self._topics = topics

    def publish(self, home: Home, changes: Sequence[Change]) -> None:
        retained = (change for change in changes if not isinstance(change, Event))
        messages = to_messages(retained, HomeTopics(self._topics, home.monitor, home.topic_ids))
        if is_changed(changes):
            topic = self._topics.monitor(home.monitor, "state")
            messages = (*messages, Message(topic, write_home_state(home), retain=True))
        self._publisher.enqueue_retained(message for message in messages if not message.final)
        self._discovery.announce_changes(home, changes)
        if cleared := [message for message in messages if message.final]:
            self._discovery.clear(cleared)
