"""When time alone may change what is known of a home, so that a home is looked at only when that is due."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

from sense_mqtt.core.capabilities import CAPABILITIES
from sense_mqtt.core.capability import Capability
from sense_mqtt.core.home.plain_frames import SLACK_S
from sense_mqtt.core.home.state import Home, Policy
from sense_mqtt.core.readings.throttle import FRAME_S, MINUTE_S, frame_expected_s


def next_tick(home: Home, now: float, policy: Policy, capabilities: Iterable[Capability[Any]] = CAPABILITIES) -> float:
    """Return when (monotonic s) a Tick is due after what was observed at `now`; infinite: not before more is observed.

    `now`: while a change or a new device is held back, or an item of the timeline waits, each Tick may decide it.
    """
    waits_s = [capability.tick_after_s(capability.state_of(home), now) for capability in capabilities]
    if home.plain is not None:
        silent_s = home.plain.arrived + policy.stale_after_s - now
        due_s = max(home.plain.due, home.plain.arrived + FRAME_S) - now
        return max(now, now + min(silent_s, due_s, *waits_s) - SLACK_S)
    if home.pending_items or home.identities.sightings or home.held_devices:
        return now
    newest = home.coverage.last_frame_at
    if newest is not None and not home.coverage.is_stale(now, policy.stale_after_s):
        waits_s.append(policy.stale_after_s - (now - newest))  # 0: not stale yet, but at the next moment
        waits_s.append(home.waiting.first - now)  # a reading of a device, or of a capability
        waits_s += [wait_s for wait_s in _of_the_house(home, now, policy) if wait_s > 0.0]
    return max(now, now + min(waits_s, default=math.inf) - SLACK_S)


def _of_the_house(home: Home, now: float, policy: Policy) -> Iterator[float]:
    """Yield the seconds until each interval is over and no frame is awaited; what was over before is published."""
    expected_s = frame_expected_s(home, now)
    last_frame = home.published.get((None, "last_frame"))
    intervals = (
        (policy.house_interval_s, home.house_published_at),
        (policy.stale_after_s, home.solar_seen_at),
        (MINUTE_S, last_frame.at if last_frame else None),
    )
    for interval_s, since in intervals:
        if since is not None:
            left_s = interval_s - (now - since)
            if left_s > -FRAME_S:
                yield max(left_s, expected_s)
