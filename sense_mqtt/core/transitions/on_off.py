"""The state machine of one device: from samples to edges.

A device is `on` while a frame lists it, `idle` while it is listed with the attribute Idle, `off` while it is not
listed. Thresholds of the user (`on_above_w`, `off_below_w`) replace that. A change is held back for the hold time
(`on_delay_s`, `off_delay_s`): one that does not last is never published, one that does has the time at which it began.

The table STEPS says what a sample does. Two more things move the machine: a change whose hold time is over is
published (`apply_sample`, or `settle` where no further sample comes), and an edge that only the timeline knows sets the
state (`follow_timeline`). Anything that is not in the table is an error (KeyError).
"""

import math
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Literal

import msgspec
from msgspec.structs import replace

from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.edges import KIND_TO, Edge, State
from sense_mqtt.core.transitions.coverage import Coverage
from sense_mqtt.core.transitions.published_edges import TimelineState, timeline_state
from sense_mqtt.core.transitions.timing import (
    CONTINUOUS_S,
    MAX_CLOCK_SLIP_S,
    MAX_ENERGY_STEP_S,
    MAX_OUTDATED_S,
    SETTLE_S,
)
from sense_mqtt.core.wire.devices import DevicePower

Source = Literal["frame", "reconnect", "timeline"]  # who showed an edge first; reconnect: the first frame after a gap


class Step(Enum):
    """What a sample does to the state of a device."""

    ADOPT = "take the state over without an edge"
    STAY = "the state is as before"
    HOLD = "a change begins: its hold time starts"
    GO_ON = "the hold time of the change runs on, towards the state that the sample shows"
    CANCEL = "the change did not last: it is forgotten"


ADOPT, STAY, HOLD, GO_ON, CANCEL = Step
UNKNOWN, OFF, ON, IDLE = State

# A run is over since it first was no more `on`, be it idle or off; from or to `on`, the hold time begins anew.
STEPS: Mapping[tuple[State, State | None], Mapping[State, Step]] = {
    # (published state, state of the change that is held back): what a sample does that shows ...
    (UNKNOWN, None): {ON: ADOPT, IDLE: ADOPT, OFF: ADOPT},
    (OFF, None): {ON: HOLD, IDLE: HOLD, OFF: STAY},
    (OFF, ON): {ON: GO_ON, IDLE: HOLD, OFF: CANCEL},
    (OFF, IDLE): {ON: HOLD, IDLE: GO_ON, OFF: CANCEL},
    (ON, None): {ON: STAY, IDLE: HOLD, OFF: HOLD},
    (ON, IDLE): {ON: CANCEL, IDLE: GO_ON, OFF: GO_ON},
    (ON, OFF): {ON: CANCEL, IDLE: GO_ON, OFF: GO_ON},
    (IDLE, None): {ON: HOLD, IDLE: STAY, OFF: HOLD},
    (IDLE, ON): {ON: GO_ON, IDLE: CANCEL, OFF: HOLD},
    (IDLE, OFF): {ON: HOLD, IDLE: CANCEL, OFF: GO_ON},
}


class Sample(msgspec.Struct, frozen=True):
    """What one frame shows of one device."""

    power: DevicePower | None  # None: the frame does not list the device
    time: float  # s UTC at the house
    arrived: float  # monotonic s
    source: Source = "frame"
    uncertainty_s: float = 0.0  # it may show the house as it was up to so long before `time`

    @property
    def earliest(self) -> float:
        """Earliest time that this sample may represent, s UTC."""
        return self.time - self.uncertainty_s

    @property
    def watts(self) -> float | None:
        return 0.0 if self.power is None else self.power.w


class HeldChange(msgspec.Struct, frozen=True):
    """A change that is held back until its hold time is over."""

    state: State
    first: Sample  # the sample that showed it first
    last_observed_before: float  # s UTC, of the sample before
    not_before: float  # s UTC: the same, or the newest edge of the timeline
    energy_ws: float | None = 0.0  # watt-seconds since then; None: not known for all of the time

    def edge(self, device: str) -> Edge:
        """Return the edge that this change becomes, if it lasts."""
        return Edge(device, KIND_TO[self.state], self.first.time, self.not_before)


class SwitchState(msgspec.Struct, frozen=True):
    """The on/off state of one device."""

    state: State = UNKNOWN  # as published
    since: float | None = None  # s UTC; None: it was so in the first sample
    held: HeldChange | None = None
    energy_ws: float | None = None  # watt-seconds of the present run; None: not known for all of it
    last: Sample | None = None

    @property
    def is_settled_off(self) -> bool:
        """True where a further sample that does not list the device changes nothing."""
        return self.state is OFF and self.held is None

    @property
    def power_is_uncertain(self) -> bool:
        """True where the timeline told of the state inside the last sample's uncertainty: its watts may be older."""
        return self.last is not None and self.since is not None and self.last.earliest < self.since < self.last.time


class Transition(msgspec.Struct, frozen=True):
    """An edge that is to be published, with what was measured."""

    edge: Edge
    power_w: float | None
    source: Source
    duration_s: float | None = None  # of the run that ended
    energy_kwh: float | None = None


class Context(msgspec.Struct, frozen=True):
    """What the samples of one device are evaluated with."""

    device: str
    rules: DeviceRules
    edges: Sequence[Edge] = ()  # that were published, oldest first
    coverage: Coverage = Coverage()

    def hold_s(self, state: State) -> float:
        return self.rules.on_delay_s if state is ON else self.rules.off_delay_s

    @property
    def timeline_state(self) -> TimelineState | None:
        return timeline_state(self.edges, self.coverage)


def apply_sample(switch: SwitchState, sample: Sample, context: Context) -> tuple[SwitchState, Transition | None]:
    """Return the state after one sample, and the transition that it completes.

    The state is the same object where the sample is older than what is known, and so is ignored.
    """
    shown = shown_state(switch.state, sample.power, context.rules)
    step = STEPS[switch.state, switch.held.state if switch.held else None][shown]
    step_ws = _step_ws(switch.last, sample)
    energy_ws = _add(switch.energy_ws, step_ws)
    if step in (ADOPT, STAY, CANCEL):
        if _is_older(sample.time, switch.since):
            return switch, None  # it agrees by chance: it shows an earlier run
        return SwitchState(shown, switch.since, energy_ws=energy_ws, last=sample), None
    timeline_state = context.timeline_state
    contradicting = timeline_state if timeline_state and timeline_state.state is not shown else None
    if contradicting and _is_older(sample.earliest, contradicting.ignore_before):
        return switch, None
    if step is HOLD or switch.held is None:
        held = _hold(switch.last, shown, sample, context.coverage.last_observed_earliest, contradicting)
    else:
        held = replace(switch.held, state=shown, energy_ws=_add(switch.held.energy_ws, step_ws))
    switch = SwitchState(switch.state, switch.since, held, energy_ws, sample)
    is_uncertain = contradicting is not None and _is_older(sample.time, contradicting.uncertain_until)
    if is_uncertain or sample.time - held.first.time < context.hold_s(shown):
        return switch, None
    return _complete(switch, held, context.device, timeline_state)


def settle(switch: SwitchState, monotonic: float, context: Context) -> tuple[SwitchState, Transition | None]:
    """Complete a change whose hold time is over although no further sample came; `monotonic` is now."""
    held = switch.held
    if held is None or monotonic - held.first.arrived < context.hold_s(held.state) + SETTLE_S:
        return switch, None
    return _complete(switch, held, context.device, context.timeline_state)


def follow_timeline(switch: SwitchState, item: Edge, time: float) -> SwitchState:
    """Return the state after an edge that only the timeline knows, at `time` by the frames' clock."""
    return SwitchState(item.kind.state, time, last=switch.last)


def _is_older(time: float, known: float | None) -> bool:
    return known is not None and 0.0 < known - time <= MAX_OUTDATED_S


def shown_state(state: State, power: DevicePower | None, rules: DeviceRules) -> State:
    """Return the state in which a frame shows a device that was in `state`."""
    if power is None:
        return OFF
    threshold = rules.threshold_w(is_on=state is ON)
    if threshold is not None and power.w is not None:
        return ON if power.w >= threshold else IDLE if power.idle else OFF
    return IDLE if power.idle else ON


def _hold(
    last: Sample | None, shown: State, sample: Sample, observed: float | None, contradicting: TimelineState | None
) -> HeldChange:
    before = min(max(last.earliest if last else 0.0, observed or 0.0), sample.earliest)
    not_before = max(before, contradicting.ignore_before if contradicting else 0.0)
    return HeldChange(shown, sample, before, min(not_before, sample.earliest))


def _complete(
    switch: SwitchState, held: HeldChange, device: str, timeline_state: TimelineState | None
) -> tuple[SwitchState, Transition | None]:
    time = _after(held.first.time, switch.since)
    edge = replace(held.edge(device), time=time, not_before=min(held.not_before, time))
    begins = held.state is ON and held.first.source == "frame"
    after = SwitchState(held.state, time, energy_ws=held.energy_ws if begins else None, last=switch.last)
    if timeline_state and timeline_state.is_same(edge, held.last_observed_before):
        return after, None
    return after, _measure(switch, held, edge)


def _after(time: float, since: float | None) -> float:
    # Frames carry whole seconds: two transitions within one keep their order, and their ids differ.
    if since is None or time > since or since - time > MAX_CLOCK_SLIP_S:
        return time
    return since + 0.001


# --- what was measured


def _measure(switch: SwitchState, held: HeldChange, edge: Edge) -> Transition:
    ended, since = switch.state is ON, switch.since
    run_ws = _add(switch.energy_ws, None if held.energy_ws is None else -held.energy_ws)
    return Transition(
        edge,
        power_w=switch.last.watts if switch.last else None,
        source=held.first.source,
        duration_s=edge.time - since if ended and since is not None and since <= edge.time else None,
        energy_kwh=run_ws / 3.6e6 if ended and run_ws is not None else None,
    )


def _step_ws(last: Sample | None, sample: Sample) -> float | None:
    step_s = sample.time - last.time if last else math.inf
    is_close = step_s <= MAX_ENERGY_STEP_S if sample.source == "frame" else 0.0 <= step_s <= CONTINUOUS_S
    if last is None or last.watts is None or not is_close:
        return None
    return last.watts * max(step_s, 0.0)


def _add(energy_ws: float | None, more_ws: float | None) -> float | None:
    return None if energy_ws is None or more_ws is None else energy_ws + more_ws
