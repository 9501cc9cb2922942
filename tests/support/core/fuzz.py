"""Messages of Sense gone wrong: any value in any place, seeded so that each run makes the same."""

import copy
import random
from collections.abc import Iterator

from tests.support.core.builders import START

DEVICE = {
    "id": "1a2b3c4d",
    "name": "Dryer",
    "icon": "washer",
    "w": 5584.7,
    "make": "Miele",
    "given_location": "Cellar",
    "attrs": [],
    "tags": {"UserDeviceType": "Dryer", "DeviceListAllowed": "true", "UserDeleted": "false", "PeerNames": [{"a": 1}]},
}
PLUG = {"id": "ssi-1", "name": "TV", "w": 0.9, "attrs": ["Idle"], "sd": {"w": 0.9}, "ao_w": 4.0, "tags": {"DUID": "x"}}
UPDATE = {
    "type": "realtime_update",
    "payload": {
        "w": 6000.1,
        "epoch": START,
        "hz": 60.01,
        "channels": [3000.0, 3000.1],
        "voltage": [121.4, 120.9],
        "solar_w": 1200.5,
        "solar_pct": 20,
        "grid_w": 4799,
        "aux": {"solar": [-600.0, -600.5]},
        "devices": [
            DEVICE,
            PLUG,
            {"id": "always_on", "name": "Always On", "w": 250.0},
            {"id": "unknown", "w": 50.0},
            {"id": "solar", "w": 1200.5, "tags": {"DeviceListAllowed": "false"}},
        ],
    },
}
ITEM = {"type": "DeviceOn", "device_id": "1a2b3c4d", "time": "2026-11-21T00:00:00Z", "guid": "g"}
RUN = {"type": "DeviceWasOn", "device_id": "a", "start_time": "2026-11-21", "time": "2026-11-22", "children": [ITEM]}
MESSAGES = [
    UPDATE,
    UPDATE,
    UPDATE,
    {"type": "hello", "payload": {"online": True}},
    {"type": "monitor_info", "payload": {"features": "NDI", "online": True}},
    {"type": "data_change", "payload": {"device_data_checksum": "0A", "pending_events": {"new_device_found": {}}}},
    {"type": "device_states", "payload": {"states": [{"device_id": "a", "mode": "off"}], "update_type": "full"}},
    {
        "type": "new_timeline_event",
        "payload": {"items_added": [ITEM, RUN], "items_removed": [], "items_updated": [ITEM]},
    },
    {"type": "error", "payload": {"authorized": False, "error_reason": "Unauthorized"}},
]
USAGE = {
    "start": "2026-03-08T08:00:00Z",
    "consumption": {"usage_total_kwh": 6.9, "total": 6.9, "devices": [{"id": "1a2b3c4d", "total_kwh": 1.5}]},
    "production": {"total": 9.0},
    "device_breakdown": [{"id": "1a2b3c4d", "name": "Dryer", "consumption": {"usage_total_kwh": 1.5}}],
    "total": {"production_kwh": 9.0, "from_grid_kwh": 3.1, "net_kwh": 2.1, "solar_percentage": 55},
}

ODD = [
    None,
    True,
    False,
    0,
    -1,
    1.5,
    -0.0,
    1e14,
    -9.9e14,
    1e15,
    1e300,
    -1e308,
    float("nan"),
    float("inf"),
    10**30,
    10**400,
]
ODD += ["", " ", "NaN", "true", "a/+/#", "\ud800", "\udfff\x00", "x" * 70_000, "always_on", "solar", "1a2b3c4d"]
ODD += [[], {}, [[]], [None, 1, "x"], {"id": "unknown"}, [{"id": "1a2b3c4d"}], {"a": {"b": []}}, ["Idle"]]


def throw(seed: int) -> random.Random:
    return random.Random(seed)


def deep(levels: int) -> list:
    nest: list = []
    for _ in range(levels):
        nest = [nest]
    return nest


def positions(thing, path=()) -> Iterator[tuple]:
    """Yield the path of each value in a message, the whole of it included."""
    yield path
    inner = thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, list) else ()
    for key, value in inner:
        yield from positions(value, (*path, key))


def put(thing, path, value):
    """Return a copy with another value there; with the key itself gone where the value is `...`."""
    if not path:
        return None if value is ... else value
    changed = copy.deepcopy(thing)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    if value is ...:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return changed


def mutate(thing, dice: random.Random):
    """Return a copy with one to three things gone wrong."""
    for _ in range(dice.randint(1, 3)):
        path = dice.choice(list(positions(thing)))
        thing = put(thing, path, dice.choice([..., *ODD, deep(50)]))
    return thing
