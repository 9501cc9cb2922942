"""What the feeds bring: it waits where the timeline of a gap comes first, is decoded, and is shown to its house."""

import logging
from collections.abc import Callable, Container

from sense_mqtt.bridge.error_guard import ErrorGuard
from sense_mqtt.bridge.gap_buffer import GapBuffer, Waiting
from sense_mqtt.bridge.health import Counters
from sense_mqtt.bridge.homes import Homes
from sense_mqtt.bridge.scheduler import Scheduler
from sense_mqtt.bridge.status import Status
from sense_mqtt.clock import Moment
from sense_mqtt.core.home.state import Interrupted, Tick
from sense_mqtt.core.observe import Seen
from sense_mqtt.core.wire.frames import DataChange, FeedError, Frame, RealtimeUpdate, UnknownFrame, decode, read_update
from sense_mqtt.errors import BadFrame
from sense_mqtt.items import FeedEnded, FeedOpened, FrameArrived, UpdatePolled
from sense_mqtt.repeat_log import RepeatLog

logger = logging.getLogger(__name__)


class FrameHandler:
    """Owns what waits in gaps. For the bridge's thread only."""

    def __init__(
        self, *, homes: Homes, scheduler: Scheduler, status: Status, counters: Counters, guard: ErrorGuard
    ) -> None:
        self._homes = homes
        self._scheduler = scheduler
        self._status = status
        self._counters = counters
        self._guard = guard
        self._gap_buffer = GapBuffer()
        self._log = RepeatLog(logger)

    def on_feed_opened(self, item: FeedOpened, now: Moment) -> None:
        first = self._status.on_feed_opened(item, now)
        # Polls and snapshots leave a gap each time: for them the timeline is read every few minutes.
        if (first or item.transport == "stream") and self._scheduler.begin_gap_timeline(item.monitor, now):
            self._gap_buffer.open(item.monitor, now)
            logger.debug("monitor %d: frames wait until the timeline of the gap is read", item.monitor)

    def handle(self, item: Waiting, now: Moment) -> None:
        """Take in an item now, or as soon as the timeline of the gap before it was read."""
        if self._gap_buffer.buffer(item, now):
            return
        self.close_gap(item.monitor)  # too much waits: it goes first
        self._handle(item, now)

    def close_gap(self, monitor: int) -> None:
        """Take in what waited, as of when it came; one item that fails takes no other with it."""
        waiting = self._gap_buffer.close(monitor)
        if waiting:
            logger.debug("monitor %d: %d items that waited for the timeline are taken in", monitor, len(waiting))
        for item, then in waiting:
            self._guard.attempt(type(item).__name__, self._handle, item, then)

    def close_overdue_gaps(self, now: Moment) -> None:
        for monitor in self._gap_buffer.overdue(now):
            logger.debug("monitor %d: the timeline of the gap does not come in time", monitor)
            self.close_gap(monitor)

    def tick(self, now: Moment) -> None:
        """A second went by and nothing waits in the inbox."""
        for monitor in self._homes.monitors:
            self._guard.attempt("Tick", self._observe, monitor, Tick(), now)

    def _handle(self, item: Waiting, now: Moment) -> None:
        match item:
            case FrameArrived(monitor, raw):
                self._on_update(monitor, lambda known: decode(raw, known), now)
            case UpdatePolled(monitor, payload, asked):
                took_s = _took_s(asked, now)
                self._on_update(monitor, lambda known: read_update(payload, took_s=took_s, known=known), now)
            case FeedEnded(monitor, reason):
                logger.debug("the feed of monitor %s ended: %s", monitor, reason)
                self._observe(monitor, Interrupted(), now)

    def _on_update(self, monitor: int, read: Callable[[Container[str]], Frame], now: Moment) -> None:
        try:
            frame = read(self._homes.home(monitor).devices)
        except BadFrame as error:
            self._count_bad_frame(error)
            return
        self._counters.frames += 1
        match frame:
            case UnknownFrame(kind):
                logger.debug("a message of unknown type %s", kind)
            case FeedError(_, reason):
                self._note_error(monitor, reason or "an error without a reason")
            case DataChange():
                self._scheduler.on_data_change(monitor, frame, now)
            case _:
                self._observe(monitor, frame, now)

    def _note_error(self, monitor: int, reason: str) -> None:
        text = "Sense reports an error on the feed of monitor %d: %s"
        self._log.log(("error", monitor), text, monitor, reason, reason=reason)

    def _count_bad_frame(self, error: BadFrame) -> None:
        self._counters.bad_frames += 1
        self._log.log(("bad frame", error.kind), "the feed sent %s; skipped, repeats are only counted", error)

    def _observe(self, monitor: int, seen: Seen, now: Moment) -> None:
        result = self._homes.observe(monitor, seen, now)
        self._counters.events += result.events
        if result.has_new_device:
            self._scheduler.read_devices_soon(monitor, now)
        if isinstance(seen, RealtimeUpdate):
            self._read_timeline_after_gap(monitor, now)

    def _read_timeline_after_gap(self, monitor: int, now: Moment) -> None:
        # Sense leaves frames out, and pushes too, where we read too slowly: nobody tells of the end of anything then.
        # Who polls or takes snapshots leaves a hole each time, and reads the timeline every few minutes anyway.
        home = self._homes.home(monitor)
        if not home.coverage.is_continuous and not self._status.may_miss_edges(
            monitor, gap=home.coverage.is_interrupted
        ):
            logger.debug("monitor %d: a hole in the stream, so the timeline is read later", monitor)
            self._scheduler.plan_timeline(monitor, now)


def _took_s(asked: Moment, now: Moment) -> float:
    # While a host sleeps, its monotonic clock may stand still; when its wall clock is set, that may go backwards.
    return max(now.wall - asked.wall, now.monotonic - asked.monotonic)
