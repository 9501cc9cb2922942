"""The loop: takes items out of the inbox, one after the other, and hands each to whom it concerns. Decides nothing."""

import logging
import random
from collections.abc import Callable, Mapping
from typing import Any

from sense_mqtt.clock import Clock, Moment
from sense_mqtt.core.commands import Command
from sense_mqtt.core.frames import DataChange, FeedError, Frame, Unknown, decode, read_update
from sense_mqtt.core.home import Interrupted, Tick
from sense_mqtt.core.outgoing import Message, Rank
from sense_mqtt.core.topics import Topics
from sense_mqtt.errors import BadFrame
from sense_mqtt.gaps import Gaps, Waiting
from sense_mqtt.health import Counters
from sense_mqtt.houses import Houses
from sense_mqtt.inbox import (
    Acknowledged,
    AuthChanged,
    BrokerConnected,
    BrokerDropped,
    Crashed,
    FeedChanged,
    FeedEnded,
    FeedOpened,
    FrameArrived,
    Inbox,
    Item,
    LookupDone,
    MessageArrived,
    Stop,
    UpdatePolled,
)
from sense_mqtt.publisher import Publisher
from sense_mqtt.reception import Reception
from sense_mqtt.schedules import IntroduceAgain, ReadTimeline, Schedules
from sense_mqtt.standing import Standing

logger = logging.getLogger(__name__)

TICK_S = 1.0
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
        reception: Reception,
        schedules: Schedules,
        standing: Standing,
        counters: Counters,
        topics: Topics,
        clock: Clock,
        dice: random.Random,
    ) -> None:
        self._inbox = inbox
        self._publisher = publisher
        self._houses = houses
        self._reception = reception
        self._schedules = schedules
        self._standing = standing
        self._counters = counters
        self._topics = topics
        self._clock = clock
        self._dice = dice
        self._gaps = Gaps()
        self._next_tick = 0.0
        self._told: set[str] = set()  # kinds of bad frames and errors that were logged
        self._exit: Stop | None = None
        self._takers: Mapping[type, Callable[[Any, Moment], None]] = {
            FrameArrived: self._take_frame,
            UpdatePolled: self._take_poll,
            FeedOpened: self._take_opened,
            FeedEnded: self._take_ended,
            FeedChanged: self._standing.take_feed_changed,
            AuthChanged: self._standing.take_auth,
            LookupDone: self._take_done,
            BrokerConnected: self._take_connected,
            BrokerDropped: self._take_dropped,
            Acknowledged: self._take_acknowledged,
            MessageArrived: self._take_message,
            Stop: self._take_stop,
            Crashed: self._take_crash,
        }

    def run(self) -> int:
        """Run until a Stop or a Crashed arrives; return the exit code."""
        self._begin(self._clock.now())
        while self._exit is None:
            item = self._inbox.get(TICK_S)
            try:
                self._take(item, self._clock.now())
            except Exception as error:  # noqa: BLE001 - the one place: an item that cannot be dealt with ends nothing
                self._count_error(item, error)
        self._end()
        return self._exit.exit_code

    # --- one item

    def _take(self, item: Item | None, now: Moment) -> None:
        if item is not None:
            self._takers[type(item)](item, now)
        if now.monotonic >= self._next_tick:
            self._next_tick = now.monotonic + TICK_S
            self._tick(now)
        self._publisher.pump(now)

    def _tick(self, now: Moment) -> None:
        self._publisher.tend(now)
        self._schedules.begin_due(now)
        for monitor in self._gaps.overdue(now):
            self._end_gap(monitor, now)
        if not len(self._inbox):  # what waits may be a frame that tells otherwise
            for monitor in self._houses.monitors:
                self._observe(monitor, Tick(), now)

    def _count_error(self, item: Item | None, error: Exception) -> None:
        self._counters.errors += 1
        kind = f"{type(item).__name__} {type(error).__name__}: {error}"
        if kind not in self._told:
            self._told.add(kind)
            logger.error("%s could not be dealt with; it is passed over", type(item).__name__, exc_info=error)

    # --- the feed

    def _take_frame(self, item: FrameArrived, now: Moment) -> None:
        if not self._waits(item, now):
            self._take_update(item.monitor, lambda: decode(item.raw), now)

    def _take_poll(self, item: UpdatePolled, now: Moment) -> None:
        if not self._waits(item, now):
            self._take_update(item.monitor, lambda: read_update(item.payload), now)

    def _waits(self, item: Waiting, now: Moment) -> bool:
        if self._gaps.holds(item):
            return True
        self._end_gap(item.monitor, now)  # too much waits: it goes first
        return False

    def _end_gap(self, monitor: int, now: Moment) -> None:
        for item in self._gaps.close(monitor):
            self._takers[type(item)](item, now)

    def _take_update(self, monitor: int, read: Callable[[], Frame], now: Moment) -> None:
        try:
            frame = read()
        except BadFrame as error:
            self._count_bad_frame(error)
            return
        self._counters.frames += 1
        match frame:
            case Unknown(kind):
                logger.debug("a message of unknown type %s", kind)
            case FeedError(_, reason):
                logger.debug("the feed says: %s", reason)
            case DataChange():
                self._schedules.take_data_change(monitor, frame, now)
            case _:
                self._observe(monitor, frame, now)

    def _count_bad_frame(self, error: BadFrame) -> None:
        self._counters.bad_frames += 1
        if error.kind not in self._told:
            self._told.add(error.kind)
            logger.warning("the feed sent %s; passed over, and counted from now on", error)

    def _take_opened(self, item: FeedOpened, now: Moment) -> None:
        first = self._standing.take_opened(item)
        # Polls and snapshots leave a gap each time: for them the timeline is read every few minutes.
        if (first or item.rung == "stream") and self._schedules.read_timeline(item.monitor, now):
            self._gaps.open(item.monitor, now)

    def _take_ended(self, item: FeedEnded, now: Moment) -> None:
        if self._waits(item, now):
            return
        logger.debug("the feed of monitor %s ended: %s", item.monitor, item.reason)
        self._observe(item.monitor, Interrupted(), now)

    def _observe(self, monitor: int, seen: Any, now: Moment) -> None:
        news = self._houses.observe(monitor, seen, now)
        self._counters.events += news.events
        if news.stranger:
            self._schedules.list_soon(monitor, now)

    # --- what was asked of Sense

    def _take_done(self, item: LookupDone, now: Moment) -> None:
        if isinstance(item.ticket, Command):
            self._reception.take_done(item.ticket, item.result, now)
            return
        self._schedules.take_done(item.ticket, item.result, now)
        if isinstance(item.ticket, ReadTimeline) and item.ticket.why == "gap":
            self._end_gap(item.ticket.monitor, now)

    # --- the broker

    def _take_connected(self, item: BrokerConnected, now: Moment) -> None:
        if self._publisher.is_current(item.generation):
            self._counters.broker_connections += 1
            self._standing.tell(now)
            self._publisher.take_connected(item, now)

    def _take_dropped(self, item: BrokerDropped, now: Moment) -> None:
        if self._publisher.is_current(item.generation):
            self._publisher.take_dropped(item, now)

    def _take_acknowledged(self, item: Acknowledged, now: Moment) -> None:  # noqa: ARG002 - one shape for all takers
        if self._publisher.is_current(item.generation):
            self._publisher.take_acknowledged(item)

    def _take_message(self, item: MessageArrived, now: Moment) -> None:
        if not self._publisher.is_current(item.generation):
            return
        command = self._topics.command(item.topic)
        if command is not None:
            self._reception.take_request(command, item, now)
        elif item.topic.endswith("/event"):
            self._publisher.take_echo(item.topic, item.payload.decode(errors="replace"))
        elif item.topic == self._topics.birth and item.payload == b"online":
            self._schedules.put(IntroduceAgain(), now.monotonic + self._dice.uniform(0, BIRTH_DELAY_MOST_S))

    # --- the process

    def _take_stop(self, item: Stop, now: Moment) -> None:  # noqa: ARG002 - one shape for all takers
        logger.info("stopping: %s", item.reason)
        self._exit = item

    def _take_crash(self, item: Crashed, now: Moment) -> None:  # noqa: ARG002 - one shape for all takers
        logger.error("thread %s died: %s", item.thread, item.error)
        self._exit = Stop("a thread died", exit_code=1)

    def _begin(self, now: Moment) -> None:
        state = Message(self._topics.bridge("state"), "online", retain=True, rank=Rank.BRIDGE_STATE)
        self._publisher.say([state])
        self._standing.begin(now)
        self._schedules.open(now)

    def _end(self) -> None:
        self._schedules.close()
        offline = Message(self._topics.bridge("state"), "offline", retain=True, rank=Rank.BRIDGE_STATE)
        self._publisher.say([*self._houses.farewell(), offline])
        self._drain(self._clock.now().monotonic + FAREWELL_S)
        self._publisher.close()
        self._schedules.join()

    def _drain(self, until: float) -> None:
        """Wait for the broker to acknowledge our last words, as long as there is one."""
        while self._publisher.connected and (now := self._clock.now()).monotonic < until:
            self._publisher.pump(now)
            if self._publisher.idle:
                return
            item = self._inbox.get(until - now.monotonic)
            if isinstance(item, Acknowledged | BrokerDropped):
                self._takers[type(item)](item, now)
