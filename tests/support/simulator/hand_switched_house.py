"""A simulated house whose appliances and sun a test switches while it runs. Its time is the wall's."""

import math
import threading
import time
from collections.abc import Iterator

from sense_mqtt.simulator.house.model import (
    Device,
    HousePower,
    ListedDevice,
    PowerStep,
    SwitchSchedule,
    TrueState,
    TrueTransition,
)

SLOT_S = 0.5  # a switching takes effect with the next slot


class HandSwitchedHouse:
    """Nothing is on at first. To be used from any thread."""

    def __init__(self, *devices: Device, solar_w: float = 0.0) -> None:
        self.devices: tuple[Device, ...] = devices
        self.begins = math.floor(time.time())
        self.since, self.ends = self.begins - 3600.0, math.inf
        self.solar_w = solar_w
        self._changing = threading.Lock()
        self._waiting: list[tuple[str, TrueState, float]] = []
        self.switch_schedule = SwitchSchedule(self.begins, SLOT_S, self._write)

    def switch(self, device: str, state: TrueState, w: float = 0.0) -> None:
        with self._changing:
            self._waiting.append((device, state, w))

    def power_at(self, at: float) -> HousePower:
        steps = ((device, self.switch_schedule.step(device.id, at)) for device in self.devices)
        listed = tuple(
            ListedDevice(device, step.w, idle=step.state == "idle")
            for device, step in steps
            if step is not None and step.state != "off"
        )
        return HousePower(listed, always_on_w=100.0, other_w=50.0, solar_w=self.solar_w)

    def transitions(self, since: float, until: float) -> list[TrueTransition]:
        return self.switch_schedule.transitions(since, until)

    def _write(self, start: float, _end: float) -> Iterator[PowerStep]:
        with self._changing:
            waiting, self._waiting = self._waiting, []
        for device, state, w in waiting:
            yield PowerStep(start, device, state, w)
