"""Energy and peak of a device, summed up from samples of its power."""

import math

import msgspec
from msgspec.structs import replace

from sense_mqtt.core.transitions.timing import CONTINUOUS_S, MAX_ENERGY_STEP_S

MAX_ERROR = 0.01  # of an energy that is told: twice the standard deviation of its error


class PowerSample(msgspec.Struct, frozen=True):
    """What a device drew at a time, as a frame showed it; 0 W where the frame did not list it."""

    time: float  # s UTC
    w: float


class Tally(msgspec.Struct, frozen=True):
    """What samples tell of the time since the tally began."""

    energy_ws: float = 0.0
    variance: float = 0.0  # of the error of the energy, where samples are far apart; Ws squared
    peak_w: float = 0.0
    is_complete: bool = True  # False: nothing is known of some of the time

    def add(self, last: PowerSample | None, sample: PowerSample) -> "Tally":
        """Return the tally with the time from the last sample to this one.

        The power lasts until the next sample. Where the two are more than CONTINUOUS_S apart, it changed at some
        time between them, any of which is as likely.
        """
        peak_w = max(self.peak_w, sample.w)
        step_s = 0.0 if last is None else max(0.0, sample.time - last.time)
        if last is None or step_s > MAX_ENERGY_STEP_S:
            return replace(self, peak_w=peak_w, is_complete=self.is_complete and last is None)
        if step_s <= CONTINUOUS_S:
            return replace(self, energy_ws=self.energy_ws + last.w * step_s, peak_w=peak_w)
        energy_ws = self.energy_ws + (last.w + sample.w) / 2 * step_s
        variance = self.variance + ((last.w - sample.w) * step_s) ** 2 / 12
        return replace(self, energy_ws=energy_ws, variance=variance, peak_w=peak_w)

    def incomplete(self) -> "Tally":
        return replace(self, is_complete=False)

    @property
    def energy_kwh(self) -> float | None:
        """None where it is not known well enough."""
        is_known = self.is_complete and 2 * math.sqrt(self.variance) <= MAX_ERROR * self.energy_ws
        return self.energy_ws / 3.6e6 if is_known else None

    @property
    def known_peak_w(self) -> float | None:
        """W; None where a higher one may have gone unseen."""
        return self.peak_w if self.is_complete else None


NO_TALLY = Tally()
