"""How the parts are put together: from a configuration to a bridge that can run."""

import functools
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sense_mqtt import __version__
from sense_mqtt.bridge.error_guard import Guard
from sense_mqtt.bridge.frame_handler import Intake
from sense_mqtt.bridge.health import Counters
from sense_mqtt.bridge.homes import Houses
from sense_mqtt.bridge.jobs import Pace, RunningFeed
from sense_mqtt.bridge.loop import TICK_S, Bridge
from sense_mqtt.bridge.publisher import Publisher
from sense_mqtt.bridge.request_handler import Reception
from sense_mqtt.bridge.scheduler import BLIND_EVERY_S, TIMELINE_LAG_S, Schedules
from sense_mqtt.bridge.status import Status
from sense_mqtt.clock import Clock, SystemClock
from sense_mqtt.config import Config
from sense_mqtt.core.backoff import Backoff, waits
from sense_mqtt.core.commands.response_topics import ResponseTopics
from sense_mqtt.core.home.state import Policy
from sense_mqtt.core.home_assistant.discovery import Style
from sense_mqtt.core.publishing.outbox import Message, Rank
from sense_mqtt.core.publishing.topics import Topics
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import Rung
from sense_mqtt.mqtt.client import Broker, BrokerSettings
from sense_mqtt.mqtt.from_config import broker_settings
from sense_mqtt.redaction import Redactor
from sense_mqtt.rest_queries.call_budget import Budgets
from sense_mqtt.rest_queries.lookups import Lookups
from sense_mqtt.rest_queries.worker import Desk
from sense_mqtt.sense.auth.session import Credentials, Session
from sense_mqtt.sense.feed.feed import Feed, FeedSettings
from sense_mqtt.sense.rest.api import SenseApi
from sense_mqtt.sense.state_file import device_id
from sense_mqtt.store.journal import Journal

POLLS_MISSED = 2.5  # a house that is polled is `offline` after so many intervals without a frame
STALL_KEEPALIVES = 2.0  # a broker that acknowledges nothing for so many keepalives is given up


@dataclass(frozen=True, slots=True)
class Haste:
    """How quickly we try again, and how politely. The defaults are for Sense; tests against a simulated cloud hurry."""

    rest_spacing_s: float = 1.0  # between two REST calls (contract, section 3)
    feed_spacing_s: float = 1.0  # between two websockets
    feed: Backoff = field(default_factory=Backoff)
    broker: Backoff = field(default_factory=lambda: Backoff(first_s=1.0, most_s=5.0))  # it is in the house
    schedules: Backoff = field(default_factory=Backoff)
    tick_s: float = TICK_S  # of the bridge's loop
    blind_every_s: float = BLIND_EVERY_S  # the timeline is read, while no stream shows each edge
    timeline_lag_s: float = TIMELINE_LAG_S  # and once more so long after a gap


@dataclass(frozen=True, slots=True)
class Doors:
    """How the edges are made. The fault harness puts in some that die at a chosen moment, tests some with no thread."""

    journal: Callable[[Path], Journal] = Journal
    broker: Callable[[BrokerSettings, Inbox, Message | None, Sequence[str]], Broker] = Broker
    desk: Callable[[Session, Inbox], Desk] = Desk
    feed: Callable[..., RunningFeed] = Feed


@dataclass(frozen=True, slots=True)
class Cloud:
    """Sense, as far as the bridge and the command line ask it."""

    api: SenseApi
    session: Session
    closing: threading.Event  # set: whoever waits for Sense gives up
    scrub: Callable[[str], str] = str  # returns text without the secrets that are known


def connect_cloud(config: Config, inbox: Inbox, redactor: Redactor, clock: Clock, haste: Haste | None = None) -> Cloud:
    """Return the account's session; nothing is asked of Sense yet."""
    closing, haste = threading.Event(), haste or Haste()
    sense = config.sense
    api = SenseApi(
        sense.api_url,
        device_id=device_id(config.state_dir),
        timeout_s=sense.timeout_s,
        ca_file=sense.ca_file,
        clock=clock,
        closing=closing,
        spacing_s=haste.rest_spacing_s,
        state_dir=config.state_dir,
    )
    session = Session(
        api,
        config.state_dir,
        credentials_of(config),
        clock=clock,
        post=inbox.put,
        waits=lambda: waits(random.uniform, haste.schedules),
        learn=redactor.learn,
    )
    return Cloud(api, session, closing, redactor.scrub)


def credentials_of(config: Config) -> Credentials:
    """Return what the configuration knows of the account."""
    sense = config.sense
    return Credentials(
        sense.email.get_secret_value() if sense.email else None,
        sense.password.get_secret_value() if sense.password else None,
        sense.totp_secret.get_secret_value() if sense.totp_secret else None,
    )


def assemble(
    config: Config,
    inbox: Inbox,
    cloud: Cloud,
    clock: Clock | None = None,
    haste: Haste | None = None,
    doors: Doors | None = None,
) -> Bridge:
    """Return a bridge that is ready to run. Raises JournalError."""
    clock, haste, dice = clock or SystemClock(), haste or Haste(), random.Random()  # noqa: S311 - jitter, no secret
    topics, doors = topics_of(config), doors or Doors()
    journal = doors.journal(config.state_dir / "journal.sqlite3")
    will = Message(topics.bridge("state"), "offline", retain=True, rank=Rank.BRIDGE_STATE)
    broker = doors.broker(broker_settings(config), inbox, will, topics.subscriptions)
    publisher = Publisher(
        broker,
        journal,
        lambda: waits(dice.uniform, haste.broker),
        stall_after_s=STALL_KEEPALIVES * config.mqtt.keepalive_s,
    )
    counters = Counters()
    guard = Guard(counters)
    style = Style(__version__, topics, config.home_assistant.discovery)
    houses = Houses(publisher, journal, policy_of(config), style)
    desk, lookups = doors.desk(cloud.session, inbox), Lookups(clock)
    status = Status(
        publisher,
        houses,
        counters,
        topics,
        version=__version__,
        config=config.public(),
        calls=lambda: {"rest_last_hour": cloud.api.calls_last_hour, "logins_last_hour": cloud.session.logins_last_hour},
        queues=lambda: {**publisher.lengths, "lookups": len(desk)},
        patience=_patience(config),
        scrub=cloud.scrub,
    )
    settings = feed_settings(config, haste)
    schedules = Schedules(
        desk=desk,
        lookups=lookups,
        houses=houses,
        status=status,
        publisher=publisher,
        open_feed=lambda monitor: doors.feed(monitor, cloud.session, inbox, settings, clock=clock, random=dice),
        backoff=lambda: waits(dice.uniform, haste.schedules),
        wanted=config.sense.monitors,
        pace=Pace(config.energy.interval_s, haste.blind_every_s),
        timeline_lag_s=haste.timeline_lag_s,
        closing=cloud.closing,
    )
    reception = Reception(
        inbox=inbox,
        publisher=publisher,
        desk=desk,
        lookups=lookups,
        schedules=schedules,
        houses=houses,
        status=status,
        topics=topics,
        budgets=Budgets.of(config.state_dir, config.sense.command_calls_per_hour, clock),
        response_topics=ResponseTopics(topics, config.mqtt.response_topics),
        scrub=cloud.scrub,
    )
    intake = Intake(houses=houses, schedules=schedules, status=status, counters=counters, guard=guard)
    return Bridge(
        inbox=inbox,
        publisher=publisher,
        houses=houses,
        intake=intake,
        reception=reception,
        schedules=schedules,
        status=status,
        counters=counters,
        guard=guard,
        topics=topics,
        clock=clock,
        dice=dice,
        tick_s=haste.tick_s,
    )


def topics_of(config: Config) -> Topics:
    """Return the names of all topics."""
    return Topics(config.mqtt.base_topic, config.home_assistant.prefix)


def policy_of(config: Config) -> Policy:
    """Return what the user wants of a house."""
    publish = config.publish
    return Policy(
        functools.lru_cache(maxsize=4096)(config.device_rules),
        publish.device_interval_s,
        publish.house_interval_s,
        publish.jump_w,
        config.feed.silence_timeout_s,
    )


def _patience(config: Config) -> dict[Rung, float]:
    polled_s = max(POLLS_MISSED * config.feed.poll_interval_s, config.feed.silence_timeout_s)
    return {"stream": config.feed.silence_timeout_s, "poll": polled_s, "snapshot": polled_s, "paused": polled_s}


def feed_settings(config: Config, haste: Haste | None = None) -> FeedSettings:
    """Return the figures of a feed."""
    haste = haste or Haste()
    return FeedSettings(
        url=config.sense.feed_url,
        mode=config.feed.mode,
        poll_interval_s=config.feed.poll_interval_s,
        silence_timeout_s=config.feed.silence_timeout_s,
        ca_file=config.sense.ca_file,
        timeout_s=config.sense.timeout_s,
        state_dir=config.state_dir,
        device_id=device_id(config.state_dir),
        spacing_s=haste.feed_spacing_s,
        backoff=haste.feed,
    )
