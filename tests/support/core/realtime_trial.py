"""Days of a simulated house on the realtime feed: what Sense shows of each second, without seconds that say nothing.

Devices switch at any time between two seconds. Of the frames of each second those are left out that show just what the
one before and the one after show, but for one each HEARTBEAT_S: the energy that is integrated is the same.
"""

import math

from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.house.stepped import SLOT_S, SteadyHouse
from tests.support.core.trial import Trial

HEARTBEAT_S = 10  # divides SLOT_S


class RealtimeTrial(Trial):
    """A trial with a frame wherever the second before or after it is not like it."""

    def __init__(self, begins: float) -> None:
        self._due: list[float] = []  # when frames come until the end of the slot, the next one last
        super().__init__(begins, house=SteadyHouse(BuiltInHouse(begins=begins)), frame_s=1.0)

    def next_time(self) -> float:
        while self._due and self._due[-1] <= self.now:
            self._due.pop()
        if not self._due:
            self._due = self._times_of_slot()
        return self._due.pop()

    def _times_of_slot(self) -> list[float]:
        """Return when frames come after now until the next slot begins, latest first."""
        end = (self.now // SLOT_S + 1) * SLOT_S
        switchings = self.house.switch_schedule.step_times(self.now, end)
        due = {*range(int(self.now) + HEARTBEAT_S - int(self.now) % HEARTBEAT_S, int(end) + 1, HEARTBEAT_S), end - 1.0}
        due |= {second for at in switchings for second in (math.floor(at), math.ceil(at))}
        return sorted((each for each in due if each > self.now), reverse=True)
