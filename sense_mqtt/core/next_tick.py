"""When time alone may change what is known of a home, so that a home is looked at only when that is due."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

from sense_mqtt.core.capabilities import CAPABILITIES
from sense_mqtt.core.capability import Capability
from sense_mqtt.core.home.state import Home, Policy
from sense_mqtt.core.readings.capability_readings import intervals_s
from sense_mqtt.core.readings.entities import entity_of

SLACK_S = 0.001  # of a sum of floats; a Tick that comes too early changes nothing


def next_tick(home: Home, now: float, policy: Policy, capabilities: Iterable[Capability[Any]] = CAPABILITIES) -> float:
    """Return when (monotonic s) the Tick after that of `now` is due; infinite: not before something is observed.

    `now`: while a change or a new device is held back, or an item of the timeline waits, each Tick may decide it.
    """
    if home.pending_items or home.identities.sightings or any(device.switch.held for device in home.devices.values()):
        return now
    waits_s = [capability.tick_s for capability in capabilities]
    newest = home.coverage.last_frame_at
    if newest is not None and not home.coverage.is_stale(now, policy.stale_after_s):
        waits_s.append(policy.stale_after_s - (now - newest))  # 0: not stale yet, but at the next moment
        waits_s += [wait_s for wait_s in _remaining_s(home, now, policy) if wait_s > 0.0]
    return max(now, now + min(waits_s, default=math.inf) - SLACK_S)


def _remaining_s(home: Home, now: float, policy: Policy) -> Iterator[float]:
    """Yield the seconds until each interval is over; what is over already, the Tick of `now` has published."""
    by_throttle = intervals_s(policy)
    published = [(by_throttle[entity_of(*key).throttle], value.at) for key, value in home.published.items()]
    of_house = [(policy.house_interval_s, home.house_published_at), (policy.stale_after_s, home.solar_seen_at)]
    for interval_s, since in (*published, *of_house):
        if since is not None:
            yield interval_s - (now - since)
