"""The readings of the house are one set: of one frame, on one clock, and no device is shown to draw more than it."""

from collections.abc import Iterable

from sense_mqtt.core.changes import Reading
from sense_mqtt.core.home.state import Home, Policy
from sense_mqtt.core.payloads import write_number
from sense_mqtt.core.readings.entities import HOUSE_READINGS
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.wire.frames import RealtimeUpdate

Due = tuple[Reading, float | None]  # the number is rounded in the reading's text

SOLAR_READINGS = tuple(entity.key for entity in HOUSE_READINGS if entity.solar_only)


def due_readings(home: Home, now: Moment, policy: Policy, *, at_once: bool) -> list[Due]:
    """Return all of the set that has changed, where the set is due or must be told `at_once`."""
    update = home.last_frame
    if update is None or _waits_for_solar(home, update, now, policy):
        return []
    if not (at_once or _is_due(home, now, policy) or _jumps(home, update, policy.jump_w)):
        return []
    return [*_changed(home, update), *_removed_solar(home, update)]


def is_exceeded(home: Home, powers: Iterable[Due]) -> bool:
    """Say whether one of these powers of devices is more than the house is shown to draw."""
    shown = home.published.get((None, "power"))
    most = max((value for _, value in powers if value is not None), default=0.0)
    return shown is not None and shown.value is not None and most > shown.value


def published_above(home: Home, house: Iterable[Due]) -> list[str]:
    """Return the devices that were last told to draw more than the house draws now."""
    drawn = next((value for reading, value in house if reading.key == "power"), None)
    if drawn is None:
        return []
    shown = ((identity, home.published.get((identity, "power"))) for identity in home.devices)
    return [
        identity
        for identity, published in shown
        if published and published.value is not None and published.value > drawn
    ]


def _is_due(home: Home, now: Moment, policy: Policy) -> bool:
    # A frame that waited for the timeline of a gap is older than what that told.
    return (
        home.house_published_at is None or max(now.monotonic - home.house_published_at, 0.0) >= policy.house_interval_s
    )


def _jumps(home: Home, update: RealtimeUpdate, jump_w: float | None) -> bool:
    if jump_w is None:
        return False
    of_power = [entity for entity in HOUSE_READINGS if entity.unit == "W"]
    values = (
        (home.published.get((None, entity.key)), entity.measure(update) if entity.measure else None)
        for entity in of_power
    )
    return any(
        published is not None
        and published.value is not None
        and value is not None
        and abs(value - published.value) >= jump_w
        for published, value in values
    )


def _changed(home: Home, update: RealtimeUpdate) -> Iterable[Due]:
    for entity in HOUSE_READINGS:
        value = entity.measure(update) if entity.measure else None
        published = home.published.get((None, entity.key))
        if value is None or entity.decimals is None or (published is not None and published.value == value):
            continue
        text = write_number(value, entity.decimals)
        if published is None or published.text != text:
            yield Reading(None, entity.key, text), value


# A frame without the sun's watts tells neither grid nor share, and what was told of them does not fit its power. So it
# is passed over as long as a house without any frame would still be `online`. After that the house is told without
# its sun, and what was told of the sun is taken back.


def _waits_for_solar(home: Home, update: RealtimeUpdate, now: Moment, policy: Policy) -> bool:
    if update.solar_w is not None or home.solar_seen_at is None:
        return False
    return now.monotonic - home.solar_seen_at < policy.stale_after_s


def _removed_solar(home: Home, update: RealtimeUpdate) -> Iterable[Due]:
    for key in SOLAR_READINGS if update.solar_w is None else ():
        published = home.published.get((None, key))
        if published is not None and published.text:
            yield Reading(None, key, ""), None
