"""Surplus, as a capability: whether enough of the sun is left over, and has been for long enough, to use it.

Frames alone decide, on the monotonic clock: a change of the wall clock moves nothing, and what nobody saw (no frame
with solar for as long as a home without any frame stays `online`) counts as neither above nor below: the hold begins
again. What was said last goes on after a restart, as the surplus may lie between both thresholds for hours.
"""

import math

from msgspec import Struct
from msgspec.structs import replace

from sense_mqtt.core.capability import HOUSE, Capability, Documents, Observation, Update
from sense_mqtt.core.changes import Reading
from sense_mqtt.core.entity import Entity, number_entity
from sense_mqtt.core.home.plain_frames import NEVER, Bounds
from sense_mqtt.core.home.state import Home, Policy
from sense_mqtt.core.solar_rules import SolarRules
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.wire.measurements import surplus_power

ROUNDING_W = 0.2  # by so much at most the surplus differs, as it is of rounded figures


class SurplusState(Struct, frozen=True):
    """What was said last, and since when the surplus has been on the other side."""

    is_on: bool | None = None  # None: nothing was said yet
    crossed_at: float | None = None  # monotonic s of the first frame in a row that asks for a change


class Surplus(Capability[SurplusState]):
    """State: `SurplusState`; only what was said last is stored."""

    key = "surplus"
    initial = SurplusState()
    monitor_entities = (
        replace(
            number_entity("W", "power", 1, 0),
            key="surplus_power",
            name="Surplus power",
            topic="surplus_power",
            description="W, what would be exported now: production less consumption; never below 0",
            measure=surplus_power,
            solar_only=True,
        ),
        Entity(
            key="surplus",
            name="Solar surplus",
            topic="surplus",
            description="`ON` / `OFF`: `surplus_power` is enough, and has been for so long, as `solar.surplus` says",
            icon="mdi:sun-wireless",
            platform="binary_sensor",
            solar_only=True,
        ),
    )

    def passes_over(self, state: SurplusState, home: Home, now: Moment, policy: Policy) -> Bounds:
        """Return within what the surplus stays on its side of the threshold."""
        if home.last_frame is None or home.last_frame.solar_w is None:
            return _until_unknown(home, now, policy)
        if state.is_on is None:
            return NEVER
        rules, until = policy.solar, math.inf if state.crossed_at is None else state.crossed_at + policy.solar.hold_s
        is_below = state.is_on is (state.crossed_at is not None)
        threshold = rules.off_below_w if state.is_on else rules.on_above_w
        # Where rounding decides, `update` does.
        span_w = (-math.inf, threshold - ROUNDING_W) if is_below else (threshold + ROUNDING_W, math.inf)
        return Bounds(until, solar_less_w=span_w)

    def update(self, state: SurplusState, observation: Observation) -> Update[SurplusState]:
        frame = observation.frame
        if frame is None or (frame.solar_w is None and observation.home.solar_seen_at is None):
            return Update(state)
        watts, now, policy = surplus_power(frame), observation.now.monotonic, observation.policy
        seen_at = observation.before.solar_seen_at
        is_interrupted = seen_at is None or now - seen_at >= policy.stale_after_s
        if watts is None:
            return Update(state, [Reading(None, "surplus", None)] if is_interrupted else [])
        after = _evaluate(replace(state, crossed_at=None) if is_interrupted else state, watts, now, policy.solar)
        is_changed = after.is_on != state.is_on
        return Update(
            after, [Reading(None, "surplus", after.is_on)] if is_changed or is_interrupted else [], is_changed
        )

    def snapshot(self, state: SurplusState) -> Documents:
        return {} if state.is_on is None else {HOUSE: {"is_on": state.is_on}}

    def restore(self, documents: Documents) -> SurplusState:
        stored = documents.get(HOUSE, {}).get("is_on")
        return SurplusState(stored if isinstance(stored, bool) else None)


SURPLUS = Surplus()


def _until_unknown(home: Home, now: Moment, policy: Policy) -> Bounds:
    """Return until when frames without solar power change nothing."""
    until = -math.inf if home.solar_seen_at is None else home.solar_seen_at + policy.stale_after_s
    return Bounds() if until <= now.monotonic else Bounds(until)


def _evaluate(state: SurplusState, watts: float, now: float, rules: SolarRules) -> SurplusState:
    is_on = bool(state.is_on)
    asks_for_change = watts < rules.off_below_w if is_on else watts >= rules.on_above_w
    if not asks_for_change:
        return SurplusState(is_on) if state.is_on is None or state.crossed_at is not None else state
    crossed_at = now if state.crossed_at is None else state.crossed_at
    if now - crossed_at >= rules.hold_s:
        return SurplusState(not is_on)
    return SurplusState(is_on, crossed_at) if state.crossed_at is None else state
