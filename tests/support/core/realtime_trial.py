"""Days of a simulated house on the realtime feed: a frame each second, of devices that switch at any time between."""

from collections.abc import Sequence

from msgspec.structs import replace

from sense_mqtt.core.home.state import Tick
from sense_mqtt.core.next_tick import next_tick
from sense_mqtt.core.wire.frames import RealtimeUpdate
from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.house.stepped import SLOT_S, SteadyHouse
from tests.support.core.trial import Trial

READ_S = 10.0  # so often it is considered what to read from Sense


class RealtimeTrial(Trial):
    """A trial whose frames are made anew where the house has changed; the others differ in their time only."""

    def __init__(self, begins: float) -> None:
        self._newest: RealtimeUpdate | None = None
        super().__init__(begins, house=SteadyHouse(BuiltInHouse(begins=begins)), frame_s=1.0)

    def changes(self, since: float, until: float) -> Sequence[float]:
        slot = [since] if since % SLOT_S == 0.0 else []
        return [*slot, *self.house.switch_schedule.step_times(since - 0.0005, until)]

    def update(self) -> RealtimeUpdate:
        if self._newest is None or self.changes(self.now - 1.0, self.now + 0.0005):
            self._newest = super().update()
        described = tuple(info for info in self._newest.new_devices if info.id not in self.home.known_ids)
        self._newest = replace(self._newest, epoch=self.now, new_devices=described)
        return self._newest

    def look(self) -> None:
        monotonic = self.moment().monotonic
        if next_tick(self.home, monotonic, self.policy) <= monotonic:
            self.observe(Tick())
        if self.now % READ_S == 0.0:
            self.read_due()
