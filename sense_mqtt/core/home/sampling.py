"""When a frame shows the house, and what it is as a sample of a device."""

from sense_mqtt.core.home.state import Home, Policy
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.transitions.on_off import Sample, Source
from sense_mqtt.core.transitions.timing import LONG_GAP_S, POLL_LAG_S
from sense_mqtt.core.wire.devices import VIRTUAL_IDS
from sense_mqtt.core.wire.frames import RealtimeUpdate


def absent_sample(home: Home, update: RealtimeUpdate, now: Moment, policy: Policy) -> Sample:
    """Return what a frame shows of a device that it does not list."""
    return Sample(None, time_of(update, now), now.monotonic, source_of(home, update, policy), uncertainty_s(update))


def shows_absence(update: RealtimeUpdate) -> bool:
    """True where a device that the frame does not list is off."""
    # Without a virtual device a frame is no proof of "off" (protocol page, 4.5).
    return any(power.id in VIRTUAL_IDS for power in update.devices)


def time_of(update: RealtimeUpdate, now: Moment) -> float:
    """Return when the house was as the frame shows it, seconds UTC."""
    return now.wall if update.epoch is None else update.epoch


def uncertainty_s(update: RealtimeUpdate) -> float:
    """Return by how much the frame may be older than that."""
    # A polled frame does not say when it was measured.
    return POLL_LAG_S + update.took_s if update.epoch is None else 0.0


def source_of(home: Home, update: RealtimeUpdate, policy: Policy) -> Source:
    """Return what an edge that this frame shows is owed to: that it follows another frame, or that a gap is over."""
    # Snapshots come as seldom as polls: there is a gap only where the house went `offline` in between.
    is_after_gap = home.coverage.is_gap_before(update.epoch, max(LONG_GAP_S, policy.stale_after_s))
    return "reconnect" if home.coverage.is_interrupted or is_after_gap else "frame"
