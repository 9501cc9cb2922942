"""What was published last of each reading, and whether a new value would be written in another way."""

from collections.abc import Container, Iterable

from msgspec.structs import replace

from sense_mqtt.core.changes import Reading, Value
from sense_mqtt.core.home.state import Home, Published, Subject
from sense_mqtt.core.readings.entities import entity_of
from sense_mqtt.core.timestamps import Moment


def if_changed(home: Home, reading: Reading) -> tuple[Reading, ...]:
    """Return the reading, unless the same was published last."""
    published = home.published.get((reading.device, reading.key))
    return () if published is not None and is_same(reading, published.value) else (reading,)


def is_same(reading: Reading, other: Value) -> bool:
    """True where another value of the same reading is written alike: rounded, it is equal."""
    value, decimals = reading.value, entity_of(reading.device, reading.key).decimals
    if isinstance(value, float) and isinstance(other, float) and decimals is not None:
        return round(value, decimals) == round(other, decimals)
    return type(value) is type(other) and value == other  # an exact 0 is not written as 0.0


def published_number(home: Home, device: str | None, key: str) -> float | None:
    """Return the number that was published last, None where it was none."""
    published = home.published.get((device, key))
    return published.value if published is not None and isinstance(published.value, (int, float)) else None


def forget_published(home: Home, subjects: Container[Subject]) -> Home:
    """Return the home as if these readings had not been published."""
    return replace(home, published={key: each for key, each in home.published.items() if key not in subjects})


def mark_published(home: Home, readings: Iterable[Reading], now: Moment) -> Home:
    """Return the home with these readings as published now."""
    published = {(reading.device, reading.key): Published(reading.value, now.monotonic) for reading in readings}
    return replace(home, published={**home.published, **published}) if published else home
