"""When a frame shows the house, what it is as a sample of a device, and with what that is evaluated."""

import msgspec
from msgspec.structs import replace

from sense_mqtt.core.home.state import Device, Home, Policy
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.transitions.on_off import Context, Sample, Source
from sense_mqtt.core.transitions.timing import LONG_GAP_S, POLL_LAG_S, SIGHTING_S
from sense_mqtt.core.wire.devices import VIRTUAL_IDS
from sense_mqtt.core.wire.frames import RealtimeUpdate


class HouseSample(msgspec.Struct, frozen=True):
    """What a frame shows of the house as a whole."""

    absent: Sample  # what it shows of a device that it does not list
    shows_absence: bool  # such a device is off


def house_sample(home: Home, update: RealtimeUpdate, now: Moment, policy: Policy) -> HouseSample:
    """Return what a frame shows of the house as a whole."""
    return HouseSample(absent_sample(home, update, now, policy), shows_absence(update))


def absent_sample(home: Home, update: RealtimeUpdate, now: Moment, policy: Policy) -> Sample:
    """Return what a frame shows of a device that it does not list."""
    return Sample(None, time_of(update, now), now.monotonic, _source_of(home, update, policy), _uncertainty_s(update))


def shows_absence(update: RealtimeUpdate) -> bool:
    """Say whether a device that the frame does not list is off: without a virtual device it is no proof."""
    return not VIRTUAL_IDS.isdisjoint(update.rows)


def time_of(update: RealtimeUpdate, now: Moment) -> float:
    """Return when the house was as the frame shows it, seconds UTC."""
    return now.wall if update.epoch is None else update.epoch


def _uncertainty_s(update: RealtimeUpdate) -> float:
    """Return by how much the frame may be older than that."""
    # A polled frame does not say when it was measured.
    return POLL_LAG_S + update.took_s if update.epoch is None else 0.0


def _source_of(home: Home, update: RealtimeUpdate, policy: Policy) -> Source:
    """Return what an edge that this frame shows is owed to: that it follows another frame, or that a gap is over."""
    # Snapshots come as seldom as polls: there is a gap only where the house went `offline` in between.
    is_after_gap = home.coverage.is_gap_before(update.epoch, max(LONG_GAP_S, policy.stale_after_s))
    return "reconnect" if home.coverage.is_interrupted or is_after_gap else "frame"


def context_of(home: Home, device: Device, policy: Policy) -> Context:
    """Return what samples of a device are evaluated with."""
    rules = policy.rules(device.info.id)
    if home.identities.sightings:  # it may be one of those that are shown instead
        rules = replace(rules, off_delay_s=max(rules.off_delay_s, SIGHTING_S))
    return Context(device.info.id, rules, device.edges, home.coverage)
