"""What a schedule does, drawn from its seed: a house, a way of listening, and the faults that come. Pure."""

import random
from dataclasses import dataclass
from typing import Literal

from sense_mqtt.simulator.house.builtin import BEGINS, RandomHouse
from sense_mqtt.simulator.payloads.timeline import TimelineSettings

Mode = Literal["stream", "poll"]

STEP_S = 0.5  # between two frames
POLLED_EVERY = 8  # one schedule in so many listens by polling
POLL_STEP_S = 20.0  # house seconds between two polls: the house's runs are about as short
NOT_POLLED = {"clock_jumps"}  # a polled frame has no time but the host's
# What cannot be written down is forgotten with the process, and told again under another id: nobody can promise more.
NOT_WITH_A_FULL_DISK = ("crash_", "bridge_killed", "bridge_restarted")
STEPS_LEAST, STEPS_MOST = 2, 4
LONG = 0.05  # of the steps last longer than the bridge bears with silence
TWICE = 0.25  # of the steps bring two faults at once


@dataclass(frozen=True, slots=True)
class Step:
    """After so many house seconds these faults begin, together, for so long."""

    after_s: float
    faults: tuple[str, ...]
    lasts_house_s: float  # at most
    lasts_s: float  # at most, real seconds
    seed: int


@dataclass(frozen=True, slots=True)
class Plan:
    """One schedule."""

    seed: int
    mode: Mode
    devices: int
    plugs: int
    on_s: float
    off_s: float
    offset_s: float  # of the timeline's clock
    delay_s: float  # of the timeline's items
    rewrite_after_s: float
    steps: tuple[Step, ...]

    @property
    def frame_interval_s(self) -> float:
        """House seconds from one frame to the next."""
        return POLL_STEP_S if self.mode == "poll" else STEP_S

    def house(self) -> RandomHouse:
        return RandomHouse(self.devices, self.seed, on_s=self.on_s, off_s=self.off_s, plugs=self.plugs, begins=BEGINS)

    def set_timeline(self, rules: TimelineSettings) -> None:
        rules.offset_s, rules.delay_s, rules.rewrite_after_s = self.offset_s, self.delay_s, self.rewrite_after_s


def draw(seed: int, names: tuple[str, ...], mode: Mode | None = None) -> Plan:
    """Return the schedule of a seed; `names`: the faults to choose from."""
    rng = random.Random(f"schedule {seed}")
    drawn: Mode = "poll" if rng.randrange(POLLED_EVERY) == 0 else "stream"
    if (mode or drawn) == "poll":
        names = tuple(name for name in names if name not in NOT_POLLED)
    return Plan(
        seed=seed,
        mode=mode or drawn,
        devices=rng.randint(8, 20),
        plugs=rng.randint(0, 4),
        on_s=round(rng.uniform(12, 60), 1),
        off_s=round(rng.uniform(15, 90), 1),
        offset_s=rng.choice((0.0, 0.0, -0.4, 0.7, 1.5, -3.0, 4.0)),
        delay_s=rng.choice((0.5, 2.0, 2.0, 6.0)),
        rewrite_after_s=rng.choice((5.0, 30.0, 60.0)),
        steps=tuple(_draw_step(rng, names) for _ in range(rng.randint(STEPS_LEAST, STEPS_MOST))),
    )


def _draw_step(rng: random.Random, names: tuple[str, ...]) -> Step:
    count = min(2 if rng.random() < TWICE else 1, len(names))
    return Step(
        after_s=round(rng.uniform(5, 60), 1),
        faults=_bearable(rng.sample(names, count)),
        lasts_house_s=round(rng.uniform(3, 60), 1),
        lasts_s=round(rng.uniform(3.0, 8.0) if rng.random() < LONG else rng.uniform(0.1, 1.0), 2),
        seed=rng.randrange(2**32),
    )


def _bearable(faults: list[str]) -> tuple[str, ...]:
    if "disk_full" not in faults:
        return tuple(faults)
    return tuple(name for name in faults if not name.startswith(NOT_WITH_A_FULL_DISK))
