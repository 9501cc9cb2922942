"""How much the sun yields: a curve with clouds, or measured watts. Pure."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Literal, Protocol

from sense_mqtt.simulator.house.noise import Noise

DAY_S = 86_400
NIGHT_W = -2.6  # an inverter's standby draw


SPELL_S = 10_800.0  # how long a sky lasts on a changing day
Sky = Literal["night", "clear", "partly", "overcast"]
_DAYS: tuple[tuple[Sky, ...], ...] = (
    ("clear",),
    ("clear", "partly"),
    ("overcast",),
    ("partly", "overcast", "clear"),
    ("partly",),
)


class SolarProduction(Protocol):
    """Production in W at a unix second; slightly negative at night."""

    def watts(self, at: float) -> float: ...


class ModelledSolar:
    """A roof of `peak_w` that sees the sun from sunrise to sunset, with passing clouds and dull days."""

    def __init__(self, noise: Noise, *, peak_w: float = 5200.0, zone_offset_s: float = -18_000.0) -> None:
        self._noise = noise
        self._peak_w = peak_w
        self._zone_offset_s = zone_offset_s

    def watts(self, at: float) -> float:
        height = self._height(at)
        if height <= 0.0:
            return NIGHT_W + 0.2 * self._noise.rough(at, 3)
        return NIGHT_W + self._peak_w * math.pow(height, 1.3) * self._clearness(at)

    def _height(self, at: float) -> float:
        hour = ((at + self._zone_offset_s) % DAY_S) / 3600
        return math.sin(math.pi * (hour - 6.2) / 12.6) if 6.2 < hour < 18.8 else 0.0

    def _clearness(self, at: float) -> float:
        overcast = 0.25 * abs(self._noise.smooth(at, DAY_S, 4))
        cloud = max(0.0, self._noise.smooth(at, 240.0, 5) - 0.6) * 0.5
        return max(0.05, 1.0 - min(overcast, 0.5) - min(cloud, 0.6))


class SolarWithSky(ModelledSolar):
    """A roof below a sky that is known: clear days, overcast ones, and days on which it changes every few hours."""

    def sky(self, at: float) -> Sky:
        """Return how the sky truly is."""
        if self._height(at) <= 0.0:
            return "night"
        local = at + self._zone_offset_s
        of_day = _DAYS[int(local // DAY_S) % len(_DAYS)]
        return of_day[int(local % DAY_S // SPELL_S) % len(of_day)]

    def _clearness(self, at: float) -> float:
        variation = math.tanh(self._noise.smooth(at, 300.0, 5))  # from -1 to 1
        match self.sky(at):
            case "clear":
                return 1.0
            case "partly":
                return 0.62 + 0.33 * variation
            case _:
                return 0.15 + 0.05 * variation


class MeasuredSolar:
    """Measured production, interpolated, and mapped onto any day by the time of day."""

    def __init__(self, seconds: Sequence[float], watts: Sequence[float]) -> None:
        """Take readings by rising unix seconds; at least one is needed."""
        if not seconds:
            raise ValueError("measured solar: the file holds no reading; give one with columns unix and watts")
        self._seconds = seconds
        self._watts = watts

    def watts(self, at: float) -> float:
        at = self._mapped(at)
        index = bisect_right(self._seconds, at)
        if index == 0:
            return self._watts[0]
        if index == len(self._seconds):
            return self._watts[-1]
        left, right = self._seconds[index - 1], self._seconds[index]
        share = (at - left) / (right - left)
        return self._watts[index - 1] + (self._watts[index] - self._watts[index - 1]) * share

    def _mapped(self, at: float) -> float:
        """Return the measured second with the same time of day, going through the measured days in turn."""
        first, last = self._seconds[0], self._seconds[-1]
        days = max(1, int((last - first) // DAY_S))
        return first + (at - first) % (days * DAY_S)
