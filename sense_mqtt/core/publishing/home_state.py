"""The present state of a house in one document: the readings that were published last, and when they were true."""

from collections.abc import Iterable

from sense_mqtt.core.changes import Change, Reading, Value
from sense_mqtt.core.home.state import Home
from sense_mqtt.core.payloads import write_json
from sense_mqtt.core.publishing.reading_text import payload_of
from sense_mqtt.core.readings.entities import MONITOR
from sense_mqtt.core.timestamps import write_timestamp

# What has a value of its own: not the documents of energy, which have a period each, nor what tells of the feed.
KEYS = tuple(
    row.topic
    for row in MONITOR
    if row.platform in ("sensor", "binary_sensor")
    and row.field is None
    and row.topic not in ("availability", "last_frame")
)


_CHANGING = frozenset(KEYS)


def is_changed(changes: Iterable[Change]) -> bool:
    """True where one of the readings in the document is among the changes."""
    return any(isinstance(change, Reading) and change.device is None and change.key in _CHANGING for change in changes)


def write_home_state(home: Home) -> str:
    """Return the document. What is not known is absent; numbers are rounded as on their own topics."""
    published = ((key, home.published.get((None, key))) for key in KEYS)
    values = {
        key: _value(key, entry.value) for key, entry in published if entry is not None and entry.value is not None
    }
    epoch = home.last_frame.epoch if home.last_frame else None
    return write_json({**values, **({} if epoch is None else {"time": write_timestamp(epoch)})})


def _value(key: str, value: Value) -> object:
    text = payload_of(Reading(None, key, value))
    return float(text) if isinstance(value, float) else text
