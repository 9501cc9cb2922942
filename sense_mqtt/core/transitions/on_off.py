"""On, off and idle: from what successive frames show of one device to the transitions that are told.

A device is `on` while a frame lists it, `idle` while it is listed with the attribute Idle, `off` while it is not
listed. Thresholds of the user (`on_above_w`, `off_below_w`) replace that. A change is held back for `on_delay_s` or
`off_delay_s`; one that does not last is never told, one that does is told with the time at which it began.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.wire.devices import DevicePower

State = Literal["on", "off", "idle"]
Source = Literal["frame", "reconnect", "timeline"]

EVENT_TYPES: dict[State, str] = {"on": "turned_on", "off": "turned_off", "idle": "idle"}
STATE_AFTER: dict[str, State] = {event_type: state for state, event_type in EVENT_TYPES.items()}

LONGEST_STEP_S = 150.0  # energy of a run is unknown where two sightings are further apart: 2.5 polls of 60 s
CLOCK_SLIP_S = 120.0  # steps back of the monitor's clock up to this are smoothed, larger ones believed
OUTDATED_MOST_S = 3600.0  # a look that is older than the timeline's edge by more: the clock was set back
SETTLE_S = 1.0  # grace beyond the hold time where no further frame comes


class Sample(NamedTuple):
    """One look at a device."""

    draw: DevicePower | None  # None: not listed
    time: float  # seconds UTC at the house
    arrived: float  # monotonic seconds
    source: Source = "frame"
    uncertainty_s: float = 0.0  # it may show how things were so long before `time`

    @property
    def earliest(self) -> float:
        """When that may have been which it shows, seconds UTC."""
        return self.time - self.uncertainty_s

    @property
    def watts(self) -> float | None:
        return 0.0 if self.draw is None else self.draw.w


@dataclass(frozen=True, slots=True)
class TimelineState:
    """What the timeline has told of how it was."""

    state: State
    until: float  # when the newest edge happened, seconds UTC: a look at how it was before knows less
    doubted_until: float  # or then, as long as the two clocks are not known


@dataclass(frozen=True, slots=True)
class HeldChange:
    """A change that is held back until it has lasted."""

    state: State
    first: Sample  # the look that showed it first
    before: float  # when we looked before that, seconds UTC
    earliest: float  # it did not happen before, seconds UTC: the same, or the newest edge of the timeline
    energy_ws: float | None = 0.0  # watt-seconds since then; None: not all was seen


class SwitchState(NamedTuple):
    """What is known of a device's switching."""

    state: State | None = None  # None: no frame has told yet
    since: float | None = None  # seconds UTC; None: it was so when we first looked
    held: HeldChange | None = None
    energy_ws: float | None = None  # watt-seconds of the present run; None: not all of it was seen
    last: Sample | None = None

    @property
    def is_settled_off(self) -> bool:
        """It is off and nothing is held back: a further look that does not list it changes nothing."""
        return self.state == "off" and self.held is None

    @property
    def power_is_uncertain(self) -> bool:
        """The timeline told of the present state inside the last look: the watts it showed may be those of before."""
        return self.last is not None and self.since is not None and self.last.earliest < self.since < self.last.time


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of state that has lasted."""

    event_type: str
    time: float  # seconds UTC
    power_w: float | None
    source: Source
    earliest: float  # it did not happen before, seconds UTC
    before: float  # nor was it seen then, seconds UTC
    duration_s: float | None = None  # of the run that ended
    energy_kwh: float | None = None
    told: float | None = None  # when it happened by the timeline, where that told of it
    guid: str | None = None  # of the timeline's item


def apply_sample(
    switch: SwitchState,
    sight: Sample,
    rules: DeviceRules,
    looked: float | None = None,
    certain: Callable[[], TimelineState | None] = lambda: None,
) -> tuple[SwitchState, Transition | None]:
    """Return what is known after one sample, and the transition that it completes; the same where it is outdated.

    `last_observed_at`: when frames last showed nothing new of the device, seconds UTC.
    `certain`: asked only where the sample shows another state.
    """
    target = _judge(switch.state, sight.draw, rules)
    step_ws = _step_ws(switch.last, sight)
    energy_ws = _add(switch.energy_ws, step_ws)
    if switch.state is None or target == switch.state:
        if _is_before(sight.time, switch.since):
            return switch, None  # it agrees by chance: it shows an earlier run
        return SwitchState(target, switch.since, energy_ws=energy_ws, last=sight), None
    told = certain()
    if told and told.state == target:
        told = None  # it agrees with the newest that is known
    if told and _is_before(sight.earliest, told.until):
        return switch, None
    pending = _hold(switch, target, sight, step_ws, looked or 0.0, told.until if told else 0.0)
    switch = SwitchState(switch.state, switch.since, pending, energy_ws, sight)
    is_doubted = told and _is_before(sight.time, told.doubted_until)
    if is_doubted or sight.time - pending.first.time < _hold_s(target, rules):
        return switch, None
    return _complete(switch, pending)


def settle(switch: SwitchState, monotonic: float, rules: DeviceRules) -> tuple[SwitchState, Transition | None]:
    """Return the same where no further frame came: a held-back change has lasted when its hold time is over."""
    pending = switch.held
    if pending is None or monotonic - pending.first.arrived < _hold_s(pending.state, rules) + SETTLE_S:
        return switch, None
    return _complete(switch, pending)


def _is_before(time: float, known: float | None) -> bool:
    return known is not None and 0.0 < known - time <= OUTDATED_MOST_S


def _judge(state: State | None, draw: DevicePower | None, rules: DeviceRules) -> State:
    if draw is None:
        return "off"
    threshold = _threshold(state, rules)
    if threshold is not None and draw.w is not None:
        return "on" if draw.w >= threshold else "idle" if draw.idle else "off"
    return "idle" if draw.idle else "on"


def _threshold(state: State | None, rules: DeviceRules) -> float | None:
    above, below = rules.on_above_w, rules.off_below_w
    wanted, other = (below, above) if state == "on" else (above, below)
    return wanted if wanted is not None else other


def _hold(
    switch: SwitchState, target: State, sight: Sample, step_ws: float | None, looked: float, told: float
) -> HeldChange:
    pending = switch.held
    # A run is over since it first was no more `on`, be it idle or off; from or to `on`, the wait begins anew.
    if pending is None or (pending.state == "on") != (target == "on"):
        before = min(max(switch.last.earliest if switch.last else 0.0, looked), sight.earliest)
        return HeldChange(target, sight, before, earliest=min(max(before, told), sight.earliest))
    return replace(pending, state=target, energy_ws=_add(pending.energy_ws, step_ws))


def _hold_s(target: State, rules: DeviceRules) -> float:
    return rules.on_delay_s if target == "on" else rules.off_delay_s


def _step_ws(last: Sample | None, sight: Sample) -> float | None:
    step_s = sight.time - last.time if last else math.inf
    if last is None or last.watts is None or sight.source != "frame" or step_s > LONGEST_STEP_S:
        return None
    return last.watts * max(step_s, 0.0)


def _add(energy_ws: float | None, more_ws: float | None) -> float | None:
    return None if energy_ws is None or more_ws is None else energy_ws + more_ws


def _complete(switch: SwitchState, pending: HeldChange) -> tuple[SwitchState, Transition]:
    first, watts = pending.first, switch.last.watts if switch.last else None
    time = _in_order(first.time, switch.since)
    ended = switch.state == "on"
    run_ws = _add(switch.energy_ws, None if pending.energy_ws is None else -pending.energy_ws)
    transition = Transition(
        event_type=EVENT_TYPES[pending.state],
        time=time,
        power_w=watts,
        source=first.source,
        earliest=min(pending.earliest, time),
        before=pending.before,
        duration_s=time - switch.since if ended and switch.since is not None and switch.since <= time else None,
        energy_kwh=run_ws / 3.6e6 if ended and run_ws is not None else None,
    )
    fresh = pending.state == "on" and first.source == "frame"
    return SwitchState(
        pending.state, time, energy_ws=pending.energy_ws if fresh else None, last=switch.last
    ), transition


def _in_order(time: float, since: float | None) -> float:
    # Frames carry whole seconds: two transitions within one keep their order, and their ids differ.
    if since is None or time > since or since - time > CLOCK_SLIP_S:
        return time
    return since + 0.001
