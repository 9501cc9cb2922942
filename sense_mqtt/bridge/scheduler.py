"""When what is done without being asked: account, list of devices, energy, timeline, health."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sense_mqtt.bridge.gap_buffer import Holes
from sense_mqtt.bridge.homes import Houses, choose_monitors
from sense_mqtt.bridge.jobs import (
    LIST_EVERY_S,
    NAMES,
    IntroduceAgain,
    Job,
    Pace,
    ReadAccount,
    ReadDevices,
    ReadEnergy,
    ReadStatus,
    ReadTimeline,
    RunningFeed,
    SayHealth,
    fellows,
    tell_missing,
)
from sense_mqtt.bridge.publisher import Publisher
from sense_mqtt.bridge.status import Status
from sense_mqtt.clock import Moment
from sense_mqtt.core.energy.periods import Energy
from sense_mqtt.core.home.state import DevicesListed, EnergyRead
from sense_mqtt.core.home.timeline_events import TimelineRead
from sense_mqtt.core.job_queue import Agenda
from sense_mqtt.core.readings.entities import SCALES
from sense_mqtt.core.wire.devices import read_device_list
from sense_mqtt.core.wire.frames import DataChange
from sense_mqtt.core.wire.monitor_status import read_firmware
from sense_mqtt.core.wire.timeline import TimelineItem
from sense_mqtt.errors import LoginRefused, RateLimited, SenseMqttError
from sense_mqtt.rest_queries.lookups import Lookups
from sense_mqtt.rest_queries.worker import Desk
from sense_mqtt.sense.auth.tokens import Account, Monitor

logger = logging.getLogger(__name__)

LIST_SOON_S = 5.0  # several changes in a row are read once
HEALTH_EVERY_S = 60.0
BLIND_EVERY_S = 180.0  # the timeline, while no stream shows each edge
TIMELINE_LAG_S = 90.0  # items show late: after a gap the timeline is read once more
TIMELINE_MARGIN_S = 60.0  # its clock and the frames' differ
SPREAD_S = 10.0  # after the start, between the first readings of energy


class Schedules:
    """Owns what is due when, the feeds, and the monitors of the account. For the bridge's thread only."""

    def __init__(
        self,
        *,
        desk: Desk,
        lookups: Lookups,
        houses: Houses,
        status: Status,
        publisher: Publisher,
        open_feed: Callable[[int], RunningFeed],
        backoff: Callable[[], Iterator[float]],
        wanted: Iterable[int],
        pace: Pace,
        timeline_lag_s: float,
        closing: threading.Event,
    ) -> None:
        self._desk = desk
        self._lookups = lookups
        self._houses = houses
        self._status = status
        self._publisher = publisher
        self._open_feed = open_feed
        self._make_backoff = backoff
        self._wanted = frozenset(wanted)
        self._pace = pace
        self._holes = Holes(timeline_lag_s)
        self._closing = closing
        self._agenda = Agenda()
        self._waits: dict[tuple[Job, ...], Iterator[float]] = {}  # of jobs that fail together
        self._checksums: dict[int, str] = {}
        self.feeds: dict[int, RunningFeed] = {}
        self.monitors: dict[int, Monitor] = {}
        self.knows_account = False  # Sense told which monitors there are

    def open(self, now: Moment) -> None:
        """Begin: the account is read first, all else follows from it."""
        self._desk.start()
        self.put(ReadAccount(), now.monotonic)
        self.put(SayHealth(), now.monotonic + HEALTH_EVERY_S)

    def put(self, job: Job, at: float) -> None:
        """Set when (monotonic) a job is due."""
        self._agenda.put(job, at)

    def begin_due(self, now: Moment) -> None:
        """Begin every job whose time has come."""
        for job in self._agenda.take(now.monotonic):
            match job:
                case ReadAccount():
                    self._desk.schedule(job, self._lookups.account(self._wanted, again=self.knows_account))
                case ReadDevices(monitor):
                    self._desk.schedule(job, self._lookups.prepare("devices", self.monitors[monitor], {}))
                case ReadStatus(monitor):
                    self._desk.schedule(job, self._lookups.prepare("status", self.monitors[monitor], {}))
                case ReadEnergy(monitor, scale):
                    self._desk.schedule(job, self._lookups.energy(self.monitors[monitor], scale.upper()))
                case ReadTimeline():
                    self._begin_timeline(job, now)
                case SayHealth():
                    self.put(job, now.monotonic + HEALTH_EVERY_S)
                    self._status.tell(now)
                case IntroduceAgain():
                    self._houses.introduce_all()
                    self._publisher.say_again()

    def take_done(self, job: Any, result: Any, now: Moment) -> None:
        """Take in what a job brought, or when to try it again."""
        if isinstance(result, SenseMqttError):
            self._postpone(job, result, now)
            return
        try:
            self._take_in(job, result, now)
        except SenseMqttError as error:  # of the journal: nothing is lost as long as Sense is asked again
            self._postpone(job, error, now)
            return
        self._waits.pop(fellows(job), None)

    def _take_in(self, job: Any, result: Any, now: Moment) -> None:
        match job:
            case ReadAccount():
                self._take_account(result, now)
            case ReadDevices(monitor):
                self.take_list(monitor, result, now)
            case ReadStatus(monitor):
                self._repeat(job, now)
                self._houses.take_firmware(monitor, read_firmware(result))
            case ReadEnergy(monitor, _):
                self.take_energy(monitor, result, now)
            case ReadTimeline():
                self._take_timeline(job, result, now)

    def take_list(self, monitor: int, answer: Any, now: Moment) -> None:
        """Take in the list of devices, as REST gives it."""
        self._repeat(ReadDevices(monitor), now)
        self._houses.observe(monitor, DevicesListed(read_device_list(answer)), now)

    def take_energy(self, monitor: int, energy: Energy, now: Moment) -> None:
        """Take in the energy of one period."""
        self._repeat(ReadEnergy(monitor, energy.scale.lower()), now)
        self._houses.observe(monitor, EnergyRead(energy), now)

    def _repeat(self, job: Job, now: Moment) -> None:
        self.put(job, now.monotonic + self._pace.interval_s(job))

    def take_data_change(self, monitor: int, change: DataChange, now: Moment) -> None:
        """Read the list again where its checksum changed."""
        before = self._checksums.get(monitor)
        if change.device_data_checksum is not None and change.device_data_checksum != before:
            self._checksums[monitor] = change.device_data_checksum
            if before is not None:
                self.list_soon(monitor, now)

    def list_soon(self, monitor: int, now: Moment) -> None:
        """Read the list of devices in a few seconds."""
        self._agenda.hasten(ReadDevices(monitor), now.monotonic + LIST_SOON_S)

    def read_timeline(self, monitor: int, now: Moment) -> bool:
        """Begin to read what happened in the gap that has just ended; False where there is nothing to read."""
        if self._houses.home(monitor).coverage.known_since is None:
            return False
        self.put(ReadTimeline(monitor, "gap"), now.monotonic)
        self.begin_due(now)
        return True

    def read_timeline_later(self, monitor: int, now: Moment) -> None:
        """Read what happened in a gap or hole in the stream, once its items show."""
        self._agenda.hasten(ReadTimeline(monitor, "after a gap"), self._holes.note(monitor, now))

    def close(self) -> None:
        """End the feeds and the desk; what was asked and is not done is answered."""
        self._closing.set()
        for feed in self.feeds.values():
            feed.close()
        self._desk.close()

    def _postpone(self, job: Job, error: SenseMqttError, now: Moment) -> None:
        together = fellows(job)
        first = together not in self._waits
        at = now.monotonic + self._pace.wait_s(job, error, self._waits.setdefault(together, self._make_backoff()))
        for number, fellow in enumerate(together, 1):
            self._agenda.delay(fellow, at + number * SPREAD_S)  # by then this one has told whether it is worth it
        self.put(job, at)
        is_told = first and not isinstance(error, LoginRefused)  # that a person is wanted, the session has said
        (logger.warning if is_told else logger.debug)("%s: %s; trying again", NAMES[type(job)], error)
        if isinstance(error, RateLimited):
            self._status.note_limit(str(error), error.retry_after_s, now)

    def _begin_timeline(self, job: ReadTimeline, now: Moment) -> None:
        home = self._houses.home(job.monitor)
        if job.why == "blind":
            self.put(job, now.monotonic + self._pace.blind_every_s)
            if not self._status.is_blind(job.monitor, gap=home.gap):
                return
        if job.why == "after a gap" and (again := self._holes.begin(job.monitor, now)) is not None:
            self.put(job, again)
        if home.coverage.known_since is not None:
            self._desk.schedule(job, self._lookups.timeline(home.coverage.known_since - TIMELINE_MARGIN_S))

    def _take_timeline(self, job: ReadTimeline, items: tuple[TimelineItem, ...], now: Moment) -> None:
        self._houses.observe(job.monitor, TimelineRead(items), now)
        if job.why == "gap":
            self.read_timeline_later(job.monitor, now)

    def _take_account(self, account: Account, now: Moment) -> None:
        self.put(ReadAccount(), now.monotonic + LIST_EVERY_S)
        chosen = choose_monitors(account, self._wanted)
        if self.knows_account and all(monitor.id in self.feeds for monitor in chosen):
            return
        tell_missing({monitor.id for monitor in account.monitors}, self._wanted)
        for monitor, name in chosen.items():
            self._admit(monitor, name, now)
        self._houses.settle(self._wanted or (() if account.monitors else None))
        self.knows_account = True
        self._status.tell(now)

    def _admit(self, monitor: Monitor, name: str, now: Moment) -> None:
        if monitor.id in self.feeds:
            return
        self.monitors[monitor.id] = monitor
        self._houses.admit(monitor.id, name, now, solar=monitor.solar)
        feed = self.feeds[monitor.id] = self._open_feed(monitor.id)
        self._status.expect(monitor.id, feed.rung)
        feed.start()
        self.put(ReadDevices(monitor.id), now.monotonic)
        self.put(ReadStatus(monitor.id), now.monotonic + SPREAD_S)
        self.put(ReadTimeline(monitor.id, "blind"), now.monotonic + self._pace.blind_every_s)
        for number, scale in enumerate(SCALES):
            self.put(ReadEnergy(monitor.id, scale), now.monotonic + (number + 1) * SPREAD_S)
