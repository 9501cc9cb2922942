"""One schedule from beginning to end: fault after fault, then a time without faults, then the count."""

import json
import random
import shutil
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sense_mqtt.core.payloads import write_number
from sense_mqtt.simulator.server.cloud import FIRST_MONITOR
from tests.support.faults.comparison import Comparison, Conditions, compare, read
from tests.support.faults.fault_table import FAULTS
from tests.support.faults.plan import Mode, Plan, Step, draw
from tests.support.faults.shared_clock import LAG_S
from tests.support.faults.subscriber import read_retained
from tests.support.faults.world import World, build

TAIL_S = 80.0  # house seconds without faults: the timeline's delay, its rewriting, and what the bridge waits for frames
MARGIN_S = 10.0  # before the end: what may not have been told yet
MARGIN_FRAMES = 3  # likewise, in frames
RECOVERY_HOUSE_S = 200.0
RECOVERY_MOST_S = 15.0
SETTLE_MOST_S = 15.0
QUIET_S = 0.3  # after the last event, for events too many


@dataclass(slots=True)
class Result:
    """All that is written down of one schedule."""

    seed: int
    mode: str
    faults: list[str] = field(default_factory=list)
    reached: list[str] = field(default_factory=list)  # crash points that were reached
    recoveries_s: list[tuple[str, float | None]] = field(default_factory=list)  # None: not in time
    comparison: Comparison = field(default_factory=Comparison)
    wrong_retained: list[str] = field(default_factory=list)
    crashes: list[int] = field(default_factory=list)
    starts: int = 0
    memory_mb: list[tuple[float, float]] = field(default_factory=list)  # of each process: once it worked, and last
    took_s: float = 0.0
    failure: str | None = None  # why the harness could not run it

    @property
    def is_good(self) -> bool:
        """Nothing is lost, invented, told twice, or wrong."""
        comparison = self.comparison
        wrong = (
            *comparison.missing,
            *comparison.invented,
            *comparison.wrong_time,
            *comparison.out_of_order,
            *comparison.doubled_for_no_reason,
            *self.wrong_retained,
            *self.crashes,
        )
        return not wrong and self.failure is None and all(took is not None for _, took in self.recoveries_s)

    def document(self) -> dict[str, Any]:
        return {**asdict(self), "good": self.is_good}


def run_seed(seed: int, names: tuple[str, ...], mode: Mode | None, keep: Path | None) -> Result:
    """Run the schedule of a seed, its faults chosen from `names`; in a process of its own."""
    return run(draw(seed, names, mode), keep / str(seed) if keep else None)


def run(plan: Plan, keep: Path | None = None) -> Result:
    """Run one schedule; `keep`: a folder for its files, which stay."""
    result, began = Result(plan.seed, plan.mode), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sense-faults-") as temporary:
        folder = keep or Path(temporary)
        if keep is not None:
            shutil.rmtree(keep, ignore_errors=True)
            keep.mkdir(parents=True)
        try:
            with build(plan, folder) as world:
                try:
                    _run_steps(world, result)
                finally:
                    _write_down(world, folder)
        except Exception as error:  # noqa: BLE001 - one schedule that fails is counted, and stops no other
            result.failure = f"{type(error).__name__}: {error}"
    result.took_s = round(time.monotonic() - began, 2)
    return result


def _run_steps(world: World, result: Result) -> None:
    world.bridge.log_in()
    world.bridge.start()
    world.wait_until_ready()
    world.run_house(5, RECOVERY_MOST_S)
    for step in world.plan.steps:
        world.run_house(step.after_s, RECOVERY_MOST_S)
        _inject(world, step)
        result.faults += step.faults
        result.recoveries_s.append(("+".join(step.faults), _recover(world)))
    world.run_house(TAIL_S, RECOVERY_MOST_S * 2)
    _count(world, result)
    _look_at_retained(world, result)
    world.bridge.measure_memory()
    result.memory_mb = [(each.first_mb, each.last_mb) for each in world.bridge.runs if each.first_mb and each.last_mb]
    result.reached = world.reached
    result.starts = len(world.bridge.runs)
    code = world.bridge.stop()
    result.crashes = [*world.crashes, *([code] if code else [])]


def _write_down(world: World, folder: Path) -> None:
    """Keep what was received and what was known, for whoever looks for the reason."""
    received = [f"{arrival.at:.3f} {json.dumps(arrival.event)}\n" for arrival in world.subscriber.arrivals]
    (folder / "arrivals.txt").write_text("".join(received))
    (folder / "known.json").write_text(json.dumps({"plan": asdict(world.plan), **asdict(_conditions(world))}, indent=1))


def _inject(world: World, step: Step) -> None:
    rng = random.Random(step.seed)
    with ExitStack() as stack:
        for name in step.faults:
            stack.enter_context(FAULTS[name].begin(world, rng))
        ends = time.monotonic() + step.lasts_s
        world.run_house(step.lasts_house_s, step.lasts_s)
        world.bridge.wait_for_exit(max(0.0, ends - time.monotonic()))  # a pause that ends early when the bridge ends


def _recover(world: World) -> float | None:
    """Let the house go on until an event of it arrives; return the seconds that took, None where it took too long."""
    began, since = time.monotonic(), world.cloud.now
    heard = world.subscriber.count()

    def recovered() -> bool:
        return any(read(a.at, a.event).time > since for a in world.subscriber.arrivals[heard:])

    while time.monotonic() < began + RECOVERY_MOST_S:
        world.restart_if_ended()
        if world.cloud.now < since + RECOVERY_HOUSE_S:
            world.run_house(5, 1.0)
        if world.subscriber.wait_for(recovered, 0.05):
            world.bridge.measure_memory()
            return round(time.monotonic() - began, 3)
    return None


def _count(world: World, result: Result) -> None:
    """Wait until all that must be told was told, then count."""
    until = world.cloud.now
    everything = world.house.transitions(world.house.begins, until)
    settled = until - _margin_s(world)
    truth = [transition for transition in everything if transition.at <= settled]
    optional = [transition for transition in everything if transition.at > settled]

    def comparison() -> Comparison:
        received = [read(arrival.at, arrival.event) for arrival in tuple(world.subscriber.arrivals)]
        return compare(truth, optional, received, _conditions(world))

    ends = time.monotonic() + SETTLE_MOST_S
    while comparison().missing and time.monotonic() < ends:
        world.restart_if_ended()
        world.subscriber.wait_for(lambda: False, QUIET_S)
    _wait_until_idle(world)
    world.subscriber.wait_for(lambda: False, QUIET_S)
    result.comparison = comparison()


def _margin_s(world: World) -> float:
    return MARGIN_S + MARGIN_FRAMES * world.plan.frame_interval_s


def _conditions(world: World) -> Conditions:
    return Conditions(
        checkpoints=world.checkpoints,
        lossy_spans=world.lossy_spans,
        offset_s=world.plan.offset_s,
        lag_s=LAG_S if world.plan.mode == "poll" else None,
        kill_spans=world.kill_spans,
        connections=tuple(world.broker_proxy.taken),
    )


def _wait_until_idle(world: World) -> None:
    ends = time.monotonic() + SETTLE_MOST_S
    while time.monotonic() < ends:
        health = world.subscriber.ask("health", 2.0)
        queues = (health or {}).get("queues", {"journal": 1})
        if not queues["journal"] and not queues.get("events"):
            return
        world.subscriber.wait_for(lambda: False, QUIET_S)


def _look_at_retained(world: World, result: Result) -> None:
    """Hold what the broker keeps against the house, for devices that do not switch just now."""
    world.run_house(1.0, RECOVERY_MOST_S)
    world.subscriber.wait_for(world.is_online, RECOVERY_MOST_S)
    _wait_until_idle(world)
    kept, now = read_retained(world.broker.port, world.base), world.cloud.now
    unsettled = {transition.device for transition in world.house.transitions(now - _margin_s(world), now)}
    expected = {"bridge/state": "online", f"{FIRST_MONITOR}/availability": "online"}
    for device in world.house.devices:
        step = world.house.switch_schedule.step(device.id, now)
        if device.id not in unsettled and step is not None:
            topic = f"{FIRST_MONITOR}/device/{device.id}"
            expected[f"{topic}/state"] = "ON" if step.state == "on" else "OFF"
            expected[f"{topic}/power"] = "0" if step.state != "on" and step.w == 0 else write_number(step.w, 1)
    result.wrong_retained = [
        f"{topic}: {kept.get(topic)} and not {value}" for topic, value in expected.items() if kept.get(topic) != value
    ]
