"""A home with a washer, and what is published of its cycles."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sense_mqtt.core.changes import Change, Event
from sense_mqtt.core.home.state import Home, Policy
from sense_mqtt.core.observe import Seen
from sense_mqtt.core.stored_home import restore, snapshot
from tests.support.core.builders import HOME, START, frame, policy, run

ID = "71fd0a56"
TAGS = {"UserDeviceType": "Washer"}
WASHER = {"id": ID, "name": "Washer", "icon": "washer", "tags": TAGS, "w": 400.0}
PAUSE_S = 300

Runs = Iterable[tuple[int, int]]  # seconds after START: first with and first without power


def frames(runs: Runs, until: int, since: int = 0, step_s: int = 2, **washer: Any) -> list[tuple[float, Seen]]:
    """Return a frame each `step_s`; in the runs the washer draws 400 W."""
    device = {**WASHER, **washer}
    on = [range(start, end) for start, end in runs]
    return [
        (at, frame(*([device] if any(at in span for span in on) else []), at=at)) for at in range(since, until, step_s)
    ]


def follow(
    *parts: Iterable[tuple[float, Seen]], wanted: Policy | None = None, home: Home = HOME
) -> tuple[Home, list[Change]]:
    return run(home, *(seen for part in parts for seen in part), wanted=wanted)


def finished(changes: list[Change]) -> list[Mapping[str, Any]]:
    """Return the cycles that were told, times in seconds after START, without id and name."""
    cycles = [change for change in changes if isinstance(change, Event) and change.event_type == "cycle_finished"]
    return [{"time": cycle.time - START, **plain(cycle.fields)} for cycle in cycles]


def plain(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    started = {"started": fields["started"].timestamp() - START} if "started" in fields else {}
    return {key: value for key, value in fields.items() if key not in ("name", "source", "late")} | started


def restarted(home: Home, wanted: Policy | None = None) -> Home:
    return restore(7, {key: json.loads(json.dumps(row)) for key, row in snapshot(home).items()}, wanted or policy())
