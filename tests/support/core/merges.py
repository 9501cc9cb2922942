"""A home whose two motors Sense merges, and one whose plug is added to Sense again."""

from typing import Any

import pytest

from sense_mqtt.core.home.state import Home
from tests.support.core.builders import HOME, PLUG, frame, listed, run

FAN = {"id": "aaaa1111", "name": "Motor 1", "w": 100.0}
PUMP = {"id": "bbbb2222", "name": "Motor 2", "w": 200.0}
PARENT = {"id": "Parent01", "name": "Air conditioner", "w": 300.0}
VIRTUAL = {**PARENT, "tags": {"Virtual": "true", "MergedDevices": "aaaa1111,bbbb2222"}}
OTHER_DEVICE = {"id": "cccc3333", "name": "Lamp"}

# Both forms in which Sense's list shows a merge.
VANISHED = listed(OTHER_DEVICE, VIRTUAL)
NAMING = listed(
    OTHER_DEVICE, PARENT, {**PUMP, "tags": {"MergeId": "Parent01"}}, {**FAN, "tags": {"MergeId": "Parent01"}}
)
FORMS = [
    pytest.param(VANISHED, "aaaa1111", id="children vanish"),
    pytest.param(NAMING, "bbbb2222", id="rows with MergeId"),
]


def two_motors(*on: dict[str, Any]) -> Home:
    """Return a home in which both motors were listed, and some of them are on."""
    return run(HOME, (0, frame()), (1, listed(FAN, PUMP, OTHER_DEVICE)), (2, frame(*on, at=2)))[0]


TV = {**PLUG, "tags": {"DUID": "AA:BB", "DateCreated": "2026-01-01T00:00:00Z"}}
AGAIN = {**TV, "id": "4xANDCuJ", "tags": {"DUID": "AA:BB", "DateCreated": "2026-11-18T00:00:00Z"}}
BARE = {**AGAIN, "tags": {}}


def with_tv(*on: dict[str, Any]) -> Home:
    return run(HOME, (0, frame()), (1, listed(TV, OTHER_DEVICE)), (2, frame(*on, at=2)))[0]
