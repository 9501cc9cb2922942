"""A simulated house beside the pure core: frames or polls, the timeline, gaps and restarts, all drawn from one seed."""

import random
from collections.abc import Iterator

from sense_mqtt.core.changes import Reading
from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.home.snapshot import restore, snapshot
from sense_mqtt.core.home.state import DevicesListed, Home, Interrupted, Policy, Tick
from sense_mqtt.core.home.timeline_events import TimelineRead
from sense_mqtt.core.observe import Seen, observe
from sense_mqtt.core.timestamps import Moment, read_timestamp
from sense_mqtt.core.wire.devices import read_device_list
from sense_mqtt.core.wire.frames import READERS, RealtimeUpdate, read_update
from sense_mqtt.core.wire.timeline import read_items
from sense_mqtt.simulator.house.builtin import BEGINS, RandomHouse
from sense_mqtt.simulator.payloads.frames import FrameMaker
from sense_mqtt.simulator.payloads.timeline import FalseRun, Timeline, TimelineSettings
from tests.support.core.builders import written_events
from tests.support.faults.comparison import Comparison, Conditions, ReceivedEvent, compare, read

MONITOR = 7
POLICY = Policy(lambda _: DeviceRules(off_delay_s=2.0))
FRAME_EVERY_S = 0.5
READ_EVERY_S = 180.0  # the timeline, between polls
READ_AGAIN_S = 90.0  # and once more so long after a gap in a stream
SETTLED_S = 60.0  # before the end: told by then, or optional


class SimulatedHome:
    """The house, what the core knows of it, and what was told."""

    def __init__(self, seed: int, *, on_s: float, off_s: float, lag_s: float) -> None:
        self.dice = random.Random(f"living house {seed}")
        self.house = RandomHouse(self.dice.randint(3, 6), seed, on_s=on_s, off_s=off_s, plugs=self.dice.randint(0, 2))
        rules = TimelineSettings(
            offset_s=self.dice.choice((0.0, -0.4, 0.7, 1.5, -3.0, 4.0)),
            delay_s=self.dice.choice((0.5, 2.0, 6.0, 20.0)),
            rewrite_after_s=self.dice.choice((5.0, 30.0, 60.0)),
        )
        self.timeline = Timeline(self.house, MONITOR, 1, rules)
        self.frames = FrameMaker(self.house)
        self.lag_s = lag_s  # from the measurement of a frame to its arrival
        self.home = Home(MONITOR)
        self.now = BEGINS
        self.looks: list[float] = []  # when what was shown was measured
        self.slowest_s = 0.0
        self.came: list[ReceivedEvent] = []
        self.see(DevicesListed(read_device_list([{"id": d.id, "name": d.name} for d in self.house.devices])))
        self.kept = snapshot(self.home)  # as the journal has it

    # --- what the bridge does

    def see(self, seen: Seen) -> None:
        self.home, changes = observe(self.home, seen, Moment(self.now, self.now - BEGINS), POLICY)
        if any(not isinstance(change, Reading) for change in changes):
            self.kept = snapshot(self.home)
        for event in written_events(changes):
            if event["event_type"] in ("turned_on", "turned_off", "idle"):
                self.came.append(read(self.now, event))

    def look(self, measured: float, update: RealtimeUpdate) -> None:
        self.looks.append(measured)
        self.slowest_s = max(self.slowest_s, self.now - measured)
        self.see(update)

    def read_timeline(self) -> None:
        """Read all pages back to what is known, as sense_mqtt/sense/rest_queries/lookups.py does."""
        horizon = self.home.coverage.known_since
        if horizon is not None:
            items = [item for page in self._pages(horizon - 60.0) for item in page]
            self.see(TimelineRead(read_items(items)))

    def _pages(self, since: float) -> Iterator[list[dict[str, object]]]:
        before: float | None = None
        while before is None or before > since:
            page = self.timeline.page(self.now, 100, None, before)
            yield page["items"]
            if not page["more_items"]:
                return
            before = read_timestamp(page["items"][-1]["time"])

    def report_false_run(self) -> float:
        """Let the timeline tell of a run that never was, and take it back; return when it will have done so."""
        device, shown, removed = self.dice.choice(self.house.devices).id, self.now + FRAME_EVERY_S, self.now + 1.5
        self.timeline.false_runs.append(FalseRun(device, self.now - 3.0, self.now - 1.0, shown, removed))
        return removed

    def rest_until(self, until: float) -> None:
        while self.now + 1.0 < until:
            self.now += 1.0
            self.see(Tick())
        self.now = max(self.now, until)

    def restart(self) -> None:
        """In good order, or as after a `kill -9`: with what the journal had."""
        document = snapshot(self.home) if self.dice.random() < 0.5 else self.kept
        self.home = restore(MONITOR, document, POLICY)

    # --- how it went

    def comparison(self, *, polled: bool) -> Comparison:
        everything = self.house.transitions(BEGINS, self.now + 60.0)
        settled = self.looks[-1] - SETTLED_S - (READ_EVERY_S if polled else 0.0)
        until = self.looks[0] + self.slowest_s  # before it, nobody knew how it was
        truth = [each for each in everything if until < each.at <= settled]
        optional = [each for each in everything if not until < each.at <= settled]
        known = Conditions(
            checkpoints=self.looks,
            offset_s=self.timeline.rules.offset_s,
            lag_s=self.slowest_s if polled else None,
        )
        return compare(truth, optional, self.came, known)


def stream(seed: int, seconds: float) -> SimulatedHome:
    """Live with a frame each half second, pushed items, and a gap or a restart now and then."""
    dice = random.Random(f"stream {seed}")
    living = SimulatedHome(
        seed, on_s=dice.choice((8, 12, 30)), off_s=dice.choice((8, 15, 40)), lag_s=dice.choice((1.0, 3.0))
    )
    pushed_until, read_at, false_until, ends = living.now, None, 0.0, living.now + seconds
    while living.now < ends or read_at is not None:
        if dice.random() < 0.005 and false_until < living.now < ends:
            _interrupt(living, dice)
            pushed_until, read_at = living.now, living.now + READ_AGAIN_S
        elif dice.random() < 0.01 and read_at is None:
            false_until = living.report_false_run()
        living.now += FRAME_EVERY_S
        measured = max(BEGINS, living.now - living.lag_s)
        living.look(measured, read_update(living.frames.realtime(measured), known=living.home.devices))
        news = living.timeline.pushed_changes(pushed_until, living.now)
        pushed_until = living.now
        if news is not None and (dice.random() < 0.9 or living.now <= false_until):
            living.see(READERS["newtimelineevent"](news))
        if read_at is not None and living.now >= read_at:
            living.read_timeline()
            read_at = None
    return living


def poll(seed: int, seconds: float) -> SimulatedHome:
    """Live with a frame each half or whole minute, old by an unknown time, and the timeline every few minutes."""
    dice = random.Random(f"poll {seed}")
    living = SimulatedHome(
        seed, on_s=dice.choice((12, 30, 60)), off_s=dice.choice((15, 40, 90)), lag_s=dice.choice((0.7, 4.0, 13.0))
    )
    interval_s, read_at, ends = dice.choice((30.0, 60.0)), living.now + READ_EVERY_S, living.now + seconds
    while living.now < ends:
        if dice.random() < 0.05:
            _interrupt(living, dice)
        asked = living.now
        living.rest_until(asked + dice.choice((0.1, 0.3, 1.0, 5.0)))
        measured = max(BEGINS, dice.uniform(asked, living.now) - living.lag_s)
        if dice.random() < 0.95:  # else Sense did not answer
            payload, took_s = living.frames.polled(measured), living.now - asked
            living.look(measured, read_update(payload, took_s=took_s, known=living.home.devices))
        if living.now >= read_at:
            living.rest_until(living.now + dice.choice((0.5, 5.0, 0.9 * interval_s)))
            living.read_timeline()
            read_at = living.now + READ_EVERY_S
        living.rest_until(asked + interval_s)
    living.read_timeline()
    return living


def _interrupt(living: SimulatedHome, dice: random.Random) -> None:
    if dice.random() < 0.4:
        living.restart()
        living.now += dice.uniform(0.5, 300.0)
    else:
        living.see(Interrupted())
        living.rest_until(living.now + dice.choice((dice.uniform(0.0, 20.0), dice.uniform(0.0, 400.0))))
    if dice.random() < 0.8:  # else Sense did not answer
        living.read_timeline()
