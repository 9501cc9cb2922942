"""How the bridge stands, with Sense, with each feed, with itself: bridge/info, bridge/health and bridge/event."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct
from msgspec.structs import replace

from sense_mqtt.bridge.health import Counters, Counts, count, describe_health
from sense_mqtt.bridge.publisher import Publisher
from sense_mqtt.clock import Moment
from sense_mqtt.core.home.state import Home
from sense_mqtt.core.payloads import write_json
from sense_mqtt.core.publishing.message import Message, PublishOrder
from sense_mqtt.core.publishing.topics import Topics
from sense_mqtt.core.readings.bridge_entities import AUTH_STATES, FEEDS, LOG_LEVELS
from sense_mqtt.core.timestamps import write_timestamp
from sense_mqtt.items import Auth

logger = logging.getLogger(__name__)

MIN_RATE_LIMIT_S = 60.0


class MonitorView(Protocol):
    """A monitor, as far as the status needs it."""

    @property
    def home(self) -> Home: ...
    @property
    def feed_state(self) -> str: ...


class BridgeInfo(Struct, frozen=True):
    """What is told of the bridge at its start, and once it has read its configuration again."""

    version: str
    config: Mapping[str, Any]  # as far as it may be seen


class HealthSources(Struct, frozen=True):
    """Where the figures of the health document come from."""

    calls: Counts
    queues: Counts
    accounts: Callable[[], Mapping[str, Mapping[str, Any]]]  # by name, where there are several
    webhooks: Callable[[], Sequence[Mapping[str, Any]]]


class Status:
    """Owns what is published of the bridge itself. For the bridge's thread only.

    `monitors`: those that are served, by id; the dict is shared, accounts add to it.
    """

    def __init__(
        self,
        publisher: Publisher,
        topics: Topics,
        monitors: Mapping[int, MonitorView],
        counters: Counters,
        info: BridgeInfo,
        sources: HealthSources,
        redact: Callable[[str], str],
    ) -> None:
        self._publisher = publisher
        self._topics = topics
        self._monitors = monitors
        self.counters = counters
        self._static_info = info
        self._sources = sources
        self._redact = redact  # Sense's own words may hold a secret
        self._limited_until = 0.0  # monotonic; a limit met before then is the one that was published
        self._published_feeds: Mapping[str, str] = {}
        self._feeds_may_differ = False
        self._started: Moment | None = None
        self._auth: dict[int, Auth] = {}  # by account

    def begin(self, now: Moment) -> None:
        self._started = now
        self.publish(now)

    def publish(self, now: Moment) -> None:
        """Publish the retained documents as they are now."""
        self._published_feeds = self._feeds()
        self._publisher.enqueue_retained(
            [
                self._document("info", self._info(), PublishOrder.INFO),
                self._document("health", self.health(now), PublishOrder.INFO),
            ]
        )

    @property
    def config(self) -> Mapping[str, Any]:
        """The configuration in force, as far as it may be seen."""
        return self._static_info.config

    def set_config(self, config: Mapping[str, Any], now: Moment) -> None:
        """Publish the configuration, as far as it may be seen."""
        self._static_info = replace(self._static_info, config=config)
        self.publish(now)

    def set_auth(self, account: int, auth: Auth) -> None:
        """Note the state of an account's login; published with the next document."""
        self._auth[account] = auth

    def check_feeds_soon(self) -> None:
        """Note that frames of a monitor may come no more, or again."""
        self._feeds_may_differ = True

    def maintain(self, now: Moment) -> None:
        """Publish that frames come no more, or again. Call once a second."""
        if self._feeds_may_differ:
            self._feeds_may_differ = False
            if self._feeds() != self._published_feeds:
                self.publish(now)

    def on_rate_limit(self, reason: str, retry_after_s: float, now: Moment) -> None:
        """Tell that Sense finds us asking too much; not again as long as it goes on."""
        if now.monotonic >= self._limited_until:
            self.announce("rate_limited", now, reason=reason, retry_after_s=round(retry_after_s))
        ends_s = 2 * max(retry_after_s, MIN_RATE_LIMIT_S)  # met again that soon after the wait, it is still the same
        self._limited_until = max(self._limited_until, now.monotonic + ends_s)

    def announce(self, event_type: str, now: Moment, **more: Any) -> None:
        """Tell something that happened to the bridge."""
        document = {"event_type": event_type, "time": write_timestamp(now.wall), **more}
        if "reason" in document:
            document["reason"] = self._redact(document["reason"])
        self._publisher.announce(Message(self._topics.bridge("event"), write_json(document)))

    def health(self, now: Moment) -> dict[str, Any]:
        times = [_newest_frame(monitor.home) for monitor in self._monitors.values()]
        newest = [time for time in times if time is not None]
        started = self._started or now
        return describe_health(
            self.counters,
            {
                "time": write_timestamp(now.wall),
                "last_frame": write_timestamp(max(newest)) if newest else None,
                "feed": self._feed(),
                "feeds": self._feeds(),
                "auth": self._auth_state(),
                "log_level": _log_level(),
                **count(self._sources.calls),
                "accounts": dict(self._sources.accounts()) or None,
                "queues": self._sources.queues(),
                "webhooks": self._sources.webhooks() or None,
                "uptime_s": round(now.monotonic - started.monotonic),
            },
        )

    def describe(self) -> str:
        """Return in a few words how the login and the feeds are doing."""
        feeds = ", ".join(f"monitor {monitor} {feed}" for monitor, feed in self._feeds().items())
        return f"login {self._auth_state()}; {feeds or 'no monitor known yet'}"

    def _auth_state(self) -> Auth:
        return max(self._auth.values(), key=AUTH_STATES.index, default="starting")

    def _info(self) -> dict[str, Any]:
        return {
            "version": self._static_info.version,
            "started": None if self._started is None else write_timestamp(self._started.wall),
            "monitors": list(self._monitors),
            "feed": self._feed(),
            "config": self._static_info.config,
        }

    def _feed(self) -> str | None:
        """Of several feeds the worst is told."""
        return max(self._feeds().values(), key=FEEDS.index, default=None)

    def _feeds(self) -> dict[str, str]:
        """Return how frames come, by monitor."""
        return {str(number): monitor.feed_state for number, monitor in self._monitors.items()}

    def _document(self, key: str, document: Mapping[str, Any], order: PublishOrder) -> Message:
        return Message(self._topics.bridge(key), write_json(document), retain=True, order=order)


def _log_level() -> str | None:
    """Return how much the log says; None where that is none of the levels that can be configured."""
    level = logging.getLevelName(logging.getLogger("sense_mqtt").getEffectiveLevel()).lower()
    return level if level in LOG_LEVELS else None


def _newest_frame(home: Home) -> float | None:
    # Polled frames have no epoch of their own: that of `last_frame` is when it came.
    return home.newest_epoch
