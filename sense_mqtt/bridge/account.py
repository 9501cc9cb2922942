"""Everything that belongs to one Sense account: how Sense is asked, its monitors, its login, its periodic jobs."""

import logging
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from sense_mqtt.bridge.account_access import AccountAccess, AccountOptions
from sense_mqtt.bridge.frame_handler import FrameHandler
from sense_mqtt.bridge.jobs import (
    LIST_EVERY_S,
    CloseGap,
    Job,
    ReadAccount,
    ReadDevices,
    ReadTimeline,
    RunQuery,
    log_missing_monitors,
    urgency_of,
)
from sense_mqtt.bridge.monitor import BridgedMonitor, Services
from sense_mqtt.bridge.queries import Queries
from sense_mqtt.bridge.restored_home import restore_home
from sense_mqtt.bridge.scheduler import Scheduler
from sense_mqtt.bridge.served import ServedMonitors
from sense_mqtt.bridge.sinks import Sink
from sense_mqtt.clock import Moment
from sense_mqtt.core.edges import Edge
from sense_mqtt.core.home.state import Policy, QueryResult, Tick
from sense_mqtt.core.home.timeline_events import TimelineRead
from sense_mqtt.core.wire.devices import read_device_list
from sense_mqtt.errors import RateLimited, SenseMqttError
from sense_mqtt.items import Auth, AuthChanged
from sense_mqtt.sense.auth.tokens import Account, Monitor
from sense_mqtt.sense.rest_queries.worker import Lookup

logger = logging.getLogger(__name__)

DEVICES_SOON_S = 5.0  # several changes in a row are read once
TIMELINE_MARGIN_S = 60.0  # its clock and the frames' differ


class BridgedAccount:
    """Owns the state of one account. For the bridge's thread only.

    `served`: the monitors of all accounts; this account adds its own.
    """

    def __init__(
        self,
        access: AccountAccess,
        scheduler: Scheduler,
        settings: AccountOptions,
        services: Services,
        served: ServedMonitors,
        sinks: Sequence[Sink],
    ) -> None:
        self.access = access
        self.scheduler = scheduler
        self.settings = settings
        self._services = services
        self._served = served
        self._sinks = sinks
        self._queries = Queries(scheduler)
        self.frames: dict[int, FrameHandler] = {}  # by monitor
        self.knows_monitors = False  # Sense told which there are
        self.auth: Auth = "starting"
        self._is_login_required = False  # and that was published

    # --- start and end

    def open(self, now: Moment) -> None:
        """Begin: the account is read first, all else follows from it."""
        self.access.worker.start()
        self.scheduler.put(ReadAccount(self.settings.number), now.monotonic)

    def close(self) -> None:
        """End the feeds and the worker; requests that are not done are answered."""
        self.access.closing.set()
        for frames in self.frames.values():
            frames.monitor.feed.begin_close()
        for frames in self.frames.values():
            frames.monitor.feed.close()
        self.access.worker.close()

    def store(self, now: Moment) -> None:
        """Store what is known of each home now; no more frames come."""
        for frames in self.frames.values():
            frames.monitor.store(now)

    def set_policy(self, policy: Policy, now: Moment) -> None:
        """Go on with another configuration of homes; the lists tell which devices are ignored no more."""
        self.settings = replace(self.settings, monitor=replace(self.settings.monitor, policy=policy))
        for monitor, frames in self.frames.items():
            frames.monitor.set_policy(policy, now)
            self.plan_queries(monitor, now)
            self.read_devices_soon(monitor, now)

    def on_auth_changed(self, item: AuthChanged, now: Moment) -> None:
        """Publish the state of the login; the session has logged it."""
        if item.auth == self.auth:
            return
        self.auth = item.auth
        self._services.status.set_auth(self.settings.number, item.auth)
        if item.auth == "auth_required" and not self._is_login_required:
            self._is_login_required = True
            self._announce("auth_required", now, reason=item.reason)
        elif item.auth == "ok" and self._is_login_required:
            self._is_login_required = False
            self._announce("auth_ok", now)
        self._services.status.publish(now)

    def _announce(self, event_type: str, now: Moment, **more: str) -> None:
        about = {"account": self.settings.name} if self.settings.name else {}
        self._services.status.announce(event_type, now, **about, **more)

    def monitor(self, monitor: int) -> BridgedMonitor:
        return self.frames[monitor].monitor

    # --- jobs

    def begin(self, job: Job, now: Moment) -> None:
        """Begin a job that is due."""
        lookups = self.access.lookups
        match job:
            case ReadAccount():
                self._submit(job, lookups.account(self.settings.wanted, again=self.knows_monitors))
            case ReadDevices(monitor):
                self._submit(job, lookups.prepare("devices", self.monitor(monitor).info, {}))
            case RunQuery(monitor):
                if query := self._queries.begin(job, self.monitor(monitor), now):
                    self._submit(job, lookups.run_query(self.monitor(monitor).info, query))
            case ReadTimeline():
                self._begin_timeline(job, now)
            case CloseGap(monitor):
                self.frames[monitor].close_overdue_gap(now)

    def on_lookup_done(self, job: Job, result: Any, now: Moment) -> None:
        """Take in what a job brought, or set when to try it again."""
        refused_wait_s = self._queries.end(job) if isinstance(job, RunQuery) else None
        try:
            if isinstance(result, SenseMqttError):
                raise result
            self._take_in(job, result, now)
        except SenseMqttError as error:  # also of the journal: nothing is lost as long as Sense is asked again
            self.scheduler.postpone(job, error, now, refused_wait_s)
            if isinstance(error, RateLimited):
                self._services.status.on_rate_limit(str(error), error.retry_after_s, now)
        else:
            self.scheduler.succeeded(job, now)
        if isinstance(job, ReadTimeline) and job.why == "gap":
            self.frames[job.monitor].close_gap()

    def _take_in(self, job: Job, result: Any, now: Moment) -> None:
        match job:
            case ReadAccount():
                self._on_account(result, now)
            case ReadDevices(monitor):
                self.on_devices(monitor, result, now)
            case RunQuery():
                self.on_query_result(job, result, now)
            case ReadTimeline():
                self._on_timeline(job, result, now)

    def on_devices(self, monitor: int, response: Any, now: Moment) -> None:
        """Take in the list of devices, as REST gives it."""
        self.scheduler.repeat(ReadDevices(monitor), now)
        again_s = self.monitor(monitor).take_list(read_device_list(response), now)
        self.read_devices_soon(monitor, now, again_s)

    def on_query_result(self, job: RunQuery, result: Any, now: Moment) -> None:
        """Take in what a capability has asked for."""
        self.monitor(job.monitor).observe(QueryResult(job.capability, job.query, result), now)

    def plan_queries(self, monitor: int, now: Moment) -> None:
        """Set when what the capabilities need to read of a monitor is due."""
        self._queries.plan(self.monitor(monitor), now)

    def read_devices_soon(self, monitor: int, now: Moment, wait_s: float = DEVICES_SOON_S) -> None:
        """Read the list of devices in a few seconds."""
        self.scheduler.advance(ReadDevices(monitor), now.monotonic + wait_s)

    # --- the timeline

    def read_gap_timeline(self, monitor: int, now: Moment) -> bool:
        """Set that the timeline of a gap that has just ended is read; False where there is nothing to read."""
        if self.monitor(monitor).home.coverage.known_since is None:
            return False
        self.scheduler.put(ReadTimeline(monitor, "gap"), now.monotonic)
        return True

    def plan_timeline(self, monitor: int, now: Moment) -> None:
        """Read what happened in a gap of the stream, once its items appear."""
        at = self.monitor(monitor).timeline_times.gap_ended(now)
        self.scheduler.advance(ReadTimeline(monitor, "after a gap"), at)

    def close_gap_at(self, monitor: int, at: float) -> None:
        """Wait no longer than that (monotonic) for the timeline of a gap."""
        self.scheduler.put(CloseGap(monitor), at)

    def _begin_timeline(self, job: ReadTimeline, now: Moment) -> None:
        monitor = self.monitor(job.monitor)
        if job.why == "polled":
            self.scheduler.repeat(job, now)
            if not monitor.may_miss_edges:
                return
        if job.why == "after a gap" and (again := monitor.timeline_times.reading(now)) is not None:
            self.scheduler.put(job, again)
        if (since := monitor.home.coverage.known_since) is not None:
            self._submit(job, self.access.lookups.timeline(since - TIMELINE_MARGIN_S))

    def _submit(self, job: Job, lookup: Lookup) -> None:
        self.access.worker.submit_job(job, lookup, urgency_of(job))

    def _on_timeline(self, job: ReadTimeline, items: tuple[Edge, ...], now: Moment) -> None:
        self.monitor(job.monitor).observe(TimelineRead(items), now)
        if job.why == "gap":
            self.plan_timeline(job.monitor, now)

    # --- the monitors

    def _on_account(self, account: Account, now: Moment) -> None:
        self.scheduler.put(ReadAccount(self.settings.number), now.monotonic + LIST_EVERY_S)
        chosen = self._served.choose(account, self.settings)
        if self.knows_monitors and all(monitor.id in self.frames for monitor in chosen):
            return
        log_missing_monitors({monitor.id for monitor in account.monitors}, self.settings.wanted)
        for monitor, name in chosen.items():
            if monitor.id not in self.frames:
                self._add_monitor(monitor, name, now)
        kept = self.settings.wanted or (() if account.monitors else None)
        self._services.discovery.set_served(self.settings.number, kept)
        self.knows_monitors = True
        self._services.status.publish(now)

    def _add_monitor(self, info: Monitor, name: str, now: Moment) -> None:
        settings, number = self.settings.monitor, info.id
        home = restore_home(info, name, settings.policy, self._services, now)
        monitor = BridgedMonitor(info, home, self.access.open_feed(number), settings, self._services, self._sinks)
        self.frames[number] = FrameHandler(monitor, self, self._services)
        self._served.add(self.frames[number], self.settings)
        monitor.observe(Tick(), now)
        monitor.feed.start()
        self.scheduler.put(ReadDevices(number), now.monotonic)
        self.scheduler.repeat(ReadTimeline(number, "polled"), now)
        self.plan_queries(number, now)
