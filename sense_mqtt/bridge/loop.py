"""The loop: takes items from the inbox, one by one, and hands each to its handler. Decides nothing."""

import logging
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sense_mqtt.bridge.accounts import Accounts
from sense_mqtt.bridge.broker_handler import BrokerHandler
from sense_mqtt.bridge.gap_buffer import FeedItem
from sense_mqtt.bridge.jobs import PublishHealth, ReadAccount, RepublishDiscovery
from sense_mqtt.bridge.monitor import Services
from sense_mqtt.bridge.request_handler import RequestHandler
from sense_mqtt.clock import Clock, Moment
from sense_mqtt.core.commands.responses import Command
from sense_mqtt.core.home.state import Policy
from sense_mqtt.core.publishing.message import Message, PublishOrder
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import (
    Acknowledged,
    AuthChanged,
    BrokerConnected,
    BrokerDropped,
    Crashed,
    FeedChanged,
    FeedEnded,
    FeedLimited,
    FeedOpened,
    FrameArrived,
    Item,
    LookupDone,
    MessageArrived,
    PostDone,
    Reload,
    Stop,
    UpdatePolled,
)
from sense_mqtt.recording.notes import Note, PolicySet

logger = logging.getLogger(__name__)

TICK_S = 1.0
HEALTH_EVERY_S = 60.0
ONLINE_TIMEOUT_S = 5.0  # Sense may take so long to tell the monitors; after that the bridge is `online` without them
LAST_MESSAGES_S = 2.0  # for the broker to acknowledge the last messages


class Bridge:
    """Takes items out of the inbox. Everything it owns is touched by its own thread only."""

    def __init__(
        self,
        inbox: Inbox,
        services: Services,
        accounts: Accounts,
        request_handler: RequestHandler,
        broker_handler: BrokerHandler,
        clock: Clock,
        tick_s: float = TICK_S,
    ) -> None:
        self._inbox = inbox
        self.services = services
        self.accounts = accounts
        self._request_handler = request_handler
        self._broker_handler = broker_handler
        self._clock = clock
        self._tick_s = tick_s
        self._frames = accounts.served.frames
        self._publisher = services.publisher
        self._guard = services.guard
        self._next_tick = 0.0
        self._unread = {account.settings.number for account in accounts.each}  # accounts that Sense has not told of yet
        self._online_at = math.inf  # monotonic, at the latest; infinite before the start, and once it was published
        self._exit: Stop | None = None
        self._handlers = self._make_handlers()
        self._periodic_tasks = self._make_periodic_tasks()

    def _make_handlers(self) -> Mapping[type, Callable[[Any, Moment], None]]:
        return {
            FrameArrived: self._on_feed_item,
            UpdatePolled: self._on_feed_item,
            FeedEnded: self._on_feed_item,
            FeedOpened: self._on_feed_opened,
            FeedChanged: lambda item, now: self.accounts.frames(item.monitor).monitor.on_feed_changed(item, now),
            FeedLimited: lambda item, now: self.accounts.frames(item.monitor).monitor.on_feed_limited(item, now),
            AuthChanged: lambda item, now: self.accounts.each[item.account].on_auth_changed(item, now),
            LookupDone: self._on_lookup_done,
            PostDone: self.services.webhooks.on_done,
            BrokerConnected: self._broker_handler.on_connected,
            BrokerDropped: self._broker_handler.on_dropped,
            Acknowledged: self._broker_handler.on_acknowledged,
            MessageArrived: self._broker_handler.on_message,
            Stop: self._on_stop,
            Reload: self._on_reload,
            Crashed: self._on_crash,
        }

    def _make_periodic_tasks(self) -> dict[str, Callable[[Moment], None]]:
        return {
            "the broker connection": self._publisher.maintain,
            "the periodic jobs": self._begin_due,
            "the removal of topics": self.services.discovery.maintain,
            "what others publish of this bridge": self._broker_handler.presence.maintain,
            "the requests": self._request_handler.count_unanswered,
        }

    def add_periodic_task(self, what: str, task: Callable[[Moment], None]) -> None:
        """Do this each second too; `what` is its name in the log."""
        self._periodic_tasks[what] = task

    def on_reload(self, reload: Callable[[Reload, Moment], None]) -> None:
        """Do this where the configuration is to be read again."""
        self._handlers = {**self._handlers, Reload: reload}

    def set_policy(self, policy: Policy, config: Mapping[str, Any], now: Moment) -> None:
        """Go on with another configuration of homes; `config` is what of all of it may be published."""
        for monitor in self.accounts.served.monitors:
            self.services.recorder.note(Note(now, monitor, PolicySet(config=config)))
        self.accounts.set_policy(policy, now)
        self.services.status.set_config(config, now)

    def describe(self) -> str:
        """Return in one line how the bridge is doing: broker, login, and how the frames of each monitor come."""
        broker = "connected to the broker" if self._publisher.connected else "no connection to the broker"
        return f"{broker}; {self.services.status.describe()}"

    def run(self) -> int:
        """Run until a Stop or a Crashed arrives; return the exit code."""
        self.begin()
        self.step(None)  # broker and Sense are asked at once
        while self._exit is None:
            self.step(self._inbox.get(self._tick_s))
        self.end()
        return self._exit.exit_code

    def begin(self) -> None:
        """Publish what can be published before anything happened."""
        now = self._clock.now()
        self._online_at = now.monotonic + ONLINE_TIMEOUT_S
        self.services.discovery.begin()
        self.services.status.begin(now)
        for account in self.accounts.each:
            account.open(now)
        self.services.jobs.put(PublishHealth(), now.monotonic + HEALTH_EVERY_S)

    def step(self, item: Item | None) -> None:
        """Handle one item and the acknowledgements that wait, do what is due each second, and send what may go out."""
        now = self._clock.now()
        if item is not None:
            self._handle(item, now)
        for acknowledged in self._inbox.take_acknowledged():
            self._handle(acknowledged, now)
        if now.monotonic >= self._next_tick:
            self._next_tick = now.monotonic + self._tick_s
            self._tick(now)
        self._guard.attempt("what waits for the broker", self._publisher.flush, now)
        self.services.webhooks.flush(now)

    def _handle(self, item: Item, now: Moment) -> None:
        self._guard.attempt(type(item).__name__, self._handlers[type(item)], item, now)

    def _tick(self, now: Moment) -> None:
        if now.monotonic >= self._online_at:
            self._publish_online()
        for what, task in self._periodic_tasks.items():
            self._guard.attempt(what, task, now)
        if self._inbox.holds_only_messages:  # else what waits may be a frame that shows otherwise
            for monitor in self.services.ticks.take(now.monotonic):
                self._guard.attempt("Tick", self.accounts.frames(monitor).tick, now)
        self._guard.attempt("the states of the feeds", self.services.status.maintain, now)

    def _begin_due(self, now: Moment) -> None:
        due: Iterable[Any] = self.services.jobs.take(now.monotonic)
        for job in due:
            match job:
                case PublishHealth():
                    self.services.jobs.put(job, now.monotonic + HEALTH_EVERY_S)
                    self.services.status.publish(now)
                case RepublishDiscovery():
                    self.services.discovery.announce_all()
                    self._publisher.republish_all()
                case _:
                    self.accounts.of_job(job).begin(job, now)

    # --- the monitors

    def _on_feed_item(self, item: FeedItem, now: Moment) -> None:
        self._frames[item.monitor].handle(item, now)

    def _on_feed_opened(self, item: FeedOpened, now: Moment) -> None:
        if self.accounts.frames(item.monitor).on_feed_opened(item, now):
            self._begin_due(now)  # frames wait: the timeline is read at once

    # --- responses of Sense

    def _on_lookup_done(self, item: LookupDone, now: Moment) -> None:
        ticket: Any = item.ticket
        if isinstance(ticket, Command):
            self._request_handler.on_lookup_done(ticket, item.result, now)
        else:
            self.accounts.of_job(ticket).on_lookup_done(ticket, item.result, now)
        if isinstance(ticket, ReadAccount):  # the monitors are published, or it takes a while
            self._unread.discard(ticket.account)
            if not self._unread:
                self._publish_online()

    def _publish_online(self) -> None:
        """Publish `online`, last of all that is known at the start."""
        if self._online_at < math.inf:
            self._online_at = math.inf
            self._publisher.enqueue_retained([self._state("online")])

    # --- the process

    def _on_stop(self, item: Stop, _now: Moment) -> None:
        logger.info("stopping: %s", item.reason)
        self._exit = item

    def _on_reload(self, _item: Reload, _now: Moment) -> None:
        logger.warning("there is no configuration file to be read again")

    def _on_crash(self, item: Crashed, _now: Moment) -> None:
        logger.error("thread %s died: %s", item.thread, item.error)
        self._exit = Stop("a thread died", exit_code=1)

    def end(self) -> None:
        """Stop the feeds, answer open requests, and publish `offline` while the broker is connected."""
        for account in self.accounts.each:
            self._guard.attempt("the feeds and the REST worker", account.close)
            self._guard.attempt("what is known of the homes", account.store, self._clock.now())
        self.services.webhooks.close(self._clock.now())
        self._publisher.enqueue_retained([*self.services.discovery.offline_messages(), self._state("offline")])
        self._drain(self._clock.now().monotonic + LAST_MESSAGES_S)
        self._guard.attempt("the broker connection", self._publisher.close)

    def _drain(self, until: float) -> None:
        """Answer open requests, and wait for the broker to acknowledge the last messages while it is connected."""
        while self._publisher.connected and (now := self._clock.now()).monotonic < until:
            self._guard.attempt("what waits for the broker", self._publisher.flush, now)
            if self._publisher.idle and not len(self._inbox):
                return
            match self._inbox.get(until - now.monotonic):
                case None:
                    return
                case Acknowledged() | BrokerDropped() | MessageArrived() | LookupDone(ticket=Command()) as item:
                    self._handle(item, now)

    def _state(self, payload: str) -> Message:
        return Message(self.services.topics.bridge("state"), payload, retain=True, order=PublishOrder.BRIDGE_STATE)
