"""The readings of the house are one set: of one frame, on one clock, and no device is shown to draw more than it."""

from collections.abc import Iterable, Sequence

from sense_mqtt.core.changes import Reading
from sense_mqtt.core.home.state import Home, Policy
from sense_mqtt.core.readings.entities import HOUSE_READINGS
from sense_mqtt.core.readings.published import if_changed, published_number
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.wire.frames import RealtimeUpdate

SOLAR_READINGS = tuple(entity.key for entity in HOUSE_READINGS if entity.solar_only)
_POWERS = frozenset(entity.key for entity in HOUSE_READINGS if entity.unit == "W")


def due_readings(home: Home, now: Moment, policy: Policy, *, at_once: bool) -> list[Reading]:
    """Return all of the set that has changed, where the set is due or must be published `at_once`."""
    update = home.last_frame
    if update is None or not (at_once or _is_due(home, now, policy) or jumps(home, update, policy.jump_w)):
        return []
    if _waits_for_solar(home, update, now, policy):
        return []
    changed = [reading for present in _measured(update) for reading in if_changed(home, present)]
    return [*changed, *_removed_solar(home, update)]


def is_exceeded(home: Home, devices: Sequence[Reading]) -> bool:
    """True where one of these powers of devices is more than the published power of the house."""
    if not devices:
        return False
    published = published_number(home, None, "power")
    most = max((value for reading in devices if (value := _watts(reading)) is not None), default=0.0)
    return published is not None and most > published


def published_above(home: Home, house: Sequence[Reading]) -> list[str]:
    """Return the devices whose published power is more than the power of the house is now."""
    drawn = next((value for reading in house if (value := _watts(reading)) is not None), None)
    if drawn is None:
        return []
    published = ((identity, published_number(home, identity, "power")) for identity in home.devices)
    return [identity for identity, watts in published if watts is not None and watts > drawn]


def _watts(reading: Reading) -> float | None:
    return reading.value if reading.key == "power" and isinstance(reading.value, (int, float)) else None


def _is_due(home: Home, now: Moment, policy: Policy) -> bool:
    # A frame that waited for the timeline of a gap is older than what that told.
    before = home.house_published_at
    return before is None or max(now.monotonic - before, 0.0) >= policy.house_interval_s


def jumps(home: Home, update: RealtimeUpdate, jump_w: float | None) -> bool:
    """True where one of the house's powers is at least `jump_w` away from what was published."""
    if jump_w is None:
        return False
    powers = [reading for reading in _measured(update) if reading.key in _POWERS]
    return any(is_jump(reading, published_number(home, None, reading.key), jump_w) for reading in powers)


def is_jump(reading: Reading, published: float | None, jump_w: float | None) -> bool:
    """True where the reading is at least `jump_w` away from what was published."""
    if jump_w is None or published is None or not isinstance(reading.value, (int, float)):
        return False
    return abs(reading.value - published) >= jump_w


def _measured(update: RealtimeUpdate) -> Iterable[Reading]:
    for entity in HOUSE_READINGS:
        value = entity.measure(update) if entity.measure else None
        if value is not None:
            yield Reading(None, entity.key, value)


# A frame without solar power has neither grid power nor share, and those published before do not fit its power. So it
# is passed over as long as a house without any frame would still be `online`. After that the house is published
# without its solar readings, and those are emptied.


def _waits_for_solar(home: Home, update: RealtimeUpdate, now: Moment, policy: Policy) -> bool:
    if update.solar_w is not None or home.solar_seen_at is None:
        return False
    return now.monotonic - home.solar_seen_at < policy.stale_after_s


def _removed_solar(home: Home, update: RealtimeUpdate) -> Iterable[Reading]:
    for key in SOLAR_READINGS if update.solar_w is None else ():
        if published_number(home, None, key) is not None:
            yield Reading(None, key, None)
