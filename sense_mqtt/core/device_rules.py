"""What the configuration says of one device: its name, and when its power means on or off."""

import math

import msgspec


class DeviceRules(msgspec.Struct, frozen=True):
    """The rules for one device; every default is already filled in."""

    name: str | None = None  # instead of Sense's
    on_delay_s: float = 0.0  # an on edge must last this long before it is published
    off_delay_s: float = 2.0  # an off edge likewise
    on_above_w: float | None = None  # on only at or above so many watts; None: as Sense says
    off_below_w: float | None = None  # off below so many watts, never more than `on_above_w`
    ignore: bool = False  # publish nothing of it
    cycle_pause_s: float | None = None  # a cycle is over once nothing ran for so long; 0: none; None: by Sense's type

    def threshold_w(self, *, is_on: bool) -> float | None:
        """Return from how many W on a device is on, by whether it was; None: as Sense says."""
        wanted, other = (self.off_below_w, self.on_above_w) if is_on else (self.on_above_w, self.off_below_w)
        return wanted if wanted is not None else other

    def limits_w(self, *, is_on: bool) -> tuple[float, float]:
        """Return from how many W on, and below how many, a device stays on, or off, where nothing else changes."""
        threshold = self.threshold_w(is_on=is_on)
        if threshold is None:
            return 0.0, math.inf
        return (threshold, math.inf) if is_on else (0.0, threshold)
