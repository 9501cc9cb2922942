"""What the feed of one monitor delivers: it waits where the timeline of a gap comes first, is decoded, is observed."""

import logging
from typing import Protocol

from sense_mqtt.bridge.gap_buffer import FeedItem, GapBuffer
from sense_mqtt.bridge.monitor import BridgedMonitor, ObserveResult, Services
from sense_mqtt.clock import Moment
from sense_mqtt.core.home.state import Interrupted
from sense_mqtt.core.observe import Seen
from sense_mqtt.core.wire.decode import decode
from sense_mqtt.core.wire.frames import DataChange, FeedError, Frame, RealtimeUpdate, UnknownFrame, read_update
from sense_mqtt.errors import BadFrame
from sense_mqtt.items import FeedEnded, FeedOpened, FrameArrived, UpdatePolled
from sense_mqtt.logs.repeat_log import RepeatLog
from sense_mqtt.recording.notes import Note, Polled

logger = logging.getLogger(__name__)


class MonitorJobs(Protocol):
    """What frames may ask of the monitor's account."""

    def plan_queries(self, monitor: int, now: Moment) -> None: ...
    def read_devices_soon(self, monitor: int, now: Moment, wait_s: float = ...) -> None: ...
    def read_gap_timeline(self, monitor: int, now: Moment) -> bool: ...
    def plan_timeline(self, monitor: int, now: Moment) -> None: ...
    def close_gap_at(self, monitor: int, at: float) -> None: ...


class FrameHandler:
    """Handles the items of one feed. For the bridge's thread only."""

    def __init__(self, monitor: BridgedMonitor, jobs: MonitorJobs, services: Services) -> None:
        self.monitor = monitor
        self._id = monitor.info.id
        self._jobs = jobs
        self._services = services
        self._gap_buffer = GapBuffer()
        self._log = RepeatLog(logger)
        self._has_frames = False

    def on_feed_opened(self, item: FeedOpened, now: Moment) -> bool:
        """Note that frames come; True where they wait for the timeline of the gap before them."""
        first = self.monitor.on_feed_opened(item, now)
        # Polls and snapshots leave a gap each time: for them the timeline is read every few minutes.
        if (first or item.transport == "stream") and self._jobs.read_gap_timeline(self._id, now):
            self._gap_buffer.open(now)
            self._jobs.close_gap_at(self._id, self._gap_buffer.until)
            logger.debug("monitor %d: frames wait until the timeline of the gap is read", self._id)
            return True
        return False

    def handle(self, item: FeedItem, now: Moment) -> None:
        """Handle an item now, or as soon as the timeline of the gap before it was read."""
        if not (self._gap_buffer.is_open and self._wait(item, now)):
            self._handle(item, now)

    def _wait(self, item: FeedItem, now: Moment) -> bool:
        if not self._gap_buffer.buffer(item, now):
            self.close_gap()  # a full buffer: its items come first
            return False
        if self._gap_buffer.is_full:
            self._jobs.close_gap_at(self._id, now.monotonic)
        return True

    def close_gap(self) -> None:
        """Handle what waited, as of when it came; one item that fails takes no other with it."""
        waiting = self._gap_buffer.close()
        if waiting:
            logger.debug("monitor %d: %d items waited for the timeline and are handled now", self._id, len(waiting))
        for item, then in waiting:
            self._services.guard.attempt(type(item).__name__, self._handle, item, then)

    def close_overdue_gap(self, now: Moment) -> None:
        """Give up waiting for the timeline, if that is due."""
        if now.monotonic >= self._gap_buffer.until or self._gap_buffer.is_full:
            logger.debug("monitor %d: the timeline of the gap does not come in time", self._id)
            self.close_gap()

    def tick(self, now: Moment) -> None:
        """Observe that time went by and no frame waits, where that is due."""
        if (result := self.monitor.tick(now)) is not None:
            self._follow_up(result, now)
            self._jobs.plan_queries(self._id, now)

    def _handle(self, item: FeedItem, now: Moment) -> None:
        if isinstance(item, FeedEnded):
            logger.debug("the feed of monitor %s ended: %s", self._id, item.reason)
            self._observe(Interrupted(), now)
            return
        try:
            if isinstance(item, FrameArrived):
                frame = self._read_arrived(item, now)
            else:
                now = item.answered  # handled as of then: it may have waited
                frame = self._read_polled(item)
        except BadFrame as error:
            self._services.status.counters.bad_frames += 1
            text = "the feed of monitor %d sent %s; skipped, repeats are only counted"
            self._log.log(("bad frame", error.kind), text, self._id, error)
            return
        self._services.status.counters.frames += 1
        if isinstance(frame, RealtimeUpdate):
            self._observe_update(frame, now)
        else:
            self._handle_other_frame(frame, now)

    def _read_arrived(self, item: FrameArrived, now: Moment) -> Frame:
        self._services.recorder.note(Note(now, self._id, item))
        return decode(item.raw, self.monitor.home.known_ids)

    def _read_polled(self, item: UpdatePolled) -> Frame:
        took_s = _took_s(item.asked, item.answered)
        self._services.recorder.note(Note(item.answered, self._id, Polled(item.payload, took_s)))
        return read_update(item.payload, took_s=took_s, known=self.monitor.home.known_ids)

    def _handle_other_frame(self, frame: Frame, now: Moment) -> None:
        match frame:
            case UnknownFrame(kind):
                logger.debug("a message of unknown type %s", kind)
            case FeedError(_, reason):
                text = "Sense reports an error on the feed of monitor %d: %s"
                told = reason or "an error without a reason"
                self._log.log("error", text, self._id, told, reason=told)
            case DataChange():
                if self.monitor.is_new_checksum(frame.device_data_checksum):
                    self._jobs.read_devices_soon(self._id, now)
                self._observe(frame, now)
            case _:
                self._observe(frame, now)

    def _observe(self, seen: Seen, now: Moment) -> None:
        self._follow_up(self.monitor.observe(seen, now), now)

    def _follow_up(self, result: ObserveResult, now: Moment) -> None:
        if result.needs_list:
            self._jobs.read_devices_soon(self._id, now, 0.0)
        elif result.has_new_device:
            self._jobs.read_devices_soon(self._id, now)

    def _observe_update(self, update: RealtimeUpdate, now: Moment) -> None:
        self._observe(update, now)
        if not self._has_frames:
            self._has_frames = True
            transport, shown = self.monitor.feed_state, len(update.devices)
            logger.info("monitor %d: frames come (%s), the first shows %d devices", self._id, transport, shown)
        # If we read too slowly, Sense drops frames and pushes, and edges may be missing; no item tells of such a gap.
        # Polls and snapshots leave a gap each time, and the timeline is read every few minutes anyway.
        if not self.monitor.home.coverage.is_continuous and not self.monitor.may_miss_edges:
            logger.debug("monitor %d: a gap in the stream, so the timeline is read later", self._id)
            self._jobs.plan_timeline(self._id, now)


def _took_s(asked: Moment, answered: Moment) -> float:
    # While a host sleeps, its monotonic clock may stand still; when its wall clock is set, that may go backwards.
    return max(answered.wall - asked.wall, answered.monotonic - asked.monotonic)
