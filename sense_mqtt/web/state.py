"""What the bridge's thread leaves for the web server's: the homes as they are, what happened, and its health."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from sense_mqtt.clock import Moment
from sense_mqtt.core.catch_up import catch_up
from sense_mqtt.core.changes import Change, Event
from sense_mqtt.core.home.state import Home
from sense_mqtt.core.payloads import read_object, write_json
from sense_mqtt.core.publishing.messages import event_document
from sense_mqtt.errors import JournalError
from sense_mqtt.web.history import History, NumberedEvent

logger = logging.getLogger(__name__)

HEALTH_EVERY_S = 5.0


class MonitorInfo(Protocol):
    """What the account tells of a monitor."""

    @property
    def time_zone(self) -> str | None: ...


class MonitorView(Protocol):
    """A monitor, as far as the page needs it."""

    @property
    def home(self) -> Home: ...
    @property
    def feed_state(self) -> str: ...
    @property
    def info(self) -> MonitorInfo: ...


class HomeNow(Struct, frozen=True):
    """One home at one time."""

    home: Home
    feed: str  # how frames come
    time_zone: str | None  # IANA


class BridgeNow(Struct, frozen=True):
    """The bridge at one time."""

    health: Mapping[str, Any]  # as on bridge/health
    is_connected: bool  # to the broker


class HourStore(Protocol):
    """Where hours are kept from one process to the next; may raise JournalError."""

    def keep(self, monitor: int, documents: Mapping[int, Mapping[str, Any]]) -> None: ...
    def of(self, monitor: int) -> Mapping[int, Mapping[str, Any]]: ...


class Sources(Struct, frozen=True):
    """Where the figures come from; for the bridge's thread only."""

    monitors: Mapping[int, MonitorView]  # those that are served; others add to it
    health: Callable[[Moment], Mapping[str, Any]]
    is_connected: Callable[[], bool]
    hours: HourStore


def _no_listener() -> None:
    """Nobody waits for news."""


class WebState:
    """A sink of the bridge: its thread writes, any thread may read, as what is written is never changed.

    Nothing here waits for a reader.
    """

    def __init__(self, version: str) -> None:
        self.version = version
        self.homes: Mapping[int, HomeNow] = {}
        self.bridge = BridgeNow({}, is_connected=False)
        self.histories: Mapping[int, History] = {}
        self.event_counts: Counter[tuple[int, str, str]] = Counter()  # by monitor, device and type, since the start
        self.on_news: Callable[[], None] = _no_listener  # called on the bridge's thread; must not wait
        self._sources: Sources | None = None
        self._events = 0
        self._health_at = 0.0  # monotonic s

    # --- for the bridge's thread

    def attach(self, sources: Sources) -> None:
        """Say where the figures come from, before the first tick."""
        self._sources = sources

    def publish(self, home: Home, changes: Sequence[Change]) -> None:
        """Take what is new of a home."""
        events = [change for change in changes if isinstance(change, Event)]
        for event in events:
            self._add_event(home.monitor, event)
        if events:
            self._take_homes()
            self.on_news()

    def _add_event(self, monitor: int, event: Event) -> None:
        self._events += 1
        document = read_object(write_json(event_document(monitor, event)))  # as whoever reads MQTT has it
        self._history(monitor).add_event(NumberedEvent(self._events, event.time, document))
        key = (monitor, str(document.get("device", "")), event.event_type)
        self.event_counts = self.event_counts + Counter([key])

    def tick(self, now: Moment) -> None:
        """Look at all homes; call each second."""
        if self._sources is None:
            return
        self._take_homes()
        for monitor, each in self.homes.items():
            frame, time = each.home.last_frame, _house_time(each.home)
            if frame is not None and time is not None:
                history = self._history(monitor)
                history.add_sample(time, frame.w, frame.solar_w)
                if ended := history.ended_hours():
                    self._keep(monitor, history, ended)
        is_connected = self._sources.is_connected()
        if now.monotonic >= self._health_at or is_connected != self.bridge.is_connected:
            self._health_at = now.monotonic + HEALTH_EVERY_S
            self.bridge = BridgeNow(self._sources.health(now), is_connected)
        self.on_news()

    def _take_homes(self) -> None:
        monitors = {} if self._sources is None else self._sources.monitors
        self.homes = {
            number: HomeNow(catch_up(each.home), each.feed_state, each.info.time_zone)
            for number, each in monitors.items()
        }

    def _history(self, monitor: int) -> History:
        if monitor not in self.histories:
            self.histories = {**self.histories, monitor: History(self._recall(monitor))}
        return self.histories[monitor]

    def end(self) -> None:
        """Store what the page shows, for the process after."""
        for monitor, history in self.histories.items():
            history.end_minute()
            self._keep(monitor, history, set(history.unsaved))

    def _keep(self, monitor: int, history: History, hours: set[int]) -> None:
        if self._sources is None or not hours:
            return
        try:
            self._sources.hours.keep(monitor, history.take_documents(hours))
        except JournalError as error:  # the page alone shows less after a restart
            logger.debug("the page's history of monitor %s is not stored: %s", monitor, error)

    def _recall(self, monitor: int) -> Iterable[Mapping[str, Any]]:
        if self._sources is None:
            return ()
        try:
            return self._sources.hours.of(monitor).values()
        except JournalError as error:
            logger.debug("the page's history of monitor %s cannot be read: %s", monitor, error)
            return ()


def _house_time(home: Home) -> float | None:
    """Return when the newest frame was measured, s UTC."""
    return home.last_frame.epoch if home.last_frame else None
