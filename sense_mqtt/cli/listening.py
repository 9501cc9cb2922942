"""A connection to the broker that only listens, for commands that show what the bridge publishes."""

import argparse
import secrets
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from sense_mqtt.assembly.assemble import topics_of
from sense_mqtt.config import Config
from sense_mqtt.core.publishing.topics import Topics
from sense_mqtt.inbox import Inbox
from sense_mqtt.mqtt.client import MqttClient
from sense_mqtt.mqtt.from_config import broker_settings
from sense_mqtt.mqtt.settings import BrokerSettings


class Listening(Struct, frozen=True):
    """A client that is not open yet, what it will hear, and where."""

    heard: Inbox
    client: MqttClient
    place: str  # host and port


def listening(settings: BrokerSettings, topics: Sequence[str], name: str) -> Listening:
    """Return a client with an id of its own, so that it throws nobody out."""
    heard = Inbox()
    settings = replace(settings, client_id=f"sense-mqtt-{name}-{secrets.token_hex(4)}")
    client = MqttClient(settings, heard, will=None, topics=tuple(topics))
    return Listening(heard, client, f"{settings.host}:{settings.port}")


def add_host(parser: argparse.ArgumentParser) -> None:
    """Add the options for another broker than the configured one."""
    parser.add_argument("--host", help="the MQTT broker; default: that of the configuration")
    parser.add_argument("--port", type=int, help="its port (default: that of the configuration)")
    parser.add_argument("--base-topic", help="mqtt.base_topic of the bridge (default: that of the configuration)")


def settings_of(options: argparse.Namespace, config: Config) -> tuple[BrokerSettings, Topics]:
    """Return broker and topics of the configuration, as far as the options say nothing else."""
    settings = broker_settings(config)
    if options.host is not None:
        settings = replace(settings, host=options.host, state_dir=None)  # it may speak another protocol
    if options.port is not None:
        settings = replace(settings, port=options.port)
    topics = topics_of(config)
    return settings, replace(topics, base=options.base_topic or topics.base)
