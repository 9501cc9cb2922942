"""What somebody who reads the retained values of a house sees at each moment, and whether it fits together."""

from collections import Counter
from collections.abc import Iterable, Iterator

from sense_mqtt.core.changes import Event, Reading
from sense_mqtt.core.home.state import Home, Policy, Tick
from sense_mqtt.core.observe import Seen, observe
from sense_mqtt.core.publishing.reading_text import payload_of
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.wire.frames import RealtimeUpdate, read_update
from sense_mqtt.simulator.house.model import House
from sense_mqtt.simulator.payloads.frames import FrameMaker
from tests.support.core.builders import policy

FRAME_EVERY_S = 0.5
NOISE_W = 1e-6  # of sums of floats
SHARE_ROUNDED = 0.5 + 0.1  # per cent: half a digit, and what a tenth of a watt makes of a small consumption


class PublishedValues:
    """The retained values, how long they did not fit, and by how much at worst."""

    def __init__(self, wanted: Policy | None = None) -> None:
        self.home = Home(monitor=7)
        self.policy = wanted or policy()
        self.values: dict[tuple[str | None, str], str] = {}
        self.moments = 0
        self.mismatches: Counter[str] = Counter()  # moments
        self.largest: dict[str, float] = {}
        self.messages = 0

    def see(self, seen: Seen, at: float) -> None:
        self.home, changes = observe(self.home, seen, Moment(at, at), self.policy)
        told = {(change.device, change.key): payload_of(change) for change in changes if isinstance(change, Reading)}
        self.messages += len(told)
        self.values.update(told)
        self.moments += 1
        if any(isinstance(change, Event) and change.device for change in changes):
            self._note("edges without the house", 0.0, float(self._lags(seen)))
        if (None, "grid_power") in self.values:
            self._compare_all()
        self._compare_devices(seen)

    def number(self, key: str, device: str | None = None) -> float:
        return float(self.values[device, key])

    def share(self, kind: str) -> float:
        """Return for how many per cent of the time this did not fit."""
        return 100 * self.mismatches[kind] / self.moments

    def _lags(self, seen: Seen) -> bool:
        return isinstance(seen, RealtimeUpdate) and abs(self.number("power") - seen.w) > 0.05 + NOISE_W

    def _compare_all(self) -> None:
        power, solar = self.number("power"), self.number("solar_power")
        off_w = abs(self.number("grid_power") - (power - solar))
        for limit_w in (0.0, 1.2, 100.0):
            self._note(f"grid off by more than {limit_w} W", limit_w, off_w)
        if power > 0:
            self._note("share", SHARE_ROUNDED, abs(self.number("solar_share") - min(100.0, 100 * solar / power)))

    def _compare_devices(self, seen: Seen) -> None:
        """Note a device that is shown to draw more than the house, where this frame does not say so itself."""
        of_sense = {draw.id: draw.w for draw in seen.devices} if isinstance(seen, RealtimeUpdate) else {}
        power = self.number("power")
        for (device, key), text in self.values.items():
            if device is not None and key == "power" and (of_sense.get(device) or 0.0) <= power:
                self._note("device above house", 0.1, float(text) - power)

    def _note(self, kind: str, limit: float, off: float) -> None:
        self.mismatches[kind] += off > limit + NOISE_W
        self.largest[kind] = max(self.largest.get(kind, 0.0), off)


def frames(
    house: House, since: float, seconds: float, *, every_s: float = FRAME_EVERY_S
) -> Iterator[tuple[float, RealtimeUpdate]]:
    """Return frames, two a second unless told otherwise, each with the time at which it comes."""
    maker = FrameMaker(house)
    for number in range(round(seconds / every_s)):
        at = since + number * every_s
        yield at, read_update(maker.realtime(at))


def show(
    seen: Iterable[tuple[float, RealtimeUpdate]], wanted: Policy | None = None, *, tick: bool = True
) -> PublishedValues:
    """Return what is shown while these frames come, with a tick after each."""
    shown = PublishedValues(wanted)
    for at, update in seen:
        shown.see(update, at)
        if tick:
            shown.see(Tick(), at + FRAME_EVERY_S / 2)
    return shown
