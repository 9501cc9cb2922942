"""The rule that says whether a bridge works: for `sense-mqtt health`, and for `/health` of the page."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from sense_mqtt.core.timestamps import read_timestamp

SILENCE_S = 150.0  # `bridge/health` comes once a minute; older than this, the bridge's loop does not run
FRESH = ("stream", "poll", "snapshot")
WAITS = {  # states of the login in which frames are not expected, and why
    "starting": "it has just started",
    "auth_required": "the login needs a person: run `sense-mqtt login`",
    "unavailable": "Sense cannot be reached or has an outage; it is tried again",
}


class HealthResult(Struct, frozen=True):
    """What was found, in words."""

    text: str
    is_healthy: bool = False


def evaluate_health(state: str | None, document: Mapping[str, Any], now: float) -> HealthResult:
    """Return whether the bridge works, from its `bridge/state` and `bridge/health`; `now` is Unix time."""
    if state is None:
        return HealthResult("nothing is retained on bridge/state: is this the bridge's broker and mqtt.base_topic?")
    if state != "online":
        return HealthResult(f"the bridge is {state}: it does not run, or has no connection to the broker")
    written = read_timestamp(document.get("time"))
    if written is None or now - written > SILENCE_S:
        since = "" if written is None else f" for {now - written:.0f} s"
        return HealthResult(f"the bridge published no bridge/health{since}, though it is connected: restart it")
    return _evaluate_feeds(document)


def _evaluate_feeds(document: Mapping[str, Any]) -> HealthResult:
    feeds = document.get("feeds")
    feeds = feeds if isinstance(feeds, Mapping) else {}
    missing = sorted(str(monitor) for monitor, feed in feeds.items() if feed not in (*FRESH, "paused"))
    waits = WAITS.get(str(document.get("auth")))
    if waits is not None and (missing or not feeds):
        return HealthResult(f"the bridge waits: {waits}", is_healthy=True)
    if missing:
        return HealthResult(f"no frames come of monitor {', '.join(missing)}; the bridge's log says why")
    if not feeds:
        return HealthResult("the account has no monitor, or none of sense.monitors")
    told = ", ".join(f"{monitor} {feed}" for monitor, feed in sorted(feeds.items()))
    return HealthResult(f"frames come, or are paused as asked: {told}", is_healthy=True)
