"""From changes to messages: topic, payload, retained or not."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from sense_mqtt.core.changes import LATE_AFTER_S, Change, DeviceRemoved, Event, Reading, ReadingRemoved, event_id
from sense_mqtt.core.payloads import read_object, write_json
from sense_mqtt.core.publishing.message import Message, PublishOrder
from sense_mqtt.core.publishing.reading_text import payload_of
from sense_mqtt.core.publishing.topics import Topics
from sense_mqtt.core.readings.entities import DEVICE
from sense_mqtt.core.timestamps import read_timestamp, write_timestamp


class HomeTopics(Struct, frozen=True):
    """The topics of one home."""

    topics: Topics
    monitor: int
    ids: Mapping[str, str]  # of devices whose own id another one has in topics

    def name(self, device: str | None, key: str) -> str:
        if device is None:
            return self.topics.monitor(self.monitor, key)
        return self.topics.device(self.monitor, self.ids.get(device, device), key)


def to_messages(changes: Iterable[Change], topics: HomeTopics) -> tuple[Message, ...]:
    """Return the messages that tell these changes, in order; Home Assistant's are made in discovery.py."""
    messages: list[Message] = []
    for change in changes:
        if isinstance(change, Reading):
            messages.append(_of_reading(change, topics))
        else:
            messages += _of_other(change, topics)
    return tuple(messages)


def _of_reading(reading: Reading, topics: HomeTopics) -> Message:
    order = PublishOrder.AVAILABILITY if reading.key == "availability" else PublishOrder.VALUE
    return Message(topics.name(reading.device, reading.key), payload_of(reading), retain=True, order=order)


def _of_other(change: Change, topics: HomeTopics) -> Iterator[Message]:
    match change:
        case Event():
            payload = write_json(event_document(topics.monitor, change))
            yield Message(topics.name(change.device, "event"), payload)
            yield Message(topics.name(None, "events"), payload)  # for those who have no wildcards
        case DeviceRemoved():
            for key in ("attributes", *dict.fromkeys(entity.topic for entity in DEVICE if entity.platform != "event")):
                yield Message(topics.name(change.device, key), "", retain=True, final=True)
        case ReadingRemoved():
            yield Message(topics.name(change.device, change.key), "", retain=True, final=True)
        case _:
            return


def event_document(monitor: int, event: Event) -> dict[str, Any]:
    """Return what is told of an event."""
    about = {} if event.device is None else {"device": event.device}
    device = str(event.fields.get("device", "")) if event.device is None else event.device
    told = {
        "id": event_id(monitor, device, event.event_type, event.time),
        "event_type": event.event_type,
        "monitor": monitor,
        **about,
        "time": write_timestamp(event.time),
    }
    return {**told, **event.fields}


# --- events that were written down


def stored_event(number: int, topic: str, payload: str) -> Message:
    """Return an event as the journal holds it."""
    return Message(topic, payload, event=number, event_id=event_id_of(payload))


def event_id_of(payload: str) -> str:
    """Return an event's id; the payload itself where it has none."""
    return str(read_object(payload).get("id", payload))


def as_of(message: Message, now: float) -> Message:
    """Return a message as it is to go out at `now`, seconds UTC: an event that waited may be `late` by then."""
    if message.event is None:
        return message
    fields = read_object(message.payload)
    occurred_at = read_timestamp(fields.get("time"))
    if fields.get("late") is not False or occurred_at is None or now - occurred_at <= LATE_AFTER_S:
        return message
    return replace(message, payload=write_json({**fields, "late": True}))
