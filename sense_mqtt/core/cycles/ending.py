"""When a cycle is over: nothing has run for its pause, and nothing can come any more that ran meanwhile."""

import math

from sense_mqtt.core.cycles.appliance import Cycle
from sense_mqtt.core.edges import State
from sense_mqtt.core.home.state import Device, Home
from sense_mqtt.core.transitions.timing import MAX_CLOCK_SLIP_S

# After time without frames Sense's timeline may still tell of a phase: it is read every 180 s between polls, and its
# items appear some 90 s late.
TIMELINE_SETTLES_S = 300.0


def is_over(cycle: Cycle, pause_s: float, device: Device, home: Home) -> bool:
    """True once the cycle can be told. Only frames say that time has passed: without them nothing is known."""
    ended, now = cycle.ended, home.coverage.last_observed_at
    if ended is None or now is None or home.coverage.is_interrupted:
        return False
    if now < ended - MAX_CLOCK_SLIP_S:
        return True  # the monitor's clock was set back
    if now < over_from(cycle, pause_s, home):
        return False
    held = device.switch.held
    if held is not None and held.state is State.ON and held.first.time - ended <= pause_s:
        return False  # perhaps one more phase
    return not any(item.device == device.info.id for item in home.pending_items)


def over_from(cycle: Cycle, pause_s: float, home: Home) -> float:
    """Return from when on (s UTC) the cycle is over, where nothing more is seen; infinite while it runs."""
    if cycle.ended is None:
        return math.inf
    end = cycle.ended + pause_s
    return max(end, _settled_at(cycle.ended, end, home))


def _settled_at(start: float, end: float, home: Home) -> float:
    """Return when the timeline has told what happened between two times, where no frame covers all of it."""
    ends = [min(until, end) for since, until in home.coverage.unobserved if since < end and until > start]
    return max(ends) + TIMELINE_SETTLES_S if ends else end
