"""A house of thirty devices, of which as many draw at once as wanted; busier than a real one."""

import math
from collections.abc import Iterator

from sense_mqtt.simulator.house.appliances import APPLIANCES
from sense_mqtt.simulator.house.builtin import BEGINS, ZONE_OFFSET_S, displayed_watts
from sense_mqtt.simulator.house.model import (
    Device,
    HousePower,
    ListedDevice,
    PowerStep,
    SwitchSchedule,
    TrueTransition,
    quantised,
)
from sense_mqtt.simulator.house.noise import Noise
from sense_mqtt.simulator.house.solar import ModelledSolar

NOON = BEGINS + 12 * 3600.0
SWITCH_S = 120.0  # so often a device pauses: 1440 transitions a day, where a real home has 500
PAUSE_S = 15.0
DEVICES = 30
HEATERS = tuple(
    Device(f"{0x4D0C51A0 + number:08x}", f"Heat {number + 3}", "heat", "MysteryHeat", leg=number % 2)
    for number in range(DEVICES - len(APPLIANCES))
)


class BusyHouse:
    """Thirty devices with all their tags; a third of those that draw does so a little differently in every frame."""

    def __init__(self, listed_device: int = DEVICES) -> None:
        """So many devices draw, but for one that pauses."""
        self.devices = (*(appliance.device for appliance in APPLIANCES), *HEATERS)
        self._watts = [*(appliance.w for appliance in APPLIANCES), *(1500.0 + 10 * n for n in range(len(HEATERS)))]
        self._drawing = listed_device
        self._noise = Noise(1)
        self._sun = ModelledSolar(self._noise, zone_offset_s=ZONE_OFFSET_S)
        self.since = self.begins = NOON
        self.ends = math.inf
        self.switch_schedule = SwitchSchedule(NOON, 3600.0, self._write)

    def power_at(self, at: float) -> HousePower:
        steps = [
            (number, device, self.switch_schedule.step(device.id, at)) for number, device in enumerate(self.devices)
        ]
        listed = tuple(
            ListedDevice(device, displayed_watts(device, step, self._noise, at, number))
            for number, device, step in steps
            if step is not None and step.state == "on"
        )
        plugs_w = sum(listed_device.device.ao_w for listed_device in listed)
        other_w = 160.0 + 70 * abs(self._noise.smooth(at, 900, 2)) + 6 * self._noise.rough(at, 2)
        return HousePower(listed, 218.0 + plugs_w, quantised(other_w), quantised(self._sun.watts(at)))

    def transitions(self, since: float, until: float) -> list[TrueTransition]:
        return self.switch_schedule.transitions(since, until)

    def _write(self, start: float, end: float) -> Iterator[PowerStep]:
        if start == NOON:  # all are seen once, so that all are known
            yield from (PowerStep(NOON, device.id, "on", self._watts[n]) for n, device in enumerate(self.devices))
            yield from (PowerStep(NOON + 1.0, device.id, "off") for device in self.devices[self._drawing :])
        for turn in range(math.ceil((start - NOON) / SWITCH_S), math.ceil((end - NOON) / SWITCH_S)):
            chosen, at = turn % self._drawing, NOON + turn * SWITCH_S + 3.0
            yield PowerStep(at, self.devices[chosen].id, "off")
            yield PowerStep(at + PAUSE_S, self.devices[chosen].id, "on", self._watts[chosen])
