"""How the parts are put together: from a configuration to a bridge that can run."""

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path

from sense_mqtt import __version__
from sense_mqtt.bridge.account import BridgedAccount
from sense_mqtt.bridge.account_access import AccountAccess, AccountSettings
from sense_mqtt.bridge.broker_handler import BrokerHandler
from sense_mqtt.bridge.discovery import Discovery
from sense_mqtt.bridge.error_guard import ErrorGuard
from sense_mqtt.bridge.health import Counters
from sense_mqtt.bridge.jobs import POLLED_TIMELINE_S, JobIntervals
from sense_mqtt.bridge.loop import TICK_S, Bridge
from sense_mqtt.bridge.monitor import TIMELINE_LAG_S, BridgedMonitor, MonitorSettings, RunningFeed, Services
from sense_mqtt.bridge.publisher import Publisher
from sense_mqtt.bridge.request_handler import RequestHandler
from sense_mqtt.bridge.scheduler import Scheduler
from sense_mqtt.bridge.sinks import MqttSink
from sense_mqtt.bridge.status import BridgeInfo, HealthSources, Status
from sense_mqtt.clock import Clock, SystemClock
from sense_mqtt.config import Config
from sense_mqtt.core.backoff import Backoff, Retries
from sense_mqtt.core.commands.response_topics import ResponseTopics
from sense_mqtt.core.home.state import Policy
from sense_mqtt.core.home_assistant.discovery import DiscoveryOptions
from sense_mqtt.core.job_queue import JobQueue
from sense_mqtt.core.publishing.message import Message, PublishOrder
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
from sense_mqtt.sense.device_id import device_id
from sense_mqtt.sense.feed.feed import Feed
from sense_mqtt.sense.feed.feed_loop import FeedLoop
from sense_mqtt.sense.feed.settings import FeedSettings
from sense_mqtt.sense.rest.api import SenseApi
from sense_mqtt.sense.rest.rate_limit import RateLimiter
from sense_mqtt.sense.state_file import StateFile
from sense_mqtt.sense.workers import Workers
from sense_mqtt.store.journal import Journal

POLLS_MISSED = 2.5  # a polled home is `offline` after so many intervals without a frame
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
    worker: Callable[[Session, Inbox, Workers], RestWorker] = RestWorker
    feed: Callable[..., RunningFeed] = Feed
    make_random: Callable[[], random.Random] = random.Random  # jitter, no secret


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
        limiter=RateLimiter(clock, closing, timing.rest_spacing_s, StateFile(config.state_dir / "manners.json")),
    )
    session = Session(
        api,
        config.state_dir,
        credentials_of(config),
        clock=clock,
        post=inbox.put,
        renewal_wait_s=lambda failures: timing.scheduler.wait_s(failures, random.uniform),
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
    wiring = _Wiring(config, inbox, sense_client, clock or SystemClock(), timing or Timing(), factories or Factories())
    return wiring.bridge()


class _Wiring:
    """Makes the parts of one bridge, each from those below it."""

    def __init__(
        self,
        config: Config,
        inbox: Inbox,
        sense_client: SenseClient,
        clock: Clock,
        timing: Timing,
        factories: Factories,
    ) -> None:
        self._config = config
        self._inbox = inbox
        self._sense = sense_client
        self._clock = clock
        self._timing = timing
        self._factories = factories
        self._random = factories.make_random()
        self._worker = factories.worker(sense_client.session, inbox, Workers())
        self._feed_loop = FeedLoop(inbox, clock)
        self._monitors: dict[int, BridgedMonitor] = {}  # of all accounts, by id

    def bridge(self) -> Bridge:
        services = self._services()
        accounts = [self._account(services)]
        config, redact = self._config, self._sense.redact
        budgets = Budgets.of(config.state_dir, config.sense.command_calls_per_hour, self._clock)
        response_topics = ResponseTopics(services.topics, config.mqtt.response_topics)
        requests = RequestHandler(self._inbox, services, accounts, budgets, response_topics, redact)
        broker_handler = BrokerHandler(services, requests, self._random.uniform)
        return Bridge(self._inbox, services, accounts, requests, broker_handler, self._clock, self._timing.tick_s)

    def _services(self) -> Services:
        config, topics, counters = self._config, topics_of(self._config), Counters()
        journal = self._factories.journal(config.state_dir / "journal.sqlite3")
        publisher = self._publisher(topics, journal)
        options = DiscoveryOptions(__version__, topics, config.home_assistant.discovery)
        discovery = Discovery(publisher, journal, options, self._monitors)
        info = BridgeInfo(__version__, config.public())
        sources = self._health_sources(publisher)
        status = Status(publisher, topics, self._monitors, counters, info, sources, self._sense.redact)
        return Services(topics, publisher, discovery, status, ErrorGuard(counters), jobs=JobQueue(), ticks=JobQueue())

    def _publisher(self, topics: Topics, journal: Journal) -> Publisher:
        config = self._config
        will = Message(topics.bridge("state"), "offline", retain=True, order=PublishOrder.BRIDGE_STATE)
        broker = self._factories.broker(broker_settings(config), self._inbox, will, topics.subscriptions)
        retries = Retries(self._timing.broker, self._random.uniform)
        return Publisher(broker, journal, retries, STALL_KEEPALIVES * config.mqtt.keepalive_s)

    def _health_sources(self, publisher: Publisher) -> HealthSources:
        api, session, worker = self._sense.api, self._sense.session, self._worker
        return HealthSources(
            calls=lambda: {"rest_last_hour": api.calls_last_hour, "logins_last_hour": session.logins_last_hour},
            queues=lambda: {**publisher.lengths, "lookups": len(worker)},
        )

    def _account(self, services: Services) -> BridgedAccount:
        config, timing = self._config, self._timing
        access = AccountAccess(self._worker, Lookups(self._clock), self._open_feed, self._sense.closing)
        retries = partial(Retries, timing.scheduler, self._random.uniform)
        scheduler = Scheduler(services.jobs, JobIntervals(timing.polled_timeline_s), retries)
        monitor = MonitorSettings(policy_of(config), _stale_after_s(config), timing.timeline_lag_s)
        settings = AccountSettings(0, frozenset(config.sense.monitors), monitor)
        sinks = [MqttSink(services.publisher, services.discovery, services.topics)]
        return BridgedAccount(access, scheduler, settings, services, self._monitors, sinks)

    def _open_feed(self, monitor: int) -> RunningFeed:
        settings = feed_settings(self._config, self._timing)
        return self._factories.feed(monitor, self._sense.session, settings, loop=self._feed_loop, random=self._random)


def topics_of(config: Config) -> Topics:
    """Return the names of all topics."""
    return Topics(config.mqtt.base_topic, config.home_assistant.prefix)


def policy_of(config: Config) -> Policy:
    """Return what is configured for a home."""
    return Policy(
        lru_cache(maxsize=4096)(config.device_rules),
        config.publish.device_interval_s,
        config.publish.house_interval_s,
        config.publish.jump_w,
        config.feed.silence_timeout_s,
        config.energy.interval_s,
        config.solar.rules(),
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
