"""How the parts are put together: from a configuration to a bridge that can run."""

import functools
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sense_mqtt import __version__
from sense_mqtt.bridge.error_guard import ErrorGuard
from sense_mqtt.bridge.frame_handler import FrameHandler
from sense_mqtt.bridge.health import Counters
from sense_mqtt.bridge.homes import Homes
from sense_mqtt.bridge.jobs import JobIntervals, RunningFeed
from sense_mqtt.bridge.loop import TICK_S, Bridge
from sense_mqtt.bridge.publisher import Publisher
from sense_mqtt.bridge.request_handler import RequestHandler
from sense_mqtt.bridge.scheduler import POLLED_TIMELINE_S, TIMELINE_LAG_S, Scheduler
from sense_mqtt.bridge.status import Status
from sense_mqtt.clock import Clock, SystemClock
from sense_mqtt.config import Config
from sense_mqtt.core.backoff import Backoff, Retries, waits
from sense_mqtt.core.commands.response_topics import ResponseTopics
from sense_mqtt.core.home.state import Policy
from sense_mqtt.core.home_assistant.discovery import DiscoveryOptions
from sense_mqtt.core.publishing.outbox import Message, PublishOrder
from sense_mqtt.core.publishing.topics import Topics
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import Transport
from sense_mqtt.mqtt.client import MqttClient
from sense_mqtt.mqtt.from_config import broker_settings
from sense_mqtt.mqtt.settings import BrokerSettings
from sense_mqtt.redaction import Redactor
from sense_mqtt.rest_queries.call_budget import Budgets
from sense_mqtt.rest_queries.lookups import Lookups
from sense_mqtt.rest_queries.worker import RestWorker
from sense_mqtt.sense.auth.session import Credentials, Session
from sense_mqtt.sense.feed.feed import Feed
from sense_mqtt.sense.feed.settings import FeedSettings
from sense_mqtt.sense.rest.api import SenseApi
from sense_mqtt.sense.state_file import device_id
from sense_mqtt.store.journal import Journal

POLLS_MISSED = 2.5  # a house that is polled is `offline` after so many intervals without a frame
STALL_KEEPALIVES = 2.0  # a broker that acknowledges nothing for so many keepalives is given up


@dataclass(frozen=True, slots=True)
class Timing:
    """How quickly we try again, and how politely. The defaults are for Sense; tests against a simulated cloud hurry."""

    rest_spacing_s: float = 1.0  # between two REST calls (contract, section 3)
    feed_spacing_s: float = 1.0  # between two websockets
    feed: Backoff = field(default_factory=Backoff)
    broker: Backoff = field(default_factory=lambda: Backoff(first_s=1.0, most_s=4.0))  # 5 s with `tick_s`: it is near
    scheduler: Backoff = field(default_factory=Backoff)
    tick_s: float = TICK_S  # of the bridge's loop
    polled_timeline_s: float = POLLED_TIMELINE_S  # the timeline is read, while no stream shows each edge
    timeline_lag_s: float = TIMELINE_LAG_S  # and once more so long after a gap


@dataclass(frozen=True, slots=True)
class Factories:
    """How the edges are made. The fault harness puts in some that die at a chosen moment, tests some with no thread."""

    journal: Callable[[Path], Journal] = Journal
    broker: Callable[[BrokerSettings, Inbox, Message | None, Sequence[str]], MqttClient] = MqttClient
    worker: Callable[[Session, Inbox], RestWorker] = RestWorker
    feed: Callable[..., RunningFeed] = Feed


@dataclass(frozen=True, slots=True)
class SenseClient:
    """Sense, as far as the bridge and the command line ask it."""

    api: SenseApi
    session: Session
    closing: threading.Event  # set: whoever waits for Sense gives up
    redact: Callable[[str], str] = str  # returns text without the secrets that are known


def connect_sense(
    config: Config, inbox: Inbox, redactor: Redactor, clock: Clock, timing: Timing | None = None
) -> SenseClient:
    """Return the account's session; nothing is asked of Sense yet."""
    closing, timing = threading.Event(), timing or Timing()
    sense = config.sense
    api = SenseApi(
        sense.api_url,
        device_id=device_id(config.state_dir),
        timeout_s=sense.timeout_s,
        ca_file=sense.ca_file,
        clock=clock,
        closing=closing,
        spacing_s=timing.rest_spacing_s,
        state_dir=config.state_dir,
    )
    session = Session(
        api,
        config.state_dir,
        credentials_of(config),
        clock=clock,
        post=inbox.put,
        waits=lambda: waits(random.uniform, timing.scheduler),
        add_temporary_secret=redactor.add_temporary_secret,
    )
    return SenseClient(api, session, closing, redactor.redact)


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
    sense_client: SenseClient,
    clock: Clock | None = None,
    timing: Timing | None = None,
    factories: Factories | None = None,
) -> Bridge:
    """Return a bridge that is ready to run. Raises JournalError."""
    clock, timing, dice = clock or SystemClock(), timing or Timing(), random.Random()  # noqa: S311 - jitter, no secret
    topics, factories = topics_of(config), factories or Factories()
    journal = factories.journal(config.state_dir / "journal.sqlite3")
    will = Message(topics.bridge("state"), "offline", retain=True, order=PublishOrder.BRIDGE_STATE)
    broker = factories.broker(broker_settings(config), inbox, will, topics.subscriptions)
    publisher = Publisher(
        broker,
        journal,
        Retries(timing.broker, dice.uniform),
        stall_after_s=STALL_KEEPALIVES * config.mqtt.keepalive_s,
    )
    counters = Counters()
    guard = ErrorGuard(counters)
    style = DiscoveryOptions(__version__, topics, config.home_assistant.discovery)
    homes = Homes(publisher, journal, policy_of(config), style)
    worker, lookups = factories.worker(sense_client.session, inbox), Lookups(clock)
    status = Status(
        publisher,
        homes,
        counters,
        topics,
        version=__version__,
        config=config.public(),
        calls=lambda: {
            "rest_last_hour": sense_client.api.calls_last_hour,
            "logins_last_hour": sense_client.session.logins_last_hour,
        },
        queues=lambda: {**publisher.lengths, "lookups": len(worker)},
        stale_after_s=_stale_after_s(config),
        redact=sense_client.redact,
    )
    settings = feed_settings(config, timing)
    scheduler = Scheduler(
        worker=worker,
        lookups=lookups,
        homes=homes,
        status=status,
        publisher=publisher,
        open_feed=lambda monitor: factories.feed(
            monitor, sense_client.session, inbox, settings, clock=clock, random=dice
        ),
        make_retries=lambda: Retries(timing.scheduler, dice.uniform),
        wanted=config.sense.monitors,
        intervals=JobIntervals(config.energy.interval_s, timing.polled_timeline_s),
        timeline_lag_s=timing.timeline_lag_s,
        closing=sense_client.closing,
    )
    request_handler = RequestHandler(
        inbox=inbox,
        publisher=publisher,
        worker=worker,
        lookups=lookups,
        scheduler=scheduler,
        homes=homes,
        status=status,
        topics=topics,
        budgets=Budgets.of(config.state_dir, config.sense.command_calls_per_hour, clock),
        response_topics=ResponseTopics(topics, config.mqtt.response_topics),
        redact=sense_client.redact,
    )
    frame_handler = FrameHandler(homes=homes, scheduler=scheduler, status=status, counters=counters, guard=guard)
    return Bridge(
        inbox=inbox,
        publisher=publisher,
        homes=homes,
        frame_handler=frame_handler,
        request_handler=request_handler,
        scheduler=scheduler,
        status=status,
        counters=counters,
        guard=guard,
        topics=topics,
        clock=clock,
        dice=dice,
        tick_s=timing.tick_s,
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


def _stale_after_s(config: Config) -> dict[Transport, float]:
    polled_s = max(POLLS_MISSED * config.feed.poll_interval_s, config.feed.silence_timeout_s)
    return {"stream": config.feed.silence_timeout_s, "poll": polled_s, "snapshot": polled_s, "paused": polled_s}


def feed_settings(config: Config, timing: Timing | None = None) -> FeedSettings:
    """Return the figures of a feed."""
    timing = timing or Timing()
    return FeedSettings(
        url=config.sense.feed_url,
        mode=config.feed.mode,
        poll_interval_s=config.feed.poll_interval_s,
        silence_timeout_s=config.feed.silence_timeout_s,
        ca_file=config.sense.ca_file,
        timeout_s=config.sense.timeout_s,
        state_dir=config.state_dir,
        device_id=device_id(config.state_dir),
        spacing_s=timing.feed_spacing_s,
        backoff=timing.feed,
    )
