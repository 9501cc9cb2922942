"""The built-in homes: one believable, with sun and plugs; one dense, for faults. Pure, the same for the same seed."""

import math
import random
from collections.abc import Iterable, Iterator

from sense_mqtt.simulator.house.appliances import APPLIANCES, DAY_S, MIN_SPAN_S, Appliance
from sense_mqtt.simulator.house.model import (
    Device,
    HousePower,
    ListedDevice,
    PowerStep,
    SwitchSchedule,
    TrueState,
    TrueTransition,
    quantised,
)
from sense_mqtt.simulator.house.noise import Noise
from sense_mqtt.simulator.house.solar import ModelledSolar, SolarProduction

BEGINS = 1_781_582_400.0  # 2026-06-16 04:00 UTC: midnight of a summer day in New York
IDLE_W = 0.5  # of the plugs of a random house
DAYS_OF_HISTORY = 2  # how long the monitor has been installed
ZONE_OFFSET_S = -14_400.0  # summer time of New York, all the year: the model does not need better


class BuiltInHouse:
    """A home with solar, plugs and some 500 transitions a day."""

    def __init__(self, seed: int = 1, *, begins: float = BEGINS, sun: SolarProduction | None = None) -> None:
        self._seed = seed
        self._noise = Noise(seed)
        self._sun = sun or ModelledSolar(self._noise, zone_offset_s=ZONE_OFFSET_S)
        self.begins, self.ends = begins, math.inf
        midnight = (begins + ZONE_OFFSET_S) // DAY_S * DAY_S - ZONE_OFFSET_S
        self.since = midnight - DAYS_OF_HISTORY * DAY_S
        self.devices = tuple(appliance.device for appliance in APPLIANCES)
        self.switch_schedule = SwitchSchedule(self.since, DAY_S, self._write)

    def power_at(self, at: float) -> HousePower:
        listed = []
        for number, device in enumerate(self.devices):
            step = self.switch_schedule.step(device.id, at)
            if step is not None and step.state != "off":
                watts = displayed_watts(device, step, self._noise, at, number)
                listed.append(ListedDevice(device, watts, idle=step.state == "idle"))
        plugs_w = sum(listed_device.device.ao_w for listed_device in listed)
        always_on_w = 218.0 + round(6 * self._noise.smooth(at, 43_200, 1)) + plugs_w
        other_w = 160.0 + 70 * abs(self._noise.smooth(at, 900, 2)) + 6 * self._noise.rough(at, 2)
        return HousePower(tuple(listed), always_on_w, quantised(other_w), quantised(self._sun.watts(at)))

    def transitions(self, since: float, until: float) -> list[TrueTransition]:
        return self.switch_schedule.transitions(since, until)

    def _write(self, start: float, end: float) -> Iterator[PowerStep]:
        day = int(start // DAY_S)
        for appliance in APPLIANCES:
            chance = random.Random(f"{self._seed} {day} {appliance.device.id}")  # noqa: S311 - a made-up house
            for on, off in separated(appliance.pattern(chance), end - start):
                yield from _run(appliance, start + on, start + off, chance)


def displayed_watts(device: Device, step: PowerStep, noise: Noise, at: float, number: int) -> float:
    """Return the watts Sense shows: measured for plugs, an estimate that hardly moves for the rest."""
    if step.state == "idle":
        return step.w
    spread = 0.01 if device.plug else 0.0005 if device.motor else 0.0
    return quantised(step.w * (1 + spread * noise.rough(at, number))) if spread else step.w


def separated(spans: Iterable[tuple[float, float]], length_s: float) -> Iterator[tuple[float, float]]:
    """Return the spans that are at least MIN_SPAN_S long, apart from each other and from the ends of the period."""
    free_from = MIN_SPAN_S
    for start, end in sorted(spans):
        start, end = round(max(start, free_from), 3), round(min(end, length_s - MIN_SPAN_S), 3)
        if end - start >= MIN_SPAN_S:
            yield start, end
            free_from = end + MIN_SPAN_S


def _run(appliance: Appliance, start: float, end: float, chance: random.Random) -> Iterator[PowerStep]:
    device = appliance.device.id
    yield PowerStep(start, device, "on", quantised(appliance.w * chance.uniform(0.99, 1.01)))
    if appliance.idle_w is None:
        yield PowerStep(end, device, "off")
    else:
        yield PowerStep(end, device, "idle", appliance.idle_w)


class RandomHouse:
    """Many devices that switch at random: 20,000 transitions come quickly. No solar."""

    def __init__(
        self,
        devices: int = 30,
        seed: int = 1,
        *,
        on_s: float = 60.0,
        off_s: float = 120.0,
        plugs: int = 0,
        begins: float = BEGINS,
    ) -> None:
        """`on_s` and `off_s` are means; no run or pause is shorter than MIN_SPAN_S. All are off when it begins.

        The first `plugs` devices go idle between their runs, instead of off.
        """
        made = random.Random(f"random house {seed}")  # noqa: S311 - a made-up house
        ids = [f"{number:08x}" for number in made.sample(range(2**28, 2**32), devices)]
        self.devices = tuple(
            Device(name_id, f"Device {number + 1}", leg=number % 2, plug=number < plugs, ao_w=IDLE_W * (number < plugs))
            for number, name_id in enumerate(ids)
        )
        self._state_between_runs: dict[str, TrueState] = {
            device.id: "idle" if device.plug else "off" for device in self.devices
        }
        self.since = self.begins = begins
        self.ends = math.inf
        self._noise = Noise(seed)
        self._chances = {name_id: random.Random(f"{seed} {name_id}") for name_id in ids}  # noqa: S311 - as above
        self._next = dict.fromkeys(ids, (begins, False))  # when its state ends, and which it is
        self._means = {True: on_s, False: off_s}
        self.switch_schedule = SwitchSchedule(begins, 3600.0, self._write)

    def power_at(self, at: float) -> HousePower:
        steps = ((device, self.switch_schedule.step(device.id, at)) for device in self.devices)
        listed = tuple(
            ListedDevice(device, step.w, idle=step.state == "idle")
            for device, step in steps
            if step is not None and step.state != "off"
        )
        plugs_w = sum(listed_device.device.ao_w for listed_device in listed)
        return HousePower(listed, 180.0 + plugs_w, quantised(90.0 + abs(20 * self._noise.rough(at, 1))))

    def transitions(self, since: float, until: float) -> list[TrueTransition]:
        return self.switch_schedule.transitions(since, until)

    def _write(self, _start: float, end: float) -> Iterator[PowerStep]:
        for device, chance in self._chances.items():
            at, on = self._next[device]
            while at < end:
                if at > self.since:
                    on = not on
                    yield self._step(at, device, chance, on=on)
                at = round(at + MIN_SPAN_S + chance.expovariate(1 / max(self._means[on] - MIN_SPAN_S, 0.001)), 3)
            self._next[device] = (at, on)

    def _step(self, at: float, device: str, chance: random.Random, *, on: bool) -> PowerStep:
        if on:
            return PowerStep(at, device, "on", quantised(chance.uniform(20, 2000)))
        resting = self._state_between_runs[device]
        return PowerStep(at, device, resting, IDLE_W if resting == "idle" else 0.0)
