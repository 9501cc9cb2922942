"""When time alone may change what is known of a home, so that a home is looked at only when that is due."""

import math
from collections.abc import Callable, Iterator, Mapping

from sense_mqtt.core.home.state import Home, Policy
from sense_mqtt.core.readings.throttle import MINUTE_S

INTERVALS: Mapping[str, Callable[[Policy], float]] = {
    "power": lambda policy: policy.device_interval_s,
    "last_frame": lambda _: MINUTE_S,
}
"""Of readings that are published at most so often, by key."""

SLACK_S = 0.001  # of a sum of floats; a Tick that comes too early changes nothing


def next_tick(home: Home, now: float, policy: Policy) -> float:
    """Return when (monotonic s) the Tick after that of `now` is due; infinite: not before something is observed.

    `now`: while a change is held back, or an item of the timeline waits, each Tick may decide it.
    """
    if home.pending_items or any(device.switch.held for device in home.devices.values()):
        return now
    newest = home.coverage.last_frame_at
    if newest is None or home.coverage.is_stale(now, policy.stale_after_s):
        return math.inf
    stale_in_s = policy.stale_after_s - (now - newest)  # 0: not stale yet, but at the next moment
    remaining_s = [wait_s for wait_s in _remaining_s(home, now, policy) if wait_s > 0.0]
    return max(now, now + min([stale_in_s, *remaining_s]) - SLACK_S)


def _remaining_s(home: Home, now: float, policy: Policy) -> Iterator[float]:
    """Yield the seconds until each interval is over; what is over already, the Tick of `now` has published."""
    for since, interval_s in (
        (home.solar_seen_at, policy.stale_after_s),
        (home.house_published_at, policy.house_interval_s),
        *((published.at, INTERVALS[key](policy)) for (_, key), published in home.published.items() if key in INTERVALS),
    ):
        if since is not None:
            yield interval_s - (now - since)
