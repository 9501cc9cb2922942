"""Which files of the core a frame enters, from its bytes to its messages: a plain one, and one with an event.

Run by hand: `.venv/bin/python bench/way.py`.
"""

import sys
from types import FrameType
from typing import Any

from busy_house import NOON, BusyHouse
from frame_cost import FRAME_S, MONITOR, POLICY, TOPICS, WARM_UP, record

from sense_mqtt.core.changes import Event
from sense_mqtt.core.home.state import Home
from sense_mqtt.core.next_tick import next_tick
from sense_mqtt.core.observe import Outcome, observe
from sense_mqtt.core.publishing.messages import to_messages
from sense_mqtt.core.stored_home import must_store
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.wire.decode import decode
from sense_mqtt.simulator.payloads.encoding import MessageEncoding

PACKAGE = "/sense_mqtt/"


def entered(home: Home, raw: str | bytes, number: int) -> tuple[Outcome, frozenset[str]]:
    """Let a home take in a frame; return what came of it, and the files of which a function was called."""
    files: set[str] = set()

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        path = frame.f_code.co_filename
        if event == "call" and PACKAGE in path:
            files.add(path.rpartition(PACKAGE)[2])

    at = number * FRAME_S
    sys.setprofile(note)
    try:
        after, changes = observe(home, decode(raw, home.known_ids), Moment(NOON + at, at), POLICY)
        must_store(home, after, changes)
        to_messages(changes, TOPICS)
        next_tick(after, at, POLICY)
    finally:
        sys.setprofile(None)
    return (after, changes), frozenset(files)


def main() -> None:
    home, ways = Home(MONITOR), dict[str, frozenset[str]]()
    for number, raw in enumerate(record(BusyHouse(), MessageEncoding())):
        (home, changes), files = entered(home, raw, number)
        kind = "with an event" if any(isinstance(each, Event) for each in changes) else "plain" if not changes else None
        if kind and number > WARM_UP:
            ways.setdefault(kind, files)
    for kind, files in ways.items():
        print(f"{kind}: {len(files)} files\n  " + "\n  ".join(sorted(files)))


if __name__ == "__main__":
    main()
