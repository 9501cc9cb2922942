"""Which files of the core a frame enters, from its bytes to its messages, and how many functions are called.

Of frames with thirty devices that draw: plain ones, which nothing follows from; those after which values are published;
and those with an event. Run by hand: `.venv/bin/python bench/way.py`.
"""

import statistics
import sys
from collections import Counter
from collections.abc import Iterable
from types import FrameType
from typing import Any

from busy_house import NOON, BusyHouse
from frame_cost import FRAME_S, MONITOR, POLICY, TOPICS, WARM_UP, record

from sense_mqtt.core.changes import Change, Event
from sense_mqtt.core.home.state import Home
from sense_mqtt.core.observe import Outcome, observe
from sense_mqtt.core.publishing.messages import to_messages
from sense_mqtt.core.stored_home import must_store
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.wire.decode import decode
from sense_mqtt.simulator.payloads.encoding import MessageEncoding

PACKAGE = "/sense_mqtt/"

Way = tuple[frozenset[str], int]  # the files of which a function was called, and how many calls of Python functions


def entered(home: Home, raw: str | bytes, number: int) -> tuple[Outcome, Way]:
    """Let a home take in a frame; return what came of it, and the way."""
    files, calls = set[str](), 0

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal calls
        path = frame.f_code.co_filename
        calls += event == "call"
        if event == "call" and PACKAGE in path:
            files.add(path.rpartition(PACKAGE)[2])

    at = number * FRAME_S
    sys.setprofile(note)
    try:
        after, changes = observe(home, decode(raw, home.known_ids), Moment(NOON + at, at), POLICY)
        must_store(home, after, changes)
        to_messages(changes, TOPICS)
    finally:
        sys.setprofile(None)
    return (after, changes), (frozenset(files), calls)


def kind_of(changes: Iterable[Change]) -> str:
    if any(isinstance(each, Event) for each in changes):
        return "with an event"
    return "with values" if changes else "plain"


def main() -> None:
    home, ways = Home(MONITOR), dict[str, list[Way]]()
    for number, raw in enumerate(record(BusyHouse(), MessageEncoding())):
        (home, changes), way = entered(home, raw, number)
        if number > WARM_UP:
            ways.setdefault(kind_of(changes), []).append(way)
    for kind, found in ways.items():
        [(files, count)] = Counter(files for files, _ in found).most_common(1)
        calls = statistics.median(calls for _, calls in found)
        print(f"{kind}: {len(files)} files ({count} of {len(found)} frames), {calls:.0f} calls of functions (median)")
        print("  " + "\n  ".join(sorted(files)))


if __name__ == "__main__":
    main()
