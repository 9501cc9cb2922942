"""What the meters of one home know. How they count: docs/meters.md."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from sense_mqtt.core.capability import HOUSE, Documents
from sense_mqtt.core.energy.periods import COUNTERS

Counter = tuple[str, str]  # (id of the device, or HOUSE; the figure, as its payload names it)
Figures = Mapping[Counter, float]

CONSUMPTION, PRODUCTION, FROM_GRID, TO_GRID = COUNTERS
OBSERVED: Counter = (HOUSE, "observed_s")  # beside the kWh of an hour: the seconds of it that were integrated

HOUR_S = 3600.0
RESERVED_S = 600.0  # so long the present watts may go on before a row is written again
# More than twice of that, and this, is too much: after a crash nothing is published until all of it is used.
SPARE_KWH = 0.02
_NONE: Mapping[Any, Any] = MappingProxyType({})


class Sample(NamedTuple):
    """The watts of all counters at one instant; those that are not known are absent."""

    time: float  # s UTC
    devices: tuple[str, ...]
    watts: tuple[float, ...]  # of the house's consumption; with solar, of its other figures; of each device

    @property
    def figures(self) -> Figures:
        """The watts by counter."""
        house = COUNTERS if len(self.watts) > len(self.devices) + 1 else (CONSUMPTION,)
        counters = (*((HOUSE, figure) for figure in house), *((device, CONSUMPTION) for device in self.devices))
        return dict(zip(counters, self.watts, strict=True))

    def is_like(self, other: "Sample") -> bool:
        """True where both have the same counters."""
        return self.devices == other.devices and len(self.watts) == len(other.watts)


class Part(NamedTuple):
    """What was integrated within one hour from samples that are like the last one."""

    doubled_ws: tuple[float, ...]  # twice the watt-seconds, in the order of the sample's watts
    observed_s: float = 0.0


class Candidate(NamedTuple):
    """What Sense said of one finished hour."""

    kwh: float
    read_at: float  # monotonic s, when it first said so
    is_settled: bool = False  # it was said twice, or long after the hour


class Meters(NamedTuple):
    """kWh of each counter: those of closed days, and the best figure of each hour since.

    `totals` is the sum of both; `shown` is at least that which was published. A tuple: each frame makes one
    (docs/decisions/0005-structs-where-each-frame-makes-many.md).
    """

    since: Mapping[str, float] = _NONE  # s UTC, by device id or HOUSE
    closed: Figures = _NONE
    hours: Mapping[float, Figures] = _NONE  # by the start of the hour (s UTC)
    totals: Figures = _NONE
    variances: Mapping[float, Figures] = _NONE  # kWh squared: by how much an hour may be wrong that is not settled
    shown: Figures = _NONE
    reserved: Figures = _NONE  # `shown` may grow so far before it is stored again
    unsure: frozenset[Counter] = frozenset()  # of which a crash lost how much was published: `shown` is the most
    open_since: float | None = None  # the start of the first hour that is not closed
    offset_s: float = 0.0  # of the hours of this time zone: 1800 where they begin at half past
    resumed_at: float | None = None  # s UTC, of the first frame after rows of an earlier process were read
    sample: Sample | None = None  # the last one
    part: Part | None = None  # of the hour of the sample: not in `hours` and `totals` yet
    candidates: Mapping[float, Mapping[Counter, Candidate]] = _NONE
    today: float | None = None  # the start of the newest day that Sense told (s UTC)
    asked_at: float | None = None  # monotonic s, when Sense last told of a day that is over
    looked_at: float | None = None  # monotonic s, when it was last considered what to publish
    kept: Documents = _NONE  # the rows as they are stored

    def hour_of(self, time: float) -> float:
        """Return the start of the hour (s UTC)."""
        return math.floor((time - self.offset_s) / HOUR_S) * HOUR_S + self.offset_s


def add(figures: Figures, more: Mapping[Counter, float]) -> dict[Counter, float]:
    """Return the sum of both, counter by counter."""
    total = dict(figures)
    for counter, value in more.items():
        total[counter] = total.get(counter, 0.0) + value
    return total
