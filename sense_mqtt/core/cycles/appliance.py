"""The present cycle of one appliance: what edges and samples make of it, and when it is over.

A phase is a run of the device, from `turned_on` to `turned_off` or `idle`. Phases with pauses of at most `pause_s`
between them are one cycle.
"""

import math

import msgspec
from msgspec.structs import replace

from sense_mqtt.core.edges import EdgeKind, State
from sense_mqtt.core.home.state import Device, Home
from sense_mqtt.core.transitions.timing import CONTINUOUS_S, MAX_CLOCK_SLIP_S, MAX_ENERGY_STEP_S

MAX_ERROR = 0.01  # of an energy that is told: twice the standard deviation of its error
# After time without frames Sense's timeline may still tell of a phase: it is read every 180 s between polls, and its
# items appear some 90 s late.
TIMELINE_SETTLES_S = 300.0


# --- energy and peak


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


# --- the cycle


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


# --- when it is over: nothing has run for its pause, and nothing can come any more that ran meanwhile


def is_over(cycle: Cycle, pause_s: float, device: Device, home: Home) -> bool:
    """True once the cycle can be told. Only frames say that time has passed: without them nothing is known."""
    ended, now = cycle.ended, home.coverage.last_observed_at
    if ended is None or now is None or home.coverage.is_interrupted:
        return False
    if now < ended - MAX_CLOCK_SLIP_S:
        return True  # the monitor's clock was set back
    if now < over_from(cycle, pause_s, home):
        return False
    held = device.switch.held
    if held is not None and held.state is State.ON and held.first.time - ended <= pause_s:
        return False  # perhaps one more phase
    return not any(item.device == device.info.id for item in home.pending_items)


def over_from(cycle: Cycle, pause_s: float, home: Home) -> float:
    """Return from when on (s UTC) the cycle is over, where nothing more is seen; infinite while it runs."""
    if cycle.ended is None:
        return math.inf
    end = cycle.ended + pause_s
    return max(end, _settled_at(cycle.ended, end, home))


def _settled_at(start: float, end: float, home: Home) -> float:
    """Return when the timeline has told what happened between two times, where no frame covers all of it."""
    ends = [min(until, end) for since, until in home.coverage.unobserved if since < end and until > start]
    return max(ends) + TIMELINE_SETTLES_S if ends else end
