"""Everything that belongs to one monitor: what is known of its home, its feed, and what is published of both."""

import logging
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from msgspec import Struct
from msgspec.structs import replace

from sense_mqtt.bridge.debug_log import DebugLog
from sense_mqtt.bridge.discovery import Discovery
from sense_mqtt.bridge.error_guard import ErrorGuard
from sense_mqtt.bridge.gap_buffer import TimelineTimes
from sense_mqtt.bridge.jobs import RunQuery
from sense_mqtt.bridge.publisher import Publisher
from sense_mqtt.bridge.sinks import Sink
from sense_mqtt.bridge.status import Status
from sense_mqtt.bridge.tick_times import TickTimes
from sense_mqtt.bridge.webhooks import Webhooks
from sense_mqtt.clock import Moment
from sense_mqtt.core.bounds import MAX_DEVICES
from sense_mqtt.core.capabilities import all_queries
from sense_mqtt.core.capability import Query
from sense_mqtt.core.catch_up import catch_up
from sense_mqtt.core.changes import Change, DeviceChanged, Event
from sense_mqtt.core.home.inventory import list_again_s
from sense_mqtt.core.home.state import DevicesListed, Home, Interrupted, Policy, PolicyChanged, Tick
from sense_mqtt.core.job_queue import JobQueue
from sense_mqtt.core.observe import Seen, observe
from sense_mqtt.core.publishing.message import Message
from sense_mqtt.core.publishing.messages import HomeTopics, to_messages
from sense_mqtt.core.publishing.topics import Topics
from sense_mqtt.core.readings.throttle import device_readings
from sense_mqtt.core.stored_home import must_store, must_sync, snapshot, snapshot_progress, split_by_storing
from sense_mqtt.core.wire.devices import DeviceInfo
from sense_mqtt.core.wire.frames import RealtimeUpdate
from sense_mqtt.items import FeedChanged, FeedLimited, FeedOpened, Transport
from sense_mqtt.recording.notes import Note, PolicySet, Recorder
from sense_mqtt.sense.auth.tokens import Monitor

logger = logging.getLogger(__name__)

TIMELINE_LAG_S = 90.0  # items appear late: after a gap the timeline is read once more


class RunningFeed(Protocol):
    """What is needed of a feed."""

    @property
    def transport(self) -> Transport: ...
    def start(self) -> None: ...
    def begin_close(self) -> None: ...
    def close(self) -> None: ...
    def pause(self, seconds: float, *, silent: bool) -> None: ...
    def resume(self) -> None: ...


class Services(Struct, frozen=True):
    """What all monitors and accounts of the bridge share."""

    topics: Topics
    publisher: Publisher
    discovery: Discovery
    status: Status
    guard: ErrorGuard
    webhooks: Webhooks
    recorder: Recorder
    jobs: JobQueue  # of bridge/jobs.py, and when (monotonic) each is due
    ticks: JobQueue  # ids of monitors, and when (monotonic) each is to be looked at again


class MonitorSettings(Struct, frozen=True):
    """What is configured for a monitor."""

    policy: Policy
    stale_after_s: Mapping[Transport, float]  # the home is offline after so long without a frame
    timeline_lag_s: float  # items of Sense's timeline appear so late


class ObserveResult(Struct, frozen=True):
    """What one thing seen led to."""

    has_new_device: bool  # it showed a device that was not known
    needs_list: bool  # whether a device is new, only the list of devices can tell


NOTHING_NEW = ObserveResult(has_new_device=False, needs_list=False)


class BridgedMonitor:
    """Owns the state of one monitor. For the bridge's thread only."""

    def __init__(
        self,
        info: Monitor,
        home: Home,
        feed: RunningFeed,
        settings: MonitorSettings,
        services: Services,
        sinks: Sequence[Sink],
    ) -> None:
        self._sinks = sinks
        self.info = info
        self.home = home
        self.feed = feed
        self.timeline_times = TimelineTimes(settings.timeline_lag_s)
        self._transport = feed.transport
        self._is_opened = False  # the feed brought frames at least once
        self._policy = settings.policy
        self._stale_after_s = settings.stale_after_s
        self._services = services
        self._checksum: str | None = None  # of the list of devices
        self._debug_log = DebugLog()
        self._tick_times = TickTimes(info.id, services.ticks)

    # --- the home

    def observe(self, seen: Seen, now: Moment) -> ObserveResult:
        """Take in one thing seen, and publish what is new. Raises JournalError; then nothing was taken in."""
        before, services = self.home, self._services
        services.recorder.note(Note(now, before.monitor, seen))
        home, changes = observe(before, seen, now, self._policy)
        self._debug_log.note(before, home, seen, changes, now)
        if home.is_full and not before.is_full:
            logger.warning("monitor %s: more than %d devices; those beyond are left out", home.monitor, MAX_DEVICES)
        is_stored = must_store(before, home, changes)
        first, then = split_by_storing(changes) if is_stored else ((), changes)
        self._publish(home, first)
        if is_stored:
            self._store_changes(before, home, changes, now)
        self.home = home
        self._publish(home, then)
        self._tick_times.observed(now, is_plain=not is_stored and isinstance(seen, RealtimeUpdate))
        if home.online != before.online:
            services.status.check_feeds_soon()
        if not is_stored:
            return NOTHING_NEW
        changed = [change.device for change in changes if isinstance(change, DeviceChanged) and change.device]
        has_new_device = any(device not in before.devices for device in changed)
        needs_list = bool(home.identities.sightings) and not before.identities.sightings
        return ObserveResult(has_new_device, needs_list)

    def _store_changes(self, before: Home, home: Home, changes: Sequence[Change], now: Moment) -> None:
        if not must_sync(before, home, changes):
            self._services.publisher.record_progress(home.monitor, snapshot_progress(home, changes))
            return
        # What is retained does not wait for the milliseconds that this takes.
        self._services.guard.attempt("what waits for the broker", self._services.publisher.flush, now)
        events = [change for change in changes if isinstance(change, Event)]
        self._record(home, events, now)
        self._services.status.counters.events += len(events)

    def _record(self, home: Home, events: Sequence[Event], now: Moment) -> None:
        messages = self._messages_of(home, events)
        posts = self._services.webhooks.posts_of(messages, now)
        self._services.publisher.record(home.monitor, snapshot(home), messages, posts)
        self._services.webhooks.recorded(posts)

    def store(self, now: Moment) -> None:
        """Store what is known once no more frames come: also what changes with each, and waits for other changes."""
        self.observe(Interrupted(), now)
        self._services.publisher.record(self.home.monitor, snapshot(self.home), [])

    def take_list(self, rows: tuple[DeviceInfo, ...], now: Moment) -> float:
        """Take in the list of devices; return in how many seconds it is to be read again (s), as it lacks one."""
        self.observe(DevicesListed(rows), now)
        return list_again_s(self.home, now.monotonic)

    def set_policy(self, policy: Policy, now: Moment) -> None:
        """Go on with another configuration; how the feed is read stays."""
        self._policy = replace(policy, stale_after_s=self._policy.stale_after_s)
        self.observe(PolicyChanged(), now)

    def tick(self, now: Moment) -> ObserveResult | None:
        """Observe that time went by and no frame waits, where that is due; None where it is not."""
        if not self._tick_times.is_due(self.home, now, self._policy):
            return None
        result = self.observe(Tick(), now)
        self._tick_times.ticked(self.home, now, self._policy)
        return result

    def queries(self, now: Moment) -> dict[RunQuery, Query]:
        """Return what the capabilities need to read next."""
        found = all_queries(self.home, now, self._policy)
        return {RunQuery(self.info.id, capability, name): query for capability, name, query in found}

    def republish_devices(self) -> None:
        """Publish what is known of each device, also where nothing has changed."""
        _, changes = device_readings(catch_up(self.home), frozenset(self.home.devices), anyway=True)
        self._publish(self.home, changes)

    def is_new_checksum(self, checksum: str | None) -> bool:
        """Note the checksum of the list of devices; True where there was another one before."""
        before = self._checksum
        self._checksum = before if checksum is None else checksum
        return before not in (None, self._checksum)

    def _messages_of(self, home: Home, events: Sequence[Event]) -> tuple[Message, ...]:
        return to_messages(events, HomeTopics(self._services.topics, home.monitor, home.topic_ids))

    def _publish(self, home: Home, changes: Sequence[Change]) -> None:
        for sink in self._sinks if changes else ():  # most frames change nothing
            sink.publish(home, changes)

    # --- the feed

    @property
    def feed_state(self) -> Transport | Literal["offline"]:
        """How frames come; `offline` where none do and nobody has paused the feed."""
        return self._transport if self._transport == "paused" or self.home.online else "offline"

    @property
    def may_miss_edges(self) -> bool:
        """Edges may go unseen at present, and Sense may be asked about them."""
        match self._transport:
            case "stream":
                return self.home.coverage.is_interrupted
            case "paused":
                return not self.home.coverage.is_interrupted
            case _:
                return True

    def on_feed_opened(self, item: FeedOpened, now: Moment) -> bool:
        """Note that frames come; True where they do for the first time since the start."""
        is_first, self._is_opened = not self._is_opened, True
        if not is_first and item.transport == "stream":
            self._services.status.counters.reconnects += 1
        self._set_stale_after(item.transport, now)
        if self._transport != item.transport:
            self._transport = item.transport
            self._services.status.publish(now)
        return is_first

    def on_feed_changed(self, item: FeedChanged, now: Moment) -> None:
        before, self._transport = self._transport, item.transport
        if item.transport == "paused":  # until a poll brings a frame, the last one grows old as in a stream
            self._set_stale_after("stream", now)
        event_type = "paused" if item.transport == "paused" else "resumed" if before == "paused" else "feed_changed"
        status = self._services.status
        status.announce(event_type, now, monitor=item.monitor, feed=item.transport, reason=item.reason)
        status.publish(now)

    def on_feed_limited(self, item: FeedLimited, now: Moment) -> None:
        self._services.status.on_rate_limit(item.reason, item.retry_after_s, now)

    def _set_stale_after(self, transport: Transport, now: Moment) -> None:
        self._policy = replace(self._policy, stale_after_s=self._stale_after_s[transport])
        self._services.recorder.note(Note(now, self.info.id, PolicySet(self._policy.stale_after_s)))
        self._tick_times.hasten()  # it may be stale by now
