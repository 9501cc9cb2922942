"""A broker that stalls for ten minutes, and frames at 100 times the real rate: what becomes of memory and of events?

    python -m tests.long.ten_minutes_stalled [--stall line|process] [--house believable|dense] [--minutes 10]

Needs Mosquitto on this machine, and Linux (/proc). `line`: TCP stands in both directions; `process`: the broker is
stopped (SIGSTOP). The house's clock runs 100 times as fast as ours, and the bridge has the house's clock; what it waits
for, it waits for in real seconds. Exit code 1 where memory grew by 5 MB, or an event was lost or invented.
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sense_mqtt.bridge.health import read_rss_mb
from sense_mqtt.simulator.house.builtin import BuiltInHouse, RandomHouse
from sense_mqtt.simulator.house.model import House
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.checkout import ROOT
from tests.support.faults.comparison import Comparison, Conditions, compare, read
from tests.support.faults.proxy import Proxy
from tests.support.faults.shared_clock import SharedClockWriter
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import Mosquitto
from tests.support.processes.bridge_config import configure
from tests.support.processes.bridge_process import BridgeProcess

SPEED = 100.0
WARM_UP_S = 60.0  # at the same rate, before memory is looked at
LOOK_S = 10.0  # between two looks at memory
GROWTH_MB = 5.0
TAIL_S = 120.0  # of the house, after what is counted: what is held back for some seconds is told within
DRAIN_S = 600.0
ASK_S = 5.0
EVENTS, ANSWERS = "sense/+/device/+/event", "sense/bridge/response/#"

HOUSES: Mapping[str, Callable[[], House]] = {
    "believable": BuiltInHouse,  # some 500 transitions a day
    "dense": lambda: RandomHouse(40, on_s=300, off_s=600),  # 7,700 a day: 9 in each of our seconds
}


class Bridge(BridgeProcess):
    """A bridge by the house's clock."""

    def __init__(self, folder: Path, config: dict[str, Any], clock: Path) -> None:
        super().__init__(folder, config)
        self._clock, self._state = clock, folder / "state"

    def start(self) -> None:
        command = [
            sys.executable,
            "-m",
            "tests.support.processes.shared_clock_bridge_main",
            str(self.config_file),
            str(self._clock),
        ]
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)

    @property
    def rss_mb(self) -> float:
        return read_rss_mb(Path(f"/proc/{self.pid}/status")) or 0.0

    @property
    def journal_bytes(self) -> int:
        return sum(part.stat().st_size for part in self._state.glob("journal.sqlite3*"))


class PatientListener(Listener):
    """Does not mind a broker that says nothing for hours: who connected anew would miss what comes meanwhile."""

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port, keepalive=7200)
        self._client.loop_start()
        assert self._subscribed.wait(30)
        return self


@dataclass(frozen=True, slots=True)
class PublisherHarness:
    """All that takes part."""

    cloud: SimulatedCloud
    broker: Mosquitto
    line: Proxy
    bridge: Bridge
    listener: PatientListener


@contextlib.contextmanager
def build(house: House) -> Iterator[PublisherHarness]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        clock = SharedClockWriter(folder / "clock", house.begins)
        broker = stack.enter_context(Mosquitto(folder))
        line = stack.enter_context(Proxy(broker.port))
        listener = stack.enter_context(PatientListener(broker.port, EVENTS, ANSWERS))
        cloud = stack.enter_context(SimulatedCloud(house, speed=SPEED, wall=clock.wall))
        stack.callback(clock.follow(cloud.monitor.wait_until, lambda: cloud.now).close)
        bridge = stack.enter_context(Bridge(folder, configure(cloud, line.port), folder / "clock"))
        stack.callback(lambda: print(bridge.log, flush=True))
        yield PublisherHarness(cloud, broker, line, bridge, listener)


@contextlib.contextmanager
def stalled_line(stage: PublisherHarness) -> Iterator[None]:
    stage.line.behave(up="stall", down="stall")
    yield
    stage.line.behave()


@contextlib.contextmanager
def stopped_process(stage: PublisherHarness) -> Iterator[None]:
    stage.broker.freeze()
    yield
    stage.broker.thaw()


STALLS: Mapping[str, Callable[[PublisherHarness], AbstractContextManager[None]]] = {
    "line": stalled_line,
    "process": stopped_process,
}


def main() -> int:
    options = _parser().parse_args()
    with build(HOUSES[options.house]()) as stage:
        assert stage.cloud.records.wait(lambda counts: counts.sockets_open == 1), stage.bridge.log
        time.sleep(WARM_UP_S)
        began, before = stage.cloud.now, stage.listener.ask("health")["data"]
        with STALLS[options.stall](stage):
            start_mb, sizes_mb = stage.bridge.rss_mb, watch(stage, options.minutes)
            ended, held = stage.cloud.now, stage.bridge.journal_bytes
        released = time.monotonic()
        after = drain(stage)
        took_s = time.monotonic() - released
        comparison, doubles, early = count(stage, began, ended)
        tell_memory(options, start_mb, sizes_mb, stage.bridge.rss_mb)
        tell_work(stage, before, after, held, took_s)
        is_kept = tell_events(comparison, doubles, early)
    return 0 if is_kept and max(sizes_mb) - start_mb < GROWTH_MB else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.long.ten_minutes_stalled")
    parser.add_argument("--stall", choices=STALLS, default="line")
    parser.add_argument("--house", choices=HOUSES, default="believable")
    parser.add_argument("--minutes", type=float, default=10)
    return parser


def watch(stage: PublisherHarness, minutes: float) -> list[float]:
    """Return the resident memory at each look, MB."""
    sizes_mb, begins = [], time.monotonic()
    for number in range(1, 1 + round(minutes * 60 / LOOK_S)):
        time.sleep(max(begins + number * LOOK_S - time.monotonic(), 0))
        sizes_mb.append(stage.bridge.rss_mb)
        print(
            f"{number * LOOK_S:5.0f} s: {sizes_mb[-1]:.1f} MB, journal {stage.bridge.journal_bytes} bytes", flush=True
        )
    return sizes_mb


def drain(stage: PublisherHarness) -> dict[str, Any]:
    """Let the house go on a little and stand still; return the health document once nothing waits any more."""
    ends = time.monotonic() + DRAIN_S
    ask_health(stage, ends)
    stage.cloud.run_until(stage.cloud.now + TAIL_S)
    while any((health := ask_health(stage, ends))["queues"][queue] for queue in ("journal", "events")):
        assert time.monotonic() < ends, f"events still wait: {health}"
        time.sleep(1)
    return health


def ask_health(stage: PublisherHarness, ends: float) -> dict[str, Any]:
    """Ask until the bridge answers: a request that comes while it is not connected is lost."""
    while time.monotonic() < ends:
        with contextlib.suppress(AssertionError):
            return stage.listener.ask("health", timeout_s=ASK_S)["data"]
    raise TimeoutError("the bridge does not come back to the broker")


def count(stage: PublisherHarness, began: float, ended: float) -> tuple[Comparison, int, int]:
    """Hold what came against what happened while the broker stood; also return how many came twice, and in all."""
    heard = [read(0.0, event) for event in stage.listener.events()]
    times = Counter(event.id for event in heard)
    house, now = stage.cloud.house, stage.cloud.now
    optional = [*house.transitions(house.since, began), *house.transitions(ended, now)]
    first = list({event.id: event for event in reversed(heard)}.values())[::-1]
    comparison = compare(house.transitions(began, ended), optional, first, Conditions())
    return comparison, sum(times.values()) - len(times), len(times)


def tell_memory(options: argparse.Namespace, start_mb: float, sizes_mb: list[float], drained_mb: float) -> None:
    minutes = sizes_mb[round(60 / LOOK_S) - 1 :: round(60 / LOOK_S)]
    print(f"\n{options.house} house, stalled {options.stall}, {options.minutes:g} minutes")
    print(f"RSS, MB: at the start {start_mb:.1f}; after each minute {' '.join(f'{size:.1f}' for size in minutes)}")
    print(f"RSS, MB: at the end {sizes_mb[-1]:.1f}, most {max(sizes_mb):.1f}, when all was told {drained_mb:.1f}")
    print(f"growth: {sizes_mb[-1] - start_mb:+.1f} MB at the end, {max(sizes_mb) - start_mb:+.1f} MB at most")


def tell_work(stage: PublisherHarness, before: dict[str, Any], after: dict[str, Any], held: int, took_s: float) -> None:
    gained = {key: after[key] - before[key] for key in ("frames", "events", "reconnects", "broker_connections")}
    dropped = stage.cloud.records.counts.frames_dropped
    print(f"frames taken in {gained['frames']}, not sent as the bridge was slow {dropped}")
    print(f"reconnects: of the feed {gained['reconnects']}, to the broker {gained['broker_connections']}")
    print(f"journal: {held} bytes at the end of the stall, {stage.bridge.journal_bytes} when all was told")
    print(f"events noticed {gained['events']}; all told {took_s:.0f} s after the stall; errors {after['errors']}")


def tell_events(comparison: Comparison, doubles: int, heard: int) -> bool:
    """Say what became of the events; True where each came, and none was made up."""
    wrong = {"missing": comparison.missing, "invented": comparison.invented, "wrong time": comparison.wrong_time}
    wrong["out of order"] = comparison.out_of_order
    print(f"true transitions in the stall {comparison.transitions}, delivered {comparison.delivered}")
    print(f"events, warm-up included: {heard} different ids, {doubles} doubles with the same id; {comparison.sources}")
    for name, cases in wrong.items():
        print(f"{name}: {len(cases)} {cases[:5]}")
    return not any(wrong.values())


if __name__ == "__main__":
    sys.exit(main())
