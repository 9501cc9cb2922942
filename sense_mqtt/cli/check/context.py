"""The real name server, TLS, Sense and broker for the checks."""

import functools
import random
import secrets
import socket
from typing import Any

from msgspec.structs import replace

from sense_mqtt.assembly.assemble import feed_settings, topics_of
from sense_mqtt.assembly.sense_client import SenseClient
from sense_mqtt.cli.check.broker_probe import exchange_messages
from sense_mqtt.cli.check.checks import CheckContext
from sense_mqtt.cli.extras import WEB, find_missing
from sense_mqtt.clock import Clock
from sense_mqtt.core.payloads import write_json
from sense_mqtt.core.timestamps import write_timestamp
from sense_mqtt.mqtt.from_config import broker_settings
from sense_mqtt.net.proxy import find_proxy
from sense_mqtt.net.tls_probe import probe_tls
from sense_mqtt.sense.feed.probe import FeedProbe

ADDRESSES_SHOWN = 3


def build_context(sense_client: SenseClient, clock: Clock) -> CheckContext:
    """Return what the checks of one account use; no connection is made yet."""
    config = sense_client.config
    session, sense = sense_client.session, config.sense
    topics, feed, uniform = topics_of(config), feed_settings(config), random.Random().uniform  # noqa: S311 - jitter, no secret
    # A name of its own: with the bridge's, the broker would throw the bridge out.
    broker = broker_settings(config)
    broker = replace(broker, client_id=f"{broker.client_id}-check")

    @functools.cache
    def status(monitor: int) -> Any:
        return session.get(f"app/monitors/{monitor}/status")

    def probe_feed(monitor: int) -> str:
        return FeedProbe(monitor, session, feed, clock=clock, uniform=uniform).run(sense_client.api.wait)

    return CheckContext(
        config=config,
        account=sense_client.name,
        topics=topics,
        session=session,
        status=status,
        resolve=resolve,
        missing_for_web=find_missing(WEB),
        uses_proxy=lambda url: find_proxy(url) is not None,
        tls_handshake=lambda url: probe_tls(url, sense.ca_file, sense.timeout_s),
        probe_feed=probe_feed,
        exchange_messages=lambda trials: exchange_messages(broker, topics.subscriptions, trials, clock),
        event=write_json(
            {"event_type": "check", "time": write_timestamp(clock.now().wall), "id": secrets.token_hex(4)}
        ),
    )


def resolve(host: str) -> tuple[str, ...]:
    """Return some addresses of a host. Raises OSError."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))[:ADDRESSES_SHOWN]
