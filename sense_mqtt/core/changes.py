"""What an observation changed: readings, events, and devices that come, change or go."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from sense_mqtt.core.timestamps import write_timestamp

LATE_AFTER_S = 60  # an event published more than this after it happened is `late`


Document = Mapping[str, Any]  # of what JSON can hold, and datetimes
Value = float | bool | str | datetime | Document | Sequence[Document] | None


class Reading(Struct, frozen=True):
    """A present value, of the house where `device` is None. How it is written, the sink decides."""

    device: str | None
    key: str  # of its entity, as the topic below the monitor's or device's own: `power`, `energy/day`
    value: Value  # a number is a float, in the entity's unit; an int where it is exact; None: not known any more


class Event(Struct, frozen=True):
    """Something that happened once, to a device or, where `device` is None, to the house."""

    device: str | None
    event_type: str
    time: float  # seconds UTC, when it happened at the house
    fields: Mapping[str, Any] = field(default_factory=dict)  # further keys of the payload


class DeviceChanged(Struct, frozen=True):
    """A device (None: the house) is new, or its description changed: its discovery is to be published."""

    device: str | None


class DeviceRemoved(Struct, frozen=True):
    """A device is gone for good: its retained topics are to be cleared."""

    device: str


class ReadingRemoved(Struct, frozen=True):
    """A device does not have this reading any more: its retained topic is to be cleared."""

    device: str
    key: str


class StateChanged(Struct, frozen=True):
    """What a capability knows has changed, in a way that must survive a restart."""

    capability: str
    synced: bool = True  # a cut of power, too


Change = Reading | Event | DeviceChanged | DeviceRemoved | ReadingRemoved | StateChanged


def event_id(monitor: int, device: str, event_type: str, time: float) -> str:
    """Return the id of a transition: the same however often, and from whichever source, it is found."""
    transition = f"{monitor}/{device}/{event_type}/{write_timestamp(time)}"
    # JSON can spell half a surrogate pair, which UTF-8 cannot carry.
    return hashlib.sha256(transition.encode(errors="surrogatepass")).hexdigest()[:32]
