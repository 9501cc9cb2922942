"""Plain frames begin, are due and end: what they must keep to, what is to be published, and what all of them change.

The way of one plain frame is in core/home/plain_frames.py.
"""

import math
from collections.abc import Mapping

from msgspec.structs import replace

from sense_mqtt.core.capabilities import CAPABILITIES
from sense_mqtt.core.capability import Observation
from sense_mqtt.core.changes import Change, Reading, StateChanged
from sense_mqtt.core.edges import State
from sense_mqtt.core.home import samples
from sense_mqtt.core.home.plain_frames import (
    ANY_W,
    NO_OTHER_W,
    SLACK_S,
    Bounds,
    Limits,
    PlainFrames,
    Span,
    all_together,
    house_watts,
)
from sense_mqtt.core.home.state import Home, Policy
from sense_mqtt.core.readings import throttle
from sense_mqtt.core.readings.capability_readings import update_capabilities
from sense_mqtt.core.readings.published import published_number
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.wire.devices import DevicePower
from sense_mqtt.core.wire.frames import RealtimeUpdate

SLACK_W = 0.001  # a step that is nearly so large is looked at

Outcome = tuple[Home, tuple[Change, ...]]


# --- they begin


def begin(home: Home, now: Moment, policy: Policy) -> PlainFrames | None:
    """Return what the next frame must keep to, so that it is plain; None where it cannot be."""
    frame = home.last_frame
    if frame is None or not _may_begin(home, frame) or throttle.next_due(home, policy) <= now.monotonic:
        return None
    bounds = {each.key: each.passes_over(each.state_of(home), home, now, policy) for each in CAPABILITIES}
    limits = _limits(home, frame, bounds, policy)
    return _begin_within(home, limits, frame.devices, now, policy)


def _may_begin(home: Home, frame: RealtimeUpdate) -> bool:
    """True where all devices go on as they did, and nothing waits to be decided."""
    is_settled = home.steady.devices is home.devices and not home.steady.unsteady
    is_undecided = bool(home.pending_items or home.identities.sightings)
    is_ordinary = home.online is True and home.coverage.is_ordinary(frame.epoch)
    return is_settled and not is_undecided and is_ordinary and all(row.w is not None for row in frame.devices)


def _limits(home: Home, frame: RealtimeUpdate, bounds: Mapping[str, Bounds], policy: Policy) -> Limits:
    ids, shares_w = tuple([row.id for row in frame.devices]), samples.shares_w(frame)
    together = all_together(bounds.values())
    return Limits(
        policy=policy,
        ids=ids,
        spans_w=tuple([_span_w(home, row, together, policy, shares_w) for row in frame.devices]),
        known_ids=home.known_ids,
        is_translated=not home.identities.translated.isdisjoint(ids),
        has_solar=frame.solar_w is not None,
        silence_s=policy.stale_after_s,
        bounds=bounds,
        together=together,
        held_until=throttle.held_until(home, ids, policy),
        always_on=len(house_watts(frame)) + ids.index("always_on") if "always_on" in ids else None,
        shares_w=shares_w,
    )


def _span_w(home: Home, row: DevicePower, together: Bounds, policy: Policy, shares_w: float) -> Span:
    """Return within which watts nothing follows from the row of a device."""
    device = home.devices.get(row.id)
    if device is None or row.id == "solar":  # it is hidden, or published as the house's
        return ANY_W
    published_w = published_number(home, row.id, "power")
    if published_w is None:
        return NO_OTHER_W  # they are the first to be published
    netted_w = shares_w if row.id == "always_on" else 0.0
    is_on = device.switch.state is State.ON
    spans = [(netted_w, math.inf) if device.is_virtual else policy.rules(row.id).limits_w(is_on=is_on)]
    if row.id in together.most_w:
        spans.append((0.0, math.nextafter(together.most_w[row.id], math.inf)))
    if policy.jump_w is not None:
        step_w = policy.jump_w - SLACK_W
        spans.append((published_w + netted_w - step_w, published_w + netted_w + step_w))
    if len(spans) == 1:
        return ANY_W if spans[0] == ANY_W else spans[0]  # one for all: most devices have no other
    return max(least_w for least_w, _ in spans), min(below_w for _, below_w in spans)


def _begin_within(
    home: Home, limits: Limits, rows: tuple[DevicePower, ...], now: Moment, policy: Policy
) -> PlainFrames | None:
    """Return what the next frame must keep to, after one with these rows; None where it is due already."""
    due, frame, steady = min(throttle.next_due(home, policy), limits.together.due), home.last_frame, home.steady
    if frame is None or due - SLACK_S <= now.monotonic:
        return None
    return PlainFrames(
        limits, rows, steady.time, frame, rows, steady.time, steady.arrived, due, held_ws=[0.0] * len(rows)
    )


# --- something is due


def publish_due(home: Home, plain: PlainFrames, now: Moment, policy: Policy) -> Outcome:
    """Return the home after plain frames the newest of which is due, and what is to be published."""
    steady, limits = home.steady, plain.limits
    home = catch_up(replace(home, plain=plain))
    readings: tuple[Change, ...] = ()
    if throttle.next_due(home, policy) - SLACK_S <= now.monotonic:
        home, readings = throttle.publish_values(home, frozenset(), now, policy, changed=())
    due = [each for each in CAPABILITIES if limits.bounds[each.key].is_due(plain.epoch, now.monotonic)]
    before = replace(home, steady=steady)  # nothing else is otherwise than before that a capability looks at
    home, more = update_capabilities(Observation(before, home, plain.frame, readings, now, policy), due)
    changes = (*readings, *more)
    is_alike = policy.jump_w is None and all(isinstance(change, Reading | StateChanged) for change in changes)
    if not is_alike:
        return home, changes
    bounds = {**limits.bounds, **{each.key: each.passes_over(each.state_of(home), home, now, policy) for each in due}}
    published = [each.device for each in changes if isinstance(each, Reading) and each.key == "power" and each.device]
    limits = replace(
        limits,
        bounds=bounds,
        together=all_together(bounds.values()),
        held_until={**limits.held_until, **throttle.held_until(home, published, policy)},
    )
    return replace(home, plain=_begin_within(home, limits, plain.rows, now, policy)), changes


# --- they end


def catch_up(home: Home) -> Home:
    """Return the home with all that plain frames have shown."""
    plain = home.plain
    if plain is None:
        return home
    states = {
        each.key: each.go_on(home.capabilities[each.key], home, plain)
        for each in CAPABILITIES
        if each.key in home.capabilities
    }
    home, changed = samples.go_on(home, plain)
    home = replace(
        home,
        plain=None,
        last_frame=plain.frame,
        solar_seen_at=plain.arrived if plain.limits.has_solar else home.solar_seen_at,
        coverage=home.coverage.after_plain_frames(plain.epoch, plain.arrived),
        capabilities={**home.capabilities, **states},
    )
    held_until = plain.limits.held_until
    return throttle.hold(home, {device: held_until[device] for device in changed if device in held_until})
