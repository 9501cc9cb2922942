"""How the parts are put together: from a configuration to a bridge that can run."""

import logging
import random
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path

from msgspec import Struct

from sense_mqtt import __version__
from sense_mqtt.assembly.sense_client import SenseClient
from sense_mqtt.assembly.timing import Timing
from sense_mqtt.bridge.account import BridgedAccount
from sense_mqtt.bridge.account_access import AccountAccess, AccountOptions
from sense_mqtt.bridge.accounts import Accounts
from sense_mqtt.bridge.broker_handler import BrokerHandler
from sense_mqtt.bridge.discovery import Discovery
from sense_mqtt.bridge.error_guard import ErrorGuard
from sense_mqtt.bridge.health import Counters
from sense_mqtt.bridge.jobs import JobIntervals
from sense_mqtt.bridge.loop import Bridge
from sense_mqtt.bridge.monitor import MonitorSettings, RunningFeed, Services
from sense_mqtt.bridge.publisher import Publisher
from sense_mqtt.bridge.request_handler import RequestHandler
from sense_mqtt.bridge.scheduler import Scheduler
from sense_mqtt.bridge.served import ServedMonitors
from sense_mqtt.bridge.sinks import MqttSink, Sink
from sense_mqtt.bridge.status import BridgeInfo, HealthSources, Status
from sense_mqtt.bridge.webhook import Sender, Webhook
from sense_mqtt.bridge.webhooks import Webhooks
from sense_mqtt.clock import Clock, SystemClock
from sense_mqtt.config import Config
from sense_mqtt.config.webhook_settings import hooks_of
from sense_mqtt.core.backoff import Retries
from sense_mqtt.core.commands.response_topics import ResponseTopics
from sense_mqtt.core.home.state import Policy
from sense_mqtt.core.home_assistant.messages import DiscoveryOptions
from sense_mqtt.core.job_queue import JobQueue
from sense_mqtt.core.publishing.message import Message, PublishOrder
from sense_mqtt.core.publishing.topics import Topics
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import Transport
from sense_mqtt.mqtt.client import MqttClient
from sense_mqtt.mqtt.from_config import broker_settings
from sense_mqtt.mqtt.settings import BrokerSettings
from sense_mqtt.recording.notes import Recorder, Recorders
from sense_mqtt.sense.auth.session import Session
from sense_mqtt.sense.device_id import device_id
from sense_mqtt.sense.feed.feed import Feed
from sense_mqtt.sense.feed.feed_loop import FeedLoop
from sense_mqtt.sense.feed.settings import FeedSettings
from sense_mqtt.sense.rest_queries.call_budget import Budgets
from sense_mqtt.sense.rest_queries.lookups import Lookups
from sense_mqtt.sense.rest_queries.worker import RestWorker
from sense_mqtt.sense.workers import Workers
from sense_mqtt.store.hours import StoredHours
from sense_mqtt.store.journal import Journal
from sense_mqtt.web.state import Sources, WebState
from sense_mqtt.webhooks.post import open_sender

logger = logging.getLogger(__name__)

POLLS_MISSED = 2.5  # a polled home is `offline` after so many intervals without a frame
STALL_KEEPALIVES = 2.0  # a broker that acknowledges nothing for so many keepalives is given up


class Factories(Struct, frozen=True):
    """How the edges are made. The fault harness puts in some that die at a chosen moment, tests some with no thread."""

    journal: Callable[[Path], Journal] = Journal
    broker: Callable[[BrokerSettings, Inbox, Message | None, Sequence[str]], MqttClient] = MqttClient
    worker: Callable[[Session, Inbox, Workers], RestWorker] = RestWorker
    feed: Callable[..., RunningFeed] = Feed
    webhook_sender: Callable[[int, str, Path | None, Inbox], Sender] = open_sender
    make_random: Callable[[], random.Random] = random.Random  # jitter, no secret
    recorders: Sequence[Recorder] = ()


def assemble(
    config: Config,
    inbox: Inbox,
    sense_clients: Sequence[SenseClient],
    clock: Clock | None = None,
    timing: Timing | None = None,
    factories: Factories | None = None,
    page: WebState | None = None,
) -> Bridge:
    """Return a bridge that is ready to run, and tells the page what is new. Raises JournalError."""
    clock, timing, factories = clock or SystemClock(), timing or Timing(), factories or Factories()
    return _Wiring(config, inbox, sense_clients, clock, timing, factories).bridge(page)


class _Wiring:
    """Makes the parts of one bridge, each from those below it."""

    def __init__(
        self,
        config: Config,
        inbox: Inbox,
        sense_clients: Sequence[SenseClient],
        clock: Clock,
        timing: Timing,
        factories: Factories,
    ) -> None:
        self._config = config
        self._inbox = inbox
        self._clients = sense_clients
        self._clock = clock
        self._timing = timing
        self._factories = factories
        self._random = factories.make_random()
        self._redact = sense_clients[0].redact if sense_clients else str  # one knows the secrets of all
        workers = Workers()
        self._workers = [factories.worker(client.session, inbox, workers) for client in sense_clients]
        self._feed_loop = FeedLoop(inbox, clock)  # of all accounts
        self._journal = factories.journal(config.state_dir / "journal.sqlite3")
        self._served = ServedMonitors()
        self._each: list[BridgedAccount] = []
        self._accounts = Accounts(self._each, self._served)

    def bridge(self, page: WebState | None) -> Bridge:
        services = self._services()
        sinks: list[Sink] = [MqttSink(services.publisher, services.discovery, services.topics)]
        if page is not None:
            sinks.append(page)
        self._each += [self._account(number, services, sinks) for number in range(len(self._clients))]
        response_topics = ResponseTopics(services.topics, self._config.mqtt.response_topics)
        requests = RequestHandler(self._inbox, services, self._accounts, response_topics, self._redact)
        broker_handler = BrokerHandler(services, requests, self._random.uniform)
        clock, tick_s = self._clock, self._timing.tick_s
        bridge = Bridge(self._inbox, services, self._accounts, requests, broker_handler, clock, tick_s)
        if page is not None:
            publisher, status, hours = services.publisher, services.status, StoredHours(self._journal)
            page.attach(Sources(self._served.monitors, status.health, lambda: publisher.connected, hours))
            bridge.add_periodic_task("the page", page.tick)
        return bridge

    def _services(self) -> Services:
        config, topics, counters = self._config, topics_of(self._config), Counters()
        journal = self._journal
        publisher = self._publisher(topics, journal)
        options = DiscoveryOptions(__version__, topics, config.home_assistant.discovery)
        served_elsewhere = None if config.shard.count > 1 else len(self._clients)
        discovery = Discovery(publisher, options, self._served.monitors, served_elsewhere)
        info = BridgeInfo(__version__, config.public())
        guard = ErrorGuard(counters)
        webhooks = Webhooks(self._each_webhook(journal), guard)
        sources = self._health_sources(publisher, webhooks)
        status = Status(publisher, topics, self._served.monitors, counters, info, sources, self._redact)
        recorder = Recorders(self._factories.recorders)
        queues = {"jobs": JobQueue(), "ticks": JobQueue()}
        return Services(topics, publisher, discovery, status, guard, webhooks, recorder, **queues)

    def _each_webhook(self, journal: Journal) -> list[Webhook]:
        settings, config, uniform = self._config.webhooks, self._config, self._random.uniform
        hooks = hooks_of(settings)
        if removed := journal.posts.keep_hooks([hook.key for hook in hooks]):
            logger.warning("webhooks: %d events waited for one that is no longer configured; dropped", removed)
        make = self._factories.webhook_sender
        senders = [make(n, each.secret_url, config.sense.ca_file, self._inbox) for n, each in enumerate(settings)]
        named = enumerate(zip(hooks, senders, strict=True))
        return [Webhook(f"webhooks.{n}", hook, sender, journal, uniform) for n, (hook, sender) in named]

    def _publisher(self, topics: Topics, journal: Journal) -> Publisher:
        config = self._config
        will = Message(topics.bridge("state"), "offline", retain=True, order=PublishOrder.BRIDGE_STATE)
        broker = self._factories.broker(broker_settings(config), self._inbox, will, topics.subscriptions)
        retries = Retries(self._timing.broker, self._random.uniform)
        return Publisher(broker, journal, retries, STALL_KEEPALIVES * config.mqtt.keepalive_s)

    def _health_sources(self, publisher: Publisher, webhooks: Webhooks) -> HealthSources:
        clients, workers = self._clients, self._workers
        return HealthSources(
            calls=lambda: _calls_of(*clients),
            queues=lambda: {**publisher.lengths, "lookups": sum(map(len, workers))},
            accounts=self._accounts.describe,
            webhooks=webhooks.describe,
        )

    def _account(self, number: int, services: Services, sinks: Sequence[Sink]) -> BridgedAccount:
        client, timing = self._clients[number], self._timing
        own, clock = client.config, self._clock
        access = AccountAccess(
            self._workers[number],
            Lookups(clock),
            partial(self._open_feed, client, feed_settings(own, timing)),
            client.closing,
            Budgets.of(own.state_dir, own.sense.command_calls_per_hour, clock),
            partial(_calls_of, client),
        )
        retries = partial(Retries, timing.scheduler, self._random.uniform)
        scheduler = Scheduler(services.jobs, JobIntervals(timing.polled_timeline_s), retries)
        monitor = MonitorSettings(policy_of(own), _stale_after_s(own), timing.timeline_lag_s)
        is_only_one = len(self._config.accounts) <= 1
        settings = AccountOptions(number, frozenset(own.sense.monitors), monitor, client.name, is_only_one)
        return BridgedAccount(access, scheduler, settings, services, self._served, sinks)

    def _open_feed(self, client: SenseClient, settings: FeedSettings, monitor: int) -> RunningFeed:
        return self._factories.feed(monitor, client.session, settings, loop=self._feed_loop, random=self._random)


def _calls_of(*clients: SenseClient) -> dict[str, int]:
    return {
        "rest_last_hour": sum(client.api.calls_last_hour for client in clients),
        "logins_last_hour": sum(client.session.logins_last_hour for client in clients),
    }


def topics_of(config: Config) -> Topics:
    """Return the names of all topics."""
    return Topics(config.mqtt.base_topic, config.home_assistant.prefix, f"bridge{config.shard.suffix}")


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
