"""The loop: takes items out of the inbox, one after the other, and hands each to whom it concerns. Decides nothing."""

import logging
import math
import random
from collections.abc import Callable, Mapping
from typing import Any

from sense_mqtt.bridge.error_guard import ErrorGuard
from sense_mqtt.bridge.frame_handler import FrameHandler
from sense_mqtt.bridge.health import Counters
from sense_mqtt.bridge.homes import Homes
from sense_mqtt.bridge.jobs import ReadAccount, ReadTimeline, RepublishDiscovery
from sense_mqtt.bridge.presence import Presence
from sense_mqtt.bridge.publisher import Publisher
from sense_mqtt.bridge.request_handler import RequestHandler
from sense_mqtt.bridge.scheduler import Scheduler
from sense_mqtt.bridge.status import Status
from sense_mqtt.clock import Clock, Moment
from sense_mqtt.core.commands.responses import Command
from sense_mqtt.core.publishing.outbox import Message, PublishOrder
from sense_mqtt.core.publishing.topics import Topics
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
    Stop,
    UpdatePolled,
)

logger = logging.getLogger(__name__)

TICK_S = 1.0
ONLINE_TIMEOUT_S = 5.0  # Sense may take as long to tell which houses there are; then the bridge is `online` without
LAST_MESSAGES_S = 2.0  # for the broker to acknowledge our last words
MAX_BIRTH_DELAY_S = 3.0  # Home Assistant asks for a random delay before an answer to its birth (facts page, 1.5)


class Bridge:
    """Joins feeds, houses, lookups and the broker. Everything it owns is touched by its own thread only."""

    def __init__(
        self,
        *,
        inbox: Inbox,
        publisher: Publisher,
        homes: Homes,
        frame_handler: FrameHandler,
        request_handler: RequestHandler,
        scheduler: Scheduler,
        status: Status,
        counters: Counters,
        guard: ErrorGuard,
        topics: Topics,
        clock: Clock,
        dice: random.Random,
        tick_s: float = TICK_S,
    ) -> None:
        self._inbox = inbox
        self._publisher = publisher
        self._homes = homes
        self._frame_handler = frame_handler
        self._request_handler = request_handler
        self._scheduler = scheduler
        self._status = status
        self._counters = counters
        self._guard = guard
        self._topics = topics
        self._clock = clock
        self._dice = dice
        self._tick_s = tick_s
        self._next_tick = 0.0
        self._online_at = math.inf  # monotonic, at the latest; infinite before the start, and once it was said
        self._exit: Stop | None = None
        self._handlers: Mapping[type, Callable[[Any, Moment], None]] = {
            FrameArrived: frame_handler.handle,
            UpdatePolled: frame_handler.handle,
            FeedEnded: frame_handler.handle,
            FeedOpened: frame_handler.on_feed_opened,
            FeedChanged: status.on_feed_changed,
            FeedLimited: status.on_feed_limited,
            AuthChanged: status.on_auth_changed,
            LookupDone: self._on_lookup_done,
            BrokerConnected: self._on_connected,
            BrokerDropped: self._on_dropped,
            Acknowledged: self._on_acknowledged,
            MessageArrived: self._on_message,
            Stop: self._on_stop,
            Crashed: self._on_crash,
        }
        self._presence = Presence(publisher)
        self._periodic_tasks: dict[str, Callable[[Moment], None]] = {
            "the broker connection": publisher.maintain,
            "the schedules": scheduler.begin_due,
            "what is taken back": self._homes.maintain,
            "what others say of us": self._presence.maintain,
            "the gaps": frame_handler.close_overdue_gaps,
            "the requests": request_handler.count_unanswered,
        }

    def add_periodic_task(self, what: str, task: Callable[[Moment], None]) -> None:
        """Do this each second too; `what` is its name in the log."""
        self._periodic_tasks[what] = task

    def run(self) -> int:
        """Run until a Stop or a Crashed arrives; return the exit code."""
        self.begin()
        self.step(None)  # broker and Sense are asked at once
        while self._exit is None:
            self.step(self._inbox.get(self._tick_s))
        self.end()
        return self._exit.exit_code

    def begin(self) -> None:
        """Say what can be said before anything happened."""
        now = self._clock.now()
        self._online_at = now.monotonic + ONLINE_TIMEOUT_S
        self._homes.begin()
        self._status.begin(now)
        self._scheduler.open(now)

    def step(self, item: Item | None) -> None:
        """Take one item, do what is due each second, and send what may go out."""
        now = self._clock.now()
        if item is not None:
            self._take(item, now)
        if now.monotonic >= self._next_tick:
            self._next_tick = now.monotonic + self._tick_s
            self._tick(now)
        self._guard.attempt("what waits for the broker", self._publisher.flush, now)

    def _take(self, item: Item, now: Moment) -> None:
        self._guard.attempt(type(item).__name__, self._handlers[type(item)], item, now)

    def _tick(self, now: Moment) -> None:
        if now.monotonic >= self._online_at:
            self._publish_online()
        for what, task in self._periodic_tasks.items():
            self._guard.attempt(what, task, now)
        if self._inbox.holds_only_messages:  # what waits may be a frame that tells otherwise
            self._frame_handler.tick(now)
        self._guard.attempt("how the feeds stand", self._status.maintain, now)

    # --- what was asked of Sense

    def _on_lookup_done(self, item: LookupDone, now: Moment) -> None:
        if isinstance(item.ticket, Command):
            self._request_handler.on_lookup_done(item.ticket, item.result, now)
            return
        self._scheduler.on_lookup_done(item.ticket, item.result, now)
        match item.ticket:
            case ReadTimeline(monitor, "gap"):
                self._frame_handler.close_gap(monitor)
            case ReadAccount():  # the houses are introduced, or it takes a while
                self._publish_online()

    def _publish_online(self) -> None:
        """Say that the bridge is there: last of all that is known at the start (contract 1.3)."""
        if self._online_at < math.inf:
            self._online_at = math.inf
            self._publisher.enqueue_retained([self._state("online")])

    # --- the broker

    def _on_connected(self, item: BrokerConnected, now: Moment) -> None:
        if self._publisher.is_current(item.connection_id):
            self._counters.broker_connections += 1
            logger.debug("the broker took connection %d: %s", item.connection_id, item)
            self._status.tell(now)
            self._publisher.on_connected(item, now)

    def _on_dropped(self, item: BrokerDropped, now: Moment) -> None:
        if self._publisher.is_current(item.connection_id):
            self._publisher.on_dropped(item, now)

    def _on_acknowledged(self, item: Acknowledged, now: Moment) -> None:  # noqa: ARG002 - one shape for all takers
        if self._publisher.is_current(item.connection_id):
            self._publisher.on_acknowledged(item)

    def _on_message(self, item: MessageArrived, now: Moment) -> None:
        command = self._topics.command(item.topic)
        if command is None and item.topic.endswith("/event"):  # the broker has it, whichever connection says so
            self._publisher.on_echo(item.topic, item.payload.decode(errors="replace"))
        elif not self._publisher.is_current(item.connection_id):
            return
        elif command is not None:
            self._request_handler.on_request(command, item, now)
        elif item.topic == self._topics.birth and item.payload == b"online":
            self._scheduler.put(RepublishDiscovery(), now.monotonic + self._dice.uniform(0, MAX_BIRTH_DELAY_S))
        else:
            self._presence.on_message(item.topic, item.payload.decode(errors="replace"))

    # --- the process

    def _on_stop(self, item: Stop, now: Moment) -> None:  # noqa: ARG002 - one shape for all takers
        logger.info("stopping: %s", item.reason)
        self._exit = item

    def _on_crash(self, item: Crashed, now: Moment) -> None:  # noqa: ARG002 - one shape for all takers
        logger.error("thread %s died: %s", item.thread, item.error)
        self._exit = Stop("a thread died", exit_code=1)

    def end(self) -> None:
        """Stop the feeds, answer what is open, and say good-bye as long as the broker listens."""
        self._guard.attempt("the feeds and the desk", self._scheduler.close)
        self._publisher.enqueue_retained([*self._homes.offline_messages(), self._state("offline")])
        self._drain(self._clock.now().monotonic + LAST_MESSAGES_S)
        self._guard.attempt("the broker connection", self._publisher.close)

    def _drain(self, until: float) -> None:
        """Answer what was asked and wait for the broker to acknowledge our last words, as long as there is one."""
        while self._publisher.connected and (now := self._clock.now()).monotonic < until:
            self._guard.attempt("what waits for the broker", self._publisher.flush, now)
            if self._publisher.idle and not len(self._inbox):
                return
            match self._inbox.get(until - now.monotonic):
                case None:
                    return
                case Acknowledged() | BrokerDropped() | MessageArrived() | LookupDone(ticket=Command()) as item:
                    self._take(item, now)

    def _state(self, payload: str) -> Message:
        return Message(self._topics.bridge("state"), payload, retain=True, order=PublishOrder.BRIDGE_STATE)
