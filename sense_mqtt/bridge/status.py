"""How the bridge stands, with Sense, with each feed, with itself: bridge/info, bridge/health and bridge/event."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from sense_mqtt.bridge.health import Counters, describe_health
from sense_mqtt.bridge.homes import Homes
from sense_mqtt.bridge.publisher import Publisher
from sense_mqtt.clock import Moment
from sense_mqtt.core.home.state import Home
from sense_mqtt.core.payloads import write_json
from sense_mqtt.core.publishing.outbox import Message, PublishOrder
from sense_mqtt.core.publishing.topics import Topics
from sense_mqtt.core.readings.entities import FEEDS
from sense_mqtt.core.timestamps import write_timestamp
from sense_mqtt.errors import SenseMqttError
from sense_mqtt.items import Auth, AuthChanged, FeedChanged, FeedLimited, FeedOpened, Transport

logger = logging.getLogger(__name__)

MIN_RATE_LIMIT_S = 60.0

Counts = Callable[[], Mapping[str, int]]  # by name


class Status:
    """Owns the counters and what was last heard of login and feeds. For the bridge's thread only."""

    def __init__(
        self,
        publisher: Publisher,
        homes: Homes,
        counters: Counters,
        topics: Topics,
        *,
        version: str,
        config: Mapping[str, Any],
        calls: Counts,
        queues: Counts,
        stale_after_s: Mapping[Transport, float],
        redact: Callable[[str], str],
    ) -> None:
        self._publisher = publisher
        self._homes = homes
        self._counters = counters
        self._topics = topics
        self._version = version
        self._config = config
        self._calls = calls
        self._queues = queues
        self._stale_after_s = stale_after_s
        self._redact = redact  # Sense's own words may hold a secret
        self.auth: Auth = "starting"
        self._login_was_required = False  # and that was told
        self._limited_until = 0.0  # monotonic; a limit met before then is the one that was told
        self._rungs: dict[int, Transport] = {}
        self._published_feeds: Mapping[str, str] = {}
        self._opened: set[int] = set()
        self._started: Moment | None = None

    def begin(self, now: Moment) -> None:
        self._started = now
        self.tell(now)

    def tell(self, now: Moment) -> None:
        """Say the retained documents as they are now."""
        self._published_feeds = self._feeds()
        self._publisher.enqueue_retained(
            [
                self._document("info", self._info(), PublishOrder.INFO),
                self._document("health", self.health(now), PublishOrder.INFO),
            ]
        )

    def maintain(self, now: Moment) -> None:
        """Say so where frames come no more, or again. Call once a second."""
        if self._feeds() != self._published_feeds:
            self.tell(now)

    def on_auth_changed(self, item: AuthChanged, now: Moment) -> None:
        """Note how we stand with Sense; the session has logged it."""
        if item.auth == self.auth:
            return
        self.auth = item.auth
        if item.auth == "auth_required" and not self._login_was_required:
            self._login_was_required = True
            self._homes.show_login_required()
            self.announce("auth_required", now, reason=item.reason)
        elif item.auth == "ok" and self._login_was_required:
            self._login_was_required = False
            self.announce("auth_ok", now)
        self.tell(now)

    def expect(self, monitor: int, rung: Transport) -> None:
        """Note how the frames of a feed will come."""
        self._rungs[monitor] = rung

    def on_feed_opened(self, item: FeedOpened, now: Moment) -> bool:
        """Note that frames come; say whether they do for the first time."""
        first = item.monitor not in self._opened
        if not first and item.transport == "stream":
            self._counters.reconnects += 1
        self._opened.add(item.monitor)
        self._set_stale_after(item.monitor, item.transport)
        if self._rungs.get(item.monitor) != item.transport:
            self._rungs[item.monitor] = item.transport
            self.tell(now)
        return first

    def on_feed_changed(self, item: FeedChanged, now: Moment) -> None:
        before = self._rungs.get(item.monitor)
        self._rungs[item.monitor] = item.transport
        if item.transport == "paused":  # until a poll brings a frame, the last one grows old as in a stream
            self._set_stale_after(item.monitor, "stream")
        event_type = "paused" if item.transport == "paused" else "resumed" if before == "paused" else "feed_changed"
        self.announce(event_type, now, monitor=item.monitor, feed=item.transport, reason=item.reason)
        self.tell(now)

    def on_feed_limited(self, item: FeedLimited, now: Moment) -> None:
        self.on_rate_limit(item.reason, item.retry_after_s, now)

    def on_rate_limit(self, reason: str, retry_after_s: float, now: Moment) -> None:
        """Tell that Sense finds us asking too much; not again as long as it goes on."""
        if now.monotonic >= self._limited_until:
            self.announce("rate_limited", now, reason=reason, retry_after_s=round(retry_after_s))
        ends_s = 2 * max(retry_after_s, MIN_RATE_LIMIT_S)  # met again that soon after the wait, it is still the same
        self._limited_until = max(self._limited_until, now.monotonic + ends_s)

    def add_unanswered(self, requests: int) -> None:
        """Count requests that got no answer."""
        self._counters.requests_unanswered += requests

    def may_miss_edges(self, monitor: int, *, gap: bool) -> bool:
        """Say whether edges of this house may go unseen at present, and Sense may be asked about them."""
        rung = self._rungs.get(monitor, "stream")
        return gap if rung == "stream" else not gap if rung == "paused" else True

    def announce(self, event_type: str, now: Moment, **more: Any) -> None:
        """Tell something that happened to the bridge."""
        document = {"event_type": event_type, "time": write_timestamp(now.wall), **more}
        if "reason" in document:
            document["reason"] = self._redact(document["reason"])
        self._publisher.announce(Message(self._topics.bridge("event"), write_json(document)))

    def health(self, now: Moment) -> dict[str, Any]:
        newest = [time for time in map(_newest_frame, map(self._homes.home, self._homes.monitors)) if time is not None]
        started = self._started or now
        return describe_health(
            self._counters,
            {
                "last_frame": write_timestamp(max(newest)) if newest else None,
                "feed": self._feed(),
                "feeds": self._feeds(),
                "auth": self.auth,
                **self._count_calls(),
                "queues": self._queues(),
                "uptime_s": round(now.monotonic - started.monotonic),
            },
        )

    def _count_calls(self) -> Mapping[str, int]:
        try:
            return self._calls()
        except SenseMqttError as error:  # the file of logins; health must be told all the same
            logger.debug("calls and logins cannot be counted: %s", error)
            return {}

    def _info(self) -> dict[str, Any]:
        return {
            "version": self._version,
            "started": None if self._started is None else write_timestamp(self._started.wall),
            "monitors": list(self._homes.monitors),
            "feed": self._feed(),
            "config": self._config,
        }

    def _feed(self) -> str | None:
        """Of several feeds the worst is told."""
        return max(self._feeds().values(), key=FEEDS.index, default=None)

    def _feeds(self) -> dict[str, str]:
        """Return how frames come, by monitor; `offline` where none do and nobody wants it so."""
        homes = self._homes
        return {
            str(monitor): rung if rung == "paused" or homes.home(monitor).online else "offline"
            for monitor, rung in self._rungs.items()
            if monitor in homes.monitors
        }

    def _set_stale_after(self, monitor: int, rung: Transport) -> None:
        """From now on, a house is `offline` when no frame came for as long as frames of this kind may take."""
        if monitor in self._homes.monitors:
            self._homes.set_stale_after(monitor, self._stale_after_s[rung])

    def _document(self, key: str, document: Mapping[str, Any], rank: PublishOrder) -> Message:
        return Message(self._topics.bridge(key), write_json(document), retain=True, order=rank)


def _newest_frame(home: Home) -> float | None:
    return (
        home.last_frame.epoch if home.last_frame else home.coverage.last_epoch
    )  # polled frames have no epoch of their own
