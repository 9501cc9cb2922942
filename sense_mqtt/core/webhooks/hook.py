"""One webhook: which events it gets, and what is posted of one."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from sense_mqtt.core.payloads import read_object, write_json
from sense_mqtt.core.readings.entities import HOUSE_EVENTS

Format = Literal["json", "ifttt"]


class Hook(Struct, frozen=True):
    """A webhook as it is configured, without its URL."""

    key: str  # names it in the journal, after every restart
    format: Format
    events: frozenset[str] = frozenset()  # their types; empty: all of devices, none of the house
    devices: frozenset[str] = frozenset()  # Sense ids; empty: all

    def wants(self, event: Mapping[str, Any]) -> bool:
        """Say whether the hook gets an event, given its payload on MQTT. One of the house has to be asked for."""
        event_type, device = event.get("event_type"), event.get("device")
        is_wanted = event_type in self.events if self.events else event_type not in HOUSE_EVENTS
        return is_wanted and (not self.devices or device is None or device in self.devices)

    def body(self, payload: str) -> str:
        """Return the JSON to be posted for an event, given its payload on MQTT."""
        if self.format == "json":
            return payload
        event = read_object(payload)
        return write_json(
            {"value1": event.get("name", ""), "value2": event.get("event_type", ""), "value3": event.get("time", "")}
        )


def hook_keys(hooks: Iterable[tuple[str, Format]]) -> Sequence[str]:
    """Return the key of each hook, given its URL and format. Keys tell nothing of a URL that holds a secret."""
    seen = Counter[tuple[str, Format]]()
    keys = []
    for hook in hooks:
        url, form = hook
        keys.append(hashlib.sha256(f"{form} {seen[hook]} {url}".encode()).hexdigest()[:24])
        seen[hook] += 1  # one URL twice, for other events
    return keys


def lane_of(event: Mapping[str, Any]) -> str:
    """Return within which sequence the order of an event is kept: that of its device, or of the house."""
    return f"{event.get('monitor', '')}/{event.get('device', '')}"
