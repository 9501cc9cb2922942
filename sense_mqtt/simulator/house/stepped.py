"""A house whose watts change only at full slots of time, so that sums of its watts are its energy exactly. Pure."""

import math
from collections.abc import Iterator

from sense_mqtt.simulator.house.model import House, HousePower, PowerStep, SwitchSchedule, TrueTransition

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
