"""The present cycle of one appliance: what edges and samples make of it, and when it is over.

A phase is a run of the device, from `turned_on` to `turned_off` or `idle`. Phases with pauses of at most `pause_s`
between them are one cycle.
"""

import msgspec
from msgspec.structs import replace

from sense_mqtt.core.cycles.tally import NO_TALLY, PowerSample, Tally
from sense_mqtt.core.edges import EdgeKind


class Cycle(msgspec.Struct, frozen=True):
    """A cycle that has begun. Times are s UTC at the house."""

    started: float | None  # None: it ran already when the device was first seen
    ended: float | None = None  # of the last phase; None while one runs
    phases: int = 1
    is_sampled: bool = False  # a frame showed the power of the last phase
    source: str = "frame"  # of the edge that ended the last phase
    tally: Tally = NO_TALLY  # until the end of the last phase

    @property
    def duration_s(self) -> float | None:
        return None if self.started is None or self.ended is None else max(0.0, self.ended - self.started)


class Appliance(msgspec.Struct, frozen=True):
    """What is known of the cycles of one device."""

    pause_s: float
    last: PowerSample | None = None  # the newest
    tally: Tally = NO_TALLY  # since the present cycle began, or where there is none since the device last began to run
    cycle: Cycle | None = None
    published_until: float | None = None  # s UTC, the end of the last cycle that was told: what was before is told

    @property
    def is_running(self) -> bool:
        return self.cycle is not None

    @property
    def is_sampled(self) -> bool:
        """True where it runs, and a frame has shown its power: a further sample tells of its energy alone."""
        return self.cycle is not None and self.cycle.ended is None and self.cycle.is_sampled

    def sample(self, sample: PowerSample) -> "Appliance":
        """Return the appliance after a frame."""
        cycle = self.cycle
        if cycle is not None and cycle.ended is None and not cycle.is_sampled and sample.w > 0.0:
            cycle = replace(cycle, is_sampled=True)
        return replace(self, last=sample, tally=self.tally.add(self.last, sample), cycle=cycle)

    def goes_on(self, *, is_on: bool | None, power_w: float | None) -> bool:
        """True where frames that show the device like this go on to tell of its energy and peak alone."""
        if is_on is None or self.last is None or self.last.w != power_w:
            return False
        return self.is_sampled if is_on else self.cycle is None or self.cycle.ended is not None

    def go_on(self, until: float, w: float, energy_ws: float) -> "Appliance":
        """Return the appliance after frames until a time, to no new peak; `w`: in the last of them."""
        tally = replace(self.tally, energy_ws=self.tally.energy_ws + energy_ws)
        return replace(self, last=PowerSample(until, w), tally=tally)

    def settled_off(self) -> "Appliance":
        """Return the appliance where it is off and no change is held back: what comes next is a new run."""
        return self if self.cycle is not None or self.tally == NO_TALLY else replace(self, tally=NO_TALLY)

    def edge(self, kind: EdgeKind, time: float, source: str) -> "tuple[Appliance, Cycle | None]":
        """Return the appliance after an edge of its device, and the cycle before where that turns out to be over."""
        if self.published_until is not None and time <= self.published_until:
            return self, None
        return self._turned_on(time) if kind is EdgeKind.TURNED_ON else (self._turned_off(time, source), None)

    def show(self, *, is_on: bool, since: float | None, time: float) -> "tuple[Appliance, Cycle | None]":
        """Return the appliance as the state of its device shows it, where no edge has told of that.

        `since`: s UTC, None: not known; `time`: of the observation.
        """
        cycle = self.cycle
        if is_on and cycle is None:
            return replace(self, cycle=Cycle(since), tally=self.tally.incomplete()), None
        if cycle is None or is_on is (cycle.ended is None):
            return self, None
        if is_on:
            return self._turned_on(time if since is None else since)
        return self._turned_off(time if since is None else since, "frame"), None

    def over(self) -> "Appliance":
        """Return the appliance once its cycle was told."""
        ended = self.cycle.ended if self.cycle else None
        return replace(self, cycle=None, tally=NO_TALLY, published_until=ended)

    def _turned_on(self, time: float) -> "tuple[Appliance, Cycle | None]":
        cycle = self.cycle
        if cycle is None:
            return replace(self, cycle=Cycle(time, is_sampled=self._is_shown(time))), None
        if cycle.ended is not None and time - cycle.ended > self.pause_s:  # found late: nobody told of it in between
            return replace(self.over(), cycle=Cycle(time), tally=NO_TALLY.incomplete()), cycle
        if cycle.ended is not None and time >= cycle.ended:
            cycle = replace(cycle, phases=cycle.phases + 1, ended=None, is_sampled=self._is_shown(time))
            return replace(self, cycle=cycle), None
        # An older phase that is found late: no frame has shown it.
        started = cycle.started if cycle.started is None else min(cycle.started, time)
        cycle = replace(cycle, phases=cycle.phases + 1, started=started, tally=cycle.tally.incomplete())
        return replace(self, cycle=cycle, tally=self.tally.incomplete()), None

    def _turned_off(self, time: float, source: str) -> "Appliance":
        cycle = self.cycle
        if cycle is None or cycle.ended is not None or time < (cycle.started or 0.0):
            return self
        tally, last = self.tally, self.last
        if last is not None and time > last.time:  # the timeline told of it: until then it ran on
            tally, last = tally.add(last, replace(last, time=time)), PowerSample(time, 0.0)
        tally = tally if cycle.is_sampled else tally.incomplete()
        return replace(self, last=last, cycle=replace(cycle, ended=time, source=source, tally=tally), tally=tally)

    def _is_shown(self, time: float) -> bool:
        """True where the newest sample is of a run that began at `time`."""
        return self.last is not None and self.last.time >= time and self.last.w > 0.0
