"""A home whose meters are looked at."""

import json
from typing import Any

from sense_mqtt.core.energy.hours import DayHours
from sense_mqtt.core.energy.periods import Energy
from sense_mqtt.core.home.state import QueryResult
from sense_mqtt.core.meters.total import METERS
from sense_mqtt.core.stored_home import restore, snapshot
from sense_mqtt.core.timestamps import write_timestamp
from tests.support.core.builders import START, frame, policy, readings

HOUR = 3600.0
NIGHT = START - START % HOUR  # the start of an hour
TOPIC = "energy/total"


def kilowatts(power: float, *hours: float, **fields: Any) -> list[tuple[float, Any]]:
    """Return frames of a house that uses so much, every 30 s between two hours after START."""
    first, last = hours
    times = [first * HOUR + 30 * number for number in range(round((last - first) * 120) + 1)]
    return [(time, frame(at=time, w=1000 * power, **fields)) for time in times]


def documents(changes: list[Any], device: str | None = None) -> list[dict[str, Any]]:
    return [json.loads(payload) for payload in readings(changes, TOPIC, device)]


def figures(changes: list[Any], device: str | None = None) -> list[float]:
    return [document["consumption_kwh"] for document in documents(changes, device)]


def told(*kwh: float | None, **fields: Any) -> QueryResult:
    """Return Sense's answer about a day whose first hour is the one that holds START."""
    day = DayHours(NIGHT, len(kwh), kwh, fields.pop("production", ()), fields.pop("devices", {}))
    return QueryResult("energy", "day", Energy("DAY", write_timestamp(NIGHT), hours=day, **fields))


def restarted(home: Any) -> Any:
    """Return the home of a new process, by the rows that the one before has stored."""
    rows = json.loads(json.dumps([[list(key), row] for key, row in snapshot(home).items()]))
    return restore(7, {tuple(key): row for key, row in rows}, policy())


def totals(home: Any) -> dict[tuple[str, str], float]:
    return {counter: round(kwh, 3) for counter, kwh in METERS.state_of(home).totals.items()}
