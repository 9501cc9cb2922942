"""From changes to messages: topic, payload, retained or not."""

from collections.abc import Iterable, Iterator

from sense_mqtt.core.changes import Change, Event, Reading, Withdrawal, identify
from sense_mqtt.core.entities import DEVICE
from sense_mqtt.core.instants import write_instant
from sense_mqtt.core.outgoing import Message, Rank
from sense_mqtt.core.replies import write_json
from sense_mqtt.core.topics import Topics


def say(monitor: int, changes: Iterable[Change], topics: Topics) -> tuple[Message, ...]:
    """Return the messages that tell these changes, in order; Home Assistant's are made in discovery.py."""
    return tuple(message for change in changes for message in _say(monitor, change, topics))


def _say(monitor: int, change: Change, topics: Topics) -> Iterator[Message]:
    match change:
        case Reading():
            rank = Rank.AVAILABILITY if change.key == "availability" else Rank.VALUE
            yield Message(_topic(monitor, change.device, change.key, topics), change.text, retain=True, rank=rank)
        case Event():
            yield Message(_topic(monitor, change.device, "event", topics), _write_event(monitor, change))
        case Withdrawal():
            for key in ("attributes", *dict.fromkeys(entity.topic for entity in DEVICE if entity.platform != "event")):
                yield Message(topics.device(monitor, change.device, key), "", retain=True)
        case _:
            return


def _topic(monitor: int, device: str | None, key: str, topics: Topics) -> str:
    return topics.monitor(monitor, key) if device is None else topics.device(monitor, device, key)


def _write_event(monitor: int, event: Event) -> str:
    about = {} if event.device is None else {"device": event.device}
    identity = identify(monitor, str(event.fields.get("device", "")), event.event_type, event.time)
    told = {
        "id": identity,
        "event_type": event.event_type,
        "monitor": monitor,
        **about,
        "time": write_instant(event.time),
    }
    return write_json({**told, **event.fields})
