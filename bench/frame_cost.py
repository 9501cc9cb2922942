"""What one frame costs the bridge's core: microseconds of CPU, beside the least that any program would need.

Run by hand: `make bench`, or `.venv/bin/python bench/frame_cost.py [PICTURE.svg]`, which draws the result too.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgpack
from busy_house import DEVICES, NOON, BusyHouse
from picture import bars

from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.home.state import Home, Policy
from sense_mqtt.core.observe import Outcome, Seen, observe
from sense_mqtt.core.publishing.message import Message
from sense_mqtt.core.publishing.messages import HomeTopics, to_messages
from sense_mqtt.core.publishing.topics import Topics
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.wire.decode import decode
from sense_mqtt.simulator.payloads.encoding import MessageEncoding
from sense_mqtt.simulator.payloads.frames import FrameMaker

MONITOR = 900_101
FRAME_S = 0.5  # Sense sends two frames a second
WARM_UP, FRAMES, ROUNDS = 100, 400, 25  # after the warm-up every device is known
AIM = 0.53  # of what `json.loads` takes for the frame of 30 devices: 100 microseconds where that takes 189
DRAWING = (8, 10, 20, DEVICES)  # devices that draw at once; 8 in an ordinary home
RULES, TOPICS = DeviceRules(), HomeTopics(Topics(), MONITOR, {})
POLICY = Policy(lambda _: RULES)
WHOLE, LIBRARY, FLOOR = "decode + observe + say", "json.loads, msgpack alone", "floor: parse, one message"

Raw = str | bytes
Work = Callable[[], None]
Costs = Mapping[str, float]  # CPU microseconds a frame, by kind of work

COLUMNS: Mapping[str, tuple[int, MessageEncoding]] = {
    f"{drawing} {name}": (drawing, encoding)
    for name, encoding in (("JSON", MessageEncoding()), ("msgpack", MessageEncoding(msgpack=True)))
    for drawing in DRAWING
}


def main() -> None:
    recorded = {name: record(BusyHouse(listed_device), wire) for name, (listed_device, wire) in COLUMNS.items()}
    costs = {name: measure(works(frames)) for name, frames in recorded.items()}
    print(f"CPU microseconds for one frame, least of {ROUNDS} rounds of {FRAMES} frames")
    print(f"The house has {DEVICES} devices; so many of them draw, and are in the frame with all their tags:\n")
    print_row("", list(recorded))
    print_row("kB", [f"{len(frames[-1]) / 1000:.1f}" for frames in recorded.values()])
    for kind in next(iter(costs.values())):
        print_row(kind, [f"{cost[kind]:.0f}" for cost in costs.values()])
    for kind in (LIBRARY, FLOOR):
        print_row(f"times {kind.split(',')[0]}", [f"{cost[WHOLE] / cost[kind]:.2f}" for cost in costs.values()])
    ratio = costs[f"{DEVICES} JSON"][WHOLE] / costs[f"{DEVICES} JSON"][LIBRARY]
    print(f"\naim: {DEVICES} devices as JSON at most {AIM} times json.loads: {'met' if ratio <= AIM else 'missed'}")
    for path in sys.argv[1:]:
        rows = {
            f"{name.replace(' ', ' devices, ')}": {k: cost[k] for k in (WHOLE, LIBRARY)} for name, cost in costs.items()
        }
        Path(path).write_text(bars("CPU of one frame in the core, beside the parser alone", "us", rows))


def print_row(name: str, cells: Sequence[str]) -> None:
    print(f"{name:26}" + "".join(f"{cell:>12}" for cell in cells))


# --- what is measured


def record(house: BusyHouse, wire: MessageEncoding) -> list[Raw]:
    """Return successive frames as they come over the feed."""
    maker, times = FrameMaker(house), [NOON + number * FRAME_S for number in range(WARM_UP + FRAMES)]
    return [wire.encode("realtime_update", maker.realtime(at), int(at)) for at in times]


def works(frames: Sequence[Raw]) -> Mapping[str, Work]:
    """Return each kind of work, to be done on all frames after the warm-up."""
    *_, (home, _) = follow(Home(MONITOR), map(decode, frames[:WARM_UP]), 0)
    rest, known = frames[WARM_UP:], home.devices
    seen = [decode(raw, known) for raw in rest]
    told = [changes for _, changes in follow(home, seen, WARM_UP)]
    return {
        "  decode": lambda: exhaust(decode(raw, known) for raw in rest),
        "  observe": lambda: exhaust(follow(home, seen, WARM_UP)),
        "  say": lambda: exhaust(to_messages(changes, TOPICS) for changes in told),
        WHOLE: lambda: exhaust(
            to_messages(changes, TOPICS) for _, changes in follow(home, (decode(raw, known) for raw in rest), WARM_UP)
        ),
        LIBRARY: lambda: exhaust(parse(raw) for raw in rest),
        FLOOR: lambda: exhaust(least(raw) for raw in rest),
    }


def follow(home: Home, frames: Iterable[Seen], first: int) -> Iterator[Outcome]:
    """Let a house take in frames that come half a second apart: readings are told at their intervals, as in life."""
    for number, frame in enumerate(frames, first):
        home, changes = observe(home, frame, Moment(NOON + number * FRAME_S, number * FRAME_S), POLICY)
        yield home, changes


def least(raw: Raw) -> Message:
    """Parse a frame with the library alone, and write one number for one topic."""
    return Message(TOPICS.name(None, "power"), f"{parse(raw)['w']:.1f}", retain=True)


def parse(raw: Raw) -> dict:
    if isinstance(raw, str):
        return json.loads(raw)["payload"]
    unpacker = msgpack.Unpacker()
    unpacker.feed(raw)
    _, _, payload = unpacker  # three objects in a row
    return payload


# --- how


def measure(kinds: Mapping[str, Work]) -> Costs:
    """Return the least that each kind of work took; they take turns, so that all see the same neighbours."""
    rounds = [{name: cpu_us(work) for name, work in kinds.items()} for _ in range(ROUNDS)]
    return {name: min(costs[name] for costs in rounds) for name in kinds}


def cpu_us(work: Work) -> float:
    begun = time.process_time()
    work()
    return (time.process_time() - begun) / FRAMES * 1e6


def exhaust(results: Iterable[object]) -> None:
    for _ in results:
        pass


if __name__ == "__main__":
    main()
