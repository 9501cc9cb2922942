"""Houses that are constant for a while, so that sums of their watts are their energy exactly. Pure."""

import math
from collections.abc import Iterator
from dataclasses import replace

from sense_mqtt.simulator.house.model import (
    House,
    HousePower,
    ListedDevice,
    PowerStep,
    SwitchSchedule,
    TrueTransition,
)

SLOT_S = 30.0  # the history of the cloud samples as often


class SteppedHouse:
    """Another house as it is at the beginning of each slot; what is shorter than a slot may be left out."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.devices, self.since, self.begins, self.ends = house.devices, house.since, house.begins, house.ends
        self.switch_schedule = SwitchSchedule(self.since, 86_400.0, self._write)

    def power_at(self, at: float) -> HousePower:
        return self._house.power_at(math.floor(at / SLOT_S) * SLOT_S)

    def transitions(self, since: float, until: float) -> list[TrueTransition]:
        return self.switch_schedule.transitions(since, until)

    def _write(self, start: float, end: float) -> Iterator[PowerStep]:
        for number in range(math.ceil(start / SLOT_S), math.ceil(end / SLOT_S)):
            at = number * SLOT_S
            for device in self.devices:
                step = self._house.switch_schedule.step(device.id, at)
                before = self._house.switch_schedule.step(device.id, at - SLOT_S)
                if step is not None and step is not before:
                    yield PowerStep(at, device.id, step.state, step.w)


class SteadyHouse:
    """Another house whose devices switch when they do; their noise, the rest and the sun change at full slots only."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.devices, self.since, self.begins, self.ends = house.devices, house.since, house.begins, house.ends
        self.switch_schedule = house.switch_schedule
        self._slot: tuple[float, HousePower] | None = None  # the last one that was asked for

    def power_at(self, at: float) -> HousePower:
        slot = math.floor(at / SLOT_S) * SLOT_S
        if self._slot is None or self._slot[0] != slot:
            self._slot = slot, self._house.power_at(slot)
        power = self._slot[1]
        switched = {each.device for each in self.transitions(slot, at)}
        return replace(power, devices=tuple(self._listed(power, switched, at))) if switched else power

    def transitions(self, since: float, until: float) -> list[TrueTransition]:
        return self._house.transitions(since, until)

    def _listed(self, power: HousePower, switched: set[str], at: float) -> Iterator[ListedDevice]:
        before = {listed.device: listed for listed in power.devices}
        for device in self.devices:
            if device.id not in switched:
                if device in before:
                    yield before[device]
            elif (step := self.switch_schedule.step(device.id, at)) is not None and step.state != "off":
                yield ListedDevice(device, step.w, idle=step.state == "idle")
