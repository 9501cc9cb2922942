"""When what is done without being asked: account, list of devices, energy, timeline, health."""

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

from sense_mqtt.bridge.gap_buffer import TimelineTimes
from sense_mqtt.bridge.homes import Homes, choose_monitors
from sense_mqtt.bridge.jobs import (
    LIST_EVERY_S,
    NAMES,
    Job,
    JobIntervals,
    PublishHealth,
    ReadAccount,
    ReadDevices,
    ReadEnergy,
    ReadStatus,
    ReadTimeline,
    RepublishDiscovery,
    RunningFeed,
    log_missing_monitors,
    related_jobs,
)
from sense_mqtt.bridge.publisher import Publisher
from sense_mqtt.bridge.status import Status
from sense_mqtt.clock import Moment
from sense_mqtt.core.backoff import Retries
from sense_mqtt.core.edges import Edge
from sense_mqtt.core.energy.periods import Energy
from sense_mqtt.core.home.state import DevicesListed, EnergyRead
from sense_mqtt.core.home.timeline_events import TimelineRead
from sense_mqtt.core.job_queue import JobQueue
from sense_mqtt.core.readings.entities import SCALES
from sense_mqtt.core.wire.devices import read_device_list
from sense_mqtt.core.wire.frames import DataChange
from sense_mqtt.core.wire.monitor_status import read_firmware
from sense_mqtt.errors import LoginRefused, RateLimited, SenseMqttError
from sense_mqtt.repeat_log import RepeatLog
from sense_mqtt.rest_queries.lookups import Lookups
from sense_mqtt.rest_queries.worker import RestWorker
from sense_mqtt.sense.auth.tokens import Account, Monitor

logger = logging.getLogger(__name__)

LIST_SOON_S = 5.0  # several changes in a row are read once
HEALTH_EVERY_S = 60.0
POLLED_TIMELINE_S = 180.0  # the timeline, while no stream shows each edge
TIMELINE_LAG_S = 90.0  # items show late: after a gap the timeline is read once more
TIMELINE_MARGIN_S = 60.0  # its clock and the frames' differ
SPREAD_S = 10.0  # after the start, between the first readings of energy


class Scheduler:
    """Owns what is due when, the feeds, and the monitors of the account. For the bridge's thread only."""

    def __init__(
        self,
        *,
        worker: RestWorker,
        lookups: Lookups,
        homes: Homes,
        status: Status,
        publisher: Publisher,
        open_feed: Callable[[int], RunningFeed],
        make_retries: Callable[[], Retries],
        wanted: Iterable[int],
        intervals: JobIntervals,
        timeline_lag_s: float,
        closing: threading.Event,
    ) -> None:
        self._worker = worker
        self._lookups = lookups
        self._homes = homes
        self._status = status
        self._publisher = publisher
        self._open_feed = open_feed
        self._make_retries = make_retries
        self._log = RepeatLog(logger)
        self._wanted = frozenset(wanted)
        self._intervals = intervals
        self._timeline_times = TimelineTimes(timeline_lag_s)
        self._closing = closing
        self._job_queue = JobQueue()
        self._retries: dict[tuple[Job, ...], Retries] = {}  # of jobs that fail together
        self._checksums: dict[int, str] = {}
        self.feeds: dict[int, RunningFeed] = {}
        self.monitors: dict[int, Monitor] = {}
        self.knows_account = False  # Sense told which monitors there are

    def open(self, now: Moment) -> None:
        """Begin: the account is read first, all else follows from it."""
        self._worker.start()
        self.put(ReadAccount(), now.monotonic)
        self.put(PublishHealth(), now.monotonic + HEALTH_EVERY_S)

    def put(self, job: Job, at: float) -> None:
        """Set when (monotonic) a job is due."""
        self._job_queue.put(job, at)

    def begin_due(self, now: Moment) -> None:
        """Begin every job whose time has come."""
        for job in self._job_queue.take(now.monotonic):
            match job:
                case ReadAccount():
                    self._worker.submit_job(job, self._lookups.account(self._wanted, again=self.knows_account))
                case ReadDevices(monitor):
                    self._worker.submit_job(job, self._lookups.prepare("devices", self.monitors[monitor], {}))
                case ReadStatus(monitor):
                    self._worker.submit_job(job, self._lookups.prepare("status", self.monitors[monitor], {}))
                case ReadEnergy(monitor, scale):
                    self._worker.submit_job(job, self._lookups.energy(self.monitors[monitor], scale.upper()))
                case ReadTimeline():
                    self._begin_timeline(job, now)
                case PublishHealth():
                    self.put(job, now.monotonic + HEALTH_EVERY_S)
                    self._status.tell(now)
                case RepublishDiscovery():
                    self._homes.announce_all()
                    self._publisher.republish_all()

    def on_lookup_done(self, job: Any, result: Any, now: Moment) -> None:
        """Take in what a job brought, or when to try it again."""
        if isinstance(result, SenseMqttError):
            self._postpone(job, result, now)
            return
        try:
            self._take_in(job, result, now)
        except SenseMqttError as error:  # of the journal: nothing is lost as long as Sense is asked again
            self._postpone(job, error, now)
            return
        self._retries.pop(related_jobs(job), None)
        self._log.reset(related_jobs(job))

    def _take_in(self, job: Any, result: Any, now: Moment) -> None:
        match job:
            case ReadAccount():
                self._on_account(result, now)
            case ReadDevices(monitor):
                self.on_devices(monitor, result, now)
            case ReadStatus(monitor):
                self._repeat(job, now)
                self._homes.on_firmware(monitor, read_firmware(result))
            case ReadEnergy(monitor, _):
                self.on_energy(monitor, result, now)
            case ReadTimeline():
                self._on_timeline(job, result, now)

    def on_devices(self, monitor: int, answer: Any, now: Moment) -> None:
        """Take in the list of devices, as REST gives it."""
        self._repeat(ReadDevices(monitor), now)
        self._homes.observe(monitor, DevicesListed(read_device_list(answer)), now)

    def on_energy(self, monitor: int, energy: Energy, now: Moment) -> None:
        """Take in the energy of one period."""
        self._repeat(ReadEnergy(monitor, energy.scale.lower()), now)
        self._homes.observe(monitor, EnergyRead(energy), now)

    def _repeat(self, job: Job, now: Moment) -> None:
        self.put(job, now.monotonic + self._intervals.interval_s(job))

    def on_data_change(self, monitor: int, change: DataChange, now: Moment) -> None:
        """Read the list again where its checksum changed."""
        before = self._checksums.get(monitor)
        if change.device_data_checksum is not None and change.device_data_checksum != before:
            self._checksums[monitor] = change.device_data_checksum
            if before is not None:
                self.read_devices_soon(monitor, now)

    def read_devices_soon(self, monitor: int, now: Moment) -> None:
        """Read the list of devices in a few seconds."""
        self._job_queue.advance(ReadDevices(monitor), now.monotonic + LIST_SOON_S)

    def begin_gap_timeline(self, monitor: int, now: Moment) -> bool:
        """Begin to read what happened in the gap that has just ended; False where there is nothing to read."""
        if self._homes.home(monitor).coverage.known_since is None:
            return False
        self.put(ReadTimeline(monitor, "gap"), now.monotonic)
        self.begin_due(now)
        return True

    def plan_timeline(self, monitor: int, now: Moment) -> None:
        """Read what happened in a gap or hole in the stream, once its items show."""
        self._job_queue.advance(ReadTimeline(monitor, "after a gap"), self._timeline_times.note(monitor, now))

    def close(self) -> None:
        """End the feeds and the desk; what was asked and is not done is answered."""
        self._closing.set()
        for feed in self.feeds.values():
            feed.close()
        self._worker.close()

    def _postpone(self, job: Job, error: SenseMqttError, now: Moment) -> None:
        related_set = related_jobs(job)
        retries = self._retries.setdefault(related_set, self._make_retries())
        at = now.monotonic + self._intervals.wait_s(job, error, retries)
        for number, related in enumerate(related_set, 1):
            self._job_queue.delay(related, at + number * SPREAD_S)  # by then this one has told whether it is worth it
        self.put(job, at)
        # That somebody has to log in, the session has logged.
        level = logging.DEBUG if isinstance(error, LoginRefused) else logging.WARNING
        self._log.log(related_set, "%s: %s; trying again", NAMES[type(job)], error, level=level)
        if isinstance(error, RateLimited):
            self._status.on_rate_limit(str(error), error.retry_after_s, now)

    def _begin_timeline(self, job: ReadTimeline, now: Moment) -> None:
        home = self._homes.home(job.monitor)
        if job.why == "blind":
            self.put(job, now.monotonic + self._intervals.polled_timeline_s)
            if not self._status.may_miss_edges(job.monitor, gap=home.coverage.is_interrupted):
                return
        if job.why == "after a gap" and (again := self._timeline_times.begin(job.monitor, now)) is not None:
            self.put(job, again)
        if home.coverage.known_since is not None:
            self._worker.submit_job(job, self._lookups.timeline(home.coverage.known_since - TIMELINE_MARGIN_S))

    def _on_timeline(self, job: ReadTimeline, items: tuple[Edge, ...], now: Moment) -> None:
        self._homes.observe(job.monitor, TimelineRead(items), now)
        if job.why == "gap":
            self.plan_timeline(job.monitor, now)

    def _on_account(self, account: Account, now: Moment) -> None:
        self.put(ReadAccount(), now.monotonic + LIST_EVERY_S)
        chosen = choose_monitors(account, self._wanted)
        if self.knows_account and all(monitor.id in self.feeds for monitor in chosen):
            return
        log_missing_monitors({monitor.id for monitor in account.monitors}, self._wanted)
        for monitor, name in chosen.items():
            self._add_monitor(monitor, name, now)
        self._homes.set_served(self._wanted or (() if account.monitors else None))
        self.knows_account = True
        self._status.tell(now)

    def _add_monitor(self, monitor: Monitor, name: str, now: Moment) -> None:
        if monitor.id in self.feeds:
            return
        self.monitors[monitor.id] = monitor
        self._homes.add_monitor(monitor.id, name, now, solar=monitor.solar)
        feed = self.feeds[monitor.id] = self._open_feed(monitor.id)
        self._status.expect(monitor.id, feed.transport)
        feed.start()
        self.put(ReadDevices(monitor.id), now.monotonic)
        self.put(ReadStatus(monitor.id), now.monotonic + SPREAD_S)
        self.put(ReadTimeline(monitor.id, "blind"), now.monotonic + self._intervals.polled_timeline_s)
        for number, scale in enumerate(SCALES):
            self.put(ReadEnergy(monitor.id, scale), now.monotonic + (number + 1) * SPREAD_S)
