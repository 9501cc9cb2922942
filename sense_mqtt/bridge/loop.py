"""The loop: takes items out of the inbox, one after the other, and hands each to whom it concerns. Decides nothing."""

import logging
import math
import random
from collections.abc import Callable, Mapping
from typing import Any

from sense_mqtt.bridge.error_guard import Guard
from sense_mqtt.bridge.frame_handler import Intake
from sense_mqtt.bridge.health import Counters
from sense_mqtt.bridge.homes import Houses
from sense_mqtt.bridge.jobs import IntroduceAgain, ReadAccount, ReadTimeline
from sense_mqtt.bridge.presence import Presence
from sense_mqtt.bridge.publisher import Publisher
from sense_mqtt.bridge.request_handler import Reception
from sense_mqtt.bridge.scheduler import Schedules
from sense_mqtt.bridge.status import Status
from sense_mqtt.clock import Clock, Moment
from sense_mqtt.core.commands.replies import Command
from sense_mqtt.core.publishing.outbox import Message, Rank
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
ONLINE_AFTER_S = 5.0  # Sense may take as long to tell which houses there are; then the bridge is `online` without
FAREWELL_S = 2.0  # for the broker to acknowledge our last words
BIRTH_DELAY_MOST_S = 3.0  # Home Assistant asks for a random delay before an answer to its birth (facts page, 1.5)


class Bridge:
    """Joins feeds, houses, lookups and the broker. Everything it owns is touched by its own thread only."""

    def __init__(
        self,
        *,
        inbox: Inbox,
        publisher: Publisher,
        houses: Houses,
        intake: Intake,
        reception: Reception,
        schedules: Schedules,
        status: Status,
        counters: Counters,
        guard: Guard,
        topics: Topics,
        clock: Clock,
        dice: random.Random,
        tick_s: float = TICK_S,
    ) -> None:
        self._inbox = inbox
        self._publisher = publisher
        self._houses = houses
        self._intake = intake
        self._reception = reception
        self._schedules = schedules
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
        self._takers: Mapping[type, Callable[[Any, Moment], None]] = {
            FrameArrived: intake.take,
            UpdatePolled: intake.take,
            FeedEnded: intake.take,
            FeedOpened: intake.take_opened,
            FeedChanged: status.take_feed_changed,
            FeedLimited: status.take_feed_limited,
            AuthChanged: status.take_auth,
            LookupDone: self._take_done,
            BrokerConnected: self._take_connected,
            BrokerDropped: self._take_dropped,
            Acknowledged: self._take_acknowledged,
            MessageArrived: self._take_message,
            Stop: self._take_stop,
            Crashed: self._take_crash,
        }
        self._presence = Presence(publisher)
        self._duties: dict[str, Callable[[Moment], None]] = {
            "the broker connection": publisher.tend,
            "the schedules": schedules.begin_due,
            "what is taken back": self._houses.tend,
            "what others say of us": self._presence.tend,
            "the gaps": intake.end_overdue_gaps,
            "the requests": reception.tell_unanswered,
        }

    def add_duty(self, what: str, duty: Callable[[Moment], None]) -> None:
        """Do this each second too; `what` is its name in the log."""
        self._duties[what] = duty

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
        self._online_at = now.monotonic + ONLINE_AFTER_S
        self._houses.begin()
        self._status.begin(now)
        self._schedules.open(now)

    def step(self, item: Item | None) -> None:
        """Take one item, do what is due each second, and send what may go out."""
        now = self._clock.now()
        if item is not None:
            self._take(item, now)
        if now.monotonic >= self._next_tick:
            self._next_tick = now.monotonic + self._tick_s
            self._tick(now)
        self._guard.attempt("what waits for the broker", self._publisher.pump, now)

    def _take(self, item: Item, now: Moment) -> None:
        self._guard.attempt(type(item).__name__, self._takers[type(item)], item, now)

    def _tick(self, now: Moment) -> None:
        if now.monotonic >= self._online_at:
            self._come_online()
        for what, duty in self._duties.items():
            self._guard.attempt(what, duty, now)
        if self._inbox.holds_only_messages:  # what waits may be a frame that tells otherwise
            self._intake.tick(now)
        self._guard.attempt("how the feeds stand", self._status.tend, now)

    # --- what was asked of Sense

    def _take_done(self, item: LookupDone, now: Moment) -> None:
        if isinstance(item.ticket, Command):
            self._reception.take_done(item.ticket, item.result, now)
            return
        self._schedules.take_done(item.ticket, item.result, now)
        match item.ticket:
            case ReadTimeline(monitor, "gap"):
                self._intake.end_gap(monitor)
            case ReadAccount():  # the houses are introduced, or it takes a while
                self._come_online()

    def _come_online(self) -> None:
        """Say that the bridge is there: last of all that is known at the start (contract 1.3)."""
        if self._online_at < math.inf:
            self._online_at = math.inf
            self._publisher.say([self._state("online")])

    # --- the broker

    def _take_connected(self, item: BrokerConnected, now: Moment) -> None:
        if self._publisher.is_current(item.generation):
            self._counters.broker_connections += 1
            logger.debug("the broker took connection %d: %s", item.generation, item)
            self._status.tell(now)
            self._publisher.take_connected(item, now)

    def _take_dropped(self, item: BrokerDropped, now: Moment) -> None:
        if self._publisher.is_current(item.generation):
            self._publisher.take_dropped(item, now)

    def _take_acknowledged(self, item: Acknowledged, now: Moment) -> None:  # noqa: ARG002 - one shape for all takers
        if self._publisher.is_current(item.generation):
            self._publisher.take_acknowledged(item)

    def _take_message(self, item: MessageArrived, now: Moment) -> None:
        command = self._topics.command(item.topic)
        if command is None and item.topic.endswith("/event"):  # the broker has it, whichever connection says so
            self._publisher.take_echo(item.topic, item.payload.decode(errors="replace"))
        elif not self._publisher.is_current(item.generation):
            return
        elif command is not None:
            self._reception.take_request(command, item, now)
        elif item.topic == self._topics.birth and item.payload == b"online":
            self._schedules.put(IntroduceAgain(), now.monotonic + self._dice.uniform(0, BIRTH_DELAY_MOST_S))
        else:
            self._presence.hear(item.topic, item.payload.decode(errors="replace"))

    # --- the process

    def _take_stop(self, item: Stop, now: Moment) -> None:  # noqa: ARG002 - one shape for all takers
        logger.info("stopping: %s", item.reason)
        self._exit = item

    def _take_crash(self, item: Crashed, now: Moment) -> None:  # noqa: ARG002 - one shape for all takers
        logger.error("thread %s died: %s", item.thread, item.error)
        self._exit = Stop("a thread died", exit_code=1)

    def end(self) -> None:
        """Stop the feeds, answer what is open, and say good-bye as long as the broker listens."""
        self._guard.attempt("the feeds and the desk", self._schedules.close)
        self._publisher.say([*self._houses.farewell(), self._state("offline")])
        self._drain(self._clock.now().monotonic + FAREWELL_S)
        self._guard.attempt("the broker connection", self._publisher.close)

    def _drain(self, until: float) -> None:
        """Answer what was asked and wait for the broker to acknowledge our last words, as long as there is one."""
        while self._publisher.connected and (now := self._clock.now()).monotonic < until:
            self._guard.attempt("what waits for the broker", self._publisher.pump, now)
            if self._publisher.idle and not len(self._inbox):
                return
            match self._inbox.get(until - now.monotonic):
                case None:
                    return
                case Acknowledged() | BrokerDropped() | MessageArrived() | LookupDone(ticket=Command()) as item:
                    self._take(item, now)

    def _state(self, payload: str) -> Message:
        return Message(self._topics.bridge("state"), payload, retain=True, rank=Rank.BRIDGE_STATE)
