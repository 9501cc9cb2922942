"""What one frame costs the bridge's core: microseconds of CPU, beside the least that any program would need.

Run by hand: `make bench`, or `.venv/bin/python bench/frame_cost.py`.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgpack
from busy_house import DEVICES, NOON, BusyHouse

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
AIM_US = 300.0
FEW = 8  # devices that draw at once in an ordinary home
RULES, TOPICS = DeviceRules(), HomeTopics(Topics(), MONITOR, {})
POLICY = Policy(lambda _: RULES)
WHOLE, FLOOR = "decode + observe + say", "floor: parse, one message"

Raw = str | bytes
Work = Callable[[], None]
Costs = Mapping[str, float]  # CPU microseconds a frame, by kind of work

COLUMNS: Mapping[str, tuple[int, MessageEncoding]] = {
    f"{DEVICES} JSON": (DEVICES, MessageEncoding()),
    f"{DEVICES} msgpack": (DEVICES, MessageEncoding(msgpack=True)),
    f"{FEW} JSON": (FEW, MessageEncoding()),
    f"{FEW} msgpack": (FEW, MessageEncoding(msgpack=True)),
}


def main() -> None:
    recorded = {name: record(BusyHouse(listed_device), wire) for name, (listed_device, wire) in COLUMNS.items()}
    costs = [measure(works(frames)) for frames in recorded.values()]
    print(f"CPU microseconds for one frame, least of {ROUNDS} rounds of {FRAMES} frames")
    print(f"The house has {DEVICES} devices; so many of them draw, and are in the frame with all their tags:\n")
    print_row("", list(recorded))
    print_row("kB", [f"{len(frames[-1]) / 1000:.1f}" for frames in recorded.values()])
    for kind in costs[0]:
        print_row(kind, [f"{cost[kind]:.0f}" for cost in costs])
    print_row("times the floor", [f"{cost[WHOLE] / cost[FLOOR]:.1f}" for cost in costs])
    print_row(f"aim: at most {AIM_US:.0f}", ["met" if cost[WHOLE] <= AIM_US else "missed" for cost in costs])


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
        FLOOR: lambda: exhaust(least(raw) for raw in rest),
    }


def follow(home: Home, frames: Iterable[Seen], first: int) -> Iterator[Outcome]:
    """Let a house take in frames that come half a second apart: readings are told at their intervals, as in life."""
    for number, frame in enumerate(frames, first):
        home, changes = observe(home, frame, Moment(NOON + number * FRAME_S, number * FRAME_S), POLICY)
        yield home, changes


def least(raw: Raw) -> Message:
    """Parse a frame with the library alone, and write one number for one topic."""
    payload = json.loads(raw)["payload"] if isinstance(raw, str) else unpack(raw)
    return Message(TOPICS.name(None, "power"), f"{payload['w']:.1f}", retain=True)


def unpack(raw: bytes) -> dict:
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
