"""Frames, rows and moments as short as a test wants them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sense_mqtt.core.changes import Change, DeviceChanged, DeviceRemoved, Event, Reading
from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.home.state import DevicesListed, Home, Policy
from sense_mqtt.core.observe import Seen, observe
from sense_mqtt.core.publishing.messages import HomeTopics, to_messages
from sense_mqtt.core.publishing.reading_text import payload_of
from sense_mqtt.core.publishing.topics import Topics
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.wire.devices import read_device_list
from sense_mqtt.core.wire.frames import RealtimeUpdate, read_update

START = 1_795_000_000.0  # seconds UTC, in November 2026
DRYER = {"id": "1a2b3c4d", "name": "Dryer", "w": 5584.7}
PLUG = {"id": "ssi-1f2e3d4c", "name": "TV", "w": 80.0, "sd": {"w": 80.0}, "ao_w": 5.0}
ALWAYS_ON = {"id": "always_on", "name": "Always On", "w": 250.0}
OTHER = {"id": "unknown", "name": "Other", "w": 50.0}
PSEUDO = (ALWAYS_ON, OTHER)
KETTLE = {"id": "99aabbcc", "name": "Kettle", "w": 1500.0}
SOLAR = {"id": "solar", "name": "Solar", "w": 1.0, "tags": {"DeviceListAllowed": "false"}}
HOME = Home(monitor=7)  # of which nothing is known yet


def frame(*devices: Mapping[str, Any], at: float | None = 0.0, **fields: Any) -> RealtimeUpdate:
    """Return a frame with these devices beside the pseudo devices, measured `at` seconds after START."""
    epoch = {} if at is None else {"epoch": START + at}
    return read_update({"w": 300.0, "devices": [*devices, *PSEUDO], **epoch, **fields})


def bare_frame(*devices: Mapping[str, Any], at: float = 0.0, **fields: Any) -> RealtimeUpdate:
    """Return a frame with these devices only."""
    return read_update({"w": 300.0, "devices": list(devices), "epoch": START + at, **fields})


def moment(after_s: float) -> Moment:
    return Moment(START + after_s, 1000.0 + after_s)


def policy(rules: Mapping[str, DeviceRules] | None = None, **more: Any) -> Policy:
    """Return a policy; delays are 0 where no rule says otherwise."""
    given = rules or {}
    return Policy(lambda device: given.get(device, DeviceRules(off_delay_s=0.0)), **more)


def run(home: Home, *seen: tuple[float, Seen], wanted: Policy | None = None) -> tuple[Home, list[Change]]:
    """Let a house observe each thing at so many seconds after START; return all changes."""
    changes: list[Change] = []
    for after_s, thing in seen:
        home, more = observe(home, thing, moment(after_s), wanted or policy())
        changes.extend(more)
    return home, changes


def events(changes: list[Change]) -> list[tuple[str | None, str, float]]:
    """Return (device, event type, seconds after START) of each event."""
    return [(c.device, c.event_type, round(c.time - START, 3)) for c in changes if isinstance(c, Event)]


def readings(changes: list[Change], key: str, device: str | None = None) -> list[str]:
    """Return the payloads of one reading, in order."""
    return [payload_of(c) for c in changes if isinstance(c, Reading) and (c.device, c.key) == (device, key)]


def listed(*devices: Mapping[str, Any]) -> DevicesListed:
    """Return a list of devices as REST gives it: these and the pseudo devices, without watts."""
    bare = [{key: value for key, value in device.items() if key != "w"} for device in (*devices, *PSEUDO)]
    return DevicesListed(read_device_list(bare))


def house_events(changes: list[Change]) -> list[tuple[Any, ...]]:
    """Return what is told of the house: (event type, device, and what else beside its name)."""
    told = [c for c in changes if isinstance(c, Event) and c.device is None]
    return [(c.event_type, *(value for key, value in c.fields.items() if key != "name")) for c in told]


def event_ids(changes: Sequence[Change]) -> list[str]:
    """Return the ids under which the events are told."""
    return [event["id"] for event in written_events(changes)]


def written_events(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Return the events as they are told on MQTT."""
    messages = to_messages(changes, HomeTopics(Topics("sense", "homeassistant"), 7, {}))
    return [
        json.loads(message.payload) for message in messages if not message.retain and message.topic.endswith("/event")
    ]


def introduced(changes: list[Change]) -> list[str | None]:
    return [c.device for c in changes if isinstance(c, DeviceChanged)]


def withdrawn(changes: list[Change]) -> list[str]:
    return [c.device for c in changes if isinstance(c, DeviceRemoved)]


def names(changes: list[Change]) -> dict[str, str]:
    """Return the names in the list of devices as last told."""
    return {entry["id"]: entry["name"] for entry in json.loads(readings(changes, "devices")[-1])}
