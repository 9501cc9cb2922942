"""Watts of frames become kWh: trapezoids between frames that follow each other; a gap adds nothing."""

from sense_mqtt.core.capability import HOUSE
from sense_mqtt.core.home.state import Home
from sense_mqtt.core.meters.state import (
    HOUR_S,
    OBSERVED,
    Figures,
    Meters,
    Part,
    Sample,
    add,
)
from sense_mqtt.core.wire.frames import RealtimeUpdate

METERS_MOST = 1000  # of devices that were ever known; those beyond have none
STEP_MOST_S = 1800.0  # frames further apart are a gap, however slow the feed is
OPEN_MOST_S = 31 * 86_400.0  # an hour that Sense has not settled by then stays as it was integrated


def integrate(state: Meters, home: Home, frame: RealtimeUpdate, longest_s: float) -> Meters:
    """Return the meters after a frame; where the one before is more than `longest_s` older, there was a gap.

    `hours` and `totals` lag behind until `with_part`: to add to all counters with each frame would cost too much.
    """
    time, before = frame.epoch or 0.0, state.sample
    if before is not None and time == before.time:
        return state  # Sense sends two frames a second, and both have the same whole second
    sample = _sample(state, home, frame, time)
    is_continuous = before is not None and 0.0 < time - before.time <= min(longest_s, STEP_MOST_S)
    is_same_hour = before is not None and state.hour_of(before.time) == state.hour_of(time)
    if before is not None and is_continuous and is_same_hour and sample.is_like(before):
        return state._replace(sample=sample, part=_longer(state.part, before, sample))
    state = _begun(with_part(state), sample)
    if before is None or not is_continuous:
        return state._replace(sample=sample)
    return _count(state._replace(sample=sample), before, sample)


def _sample(state: Meters, home: Home, frame: RealtimeUpdate, time: float) -> Sample:
    house: tuple[float, ...] = (frame.w,)
    if frame.solar_w is not None:
        net = frame.w - frame.solar_w
        house = (frame.w, frame.solar_w, max(net, 0.0), max(-net, 0.0))
    has_room = len(state.since) <= METERS_MOST
    known = [
        (identity, device.power_w)
        for identity, device in home.devices.items()
        if device.power_w is not None and identity != "solar" and (has_room or identity in state.since)
    ]
    return Sample(time, tuple([identity for identity, _ in known]), (*house, *[watts for _, watts in known]))


def _longer(part: Part | None, before: Sample, sample: Sample) -> Part:
    """Return the part with the time from one sample to the next: a trapezoid of each counter."""
    doubled_ws, observed_s = part or Part((0.0,) * len(sample.watts))
    step_s = sample.time - before.time
    trapezoids = zip(doubled_ws, before.watts, sample.watts, strict=True)
    return Part(tuple([ws + (first + last) * step_s for ws, first, last in trapezoids]), observed_s + step_s)


def with_part(state: Meters) -> Meters:
    """Return the meters with all that was integrated in `hours` and `totals`."""
    part, sample = state.part, state.sample
    if part is None or sample is None:
        return state
    doubled = zip(sample.figures, part.doubled_ws, strict=True)
    kwh = {counter: doubled_ws / 7_200_000.0 for counter, doubled_ws in doubled if doubled_ws}
    start = state.hour_of(sample.time)
    hour = add(state.hours.get(start, {}), {**kwh, OBSERVED: part.observed_s})
    return state._replace(hours={**state.hours, start: hour}, totals=add(state.totals, kwh), part=None)


def _begun(state: Meters, sample: Sample) -> Meters:
    """Return the meters with those that are seen for the first time."""
    new = {device: sample.time for device in (HOUSE, *sample.devices) if device not in state.since}
    if not new:
        return state
    open_since = state.hour_of(sample.time) if state.open_since is None else state.open_since
    return state._replace(since={**state.since, **new}, open_since=open_since)


def _count(state: Meters, before: Sample, sample: Sample) -> Meters:
    step_s, watts_before = sample.time - before.time, before.figures
    # A counter whose watts were not known before begins here.
    kwh = {
        counter: (watts + watts_before[counter]) * step_s / 7_200_000.0
        for counter, watts in sample.figures.items()
        if counter in watts_before and (watts or watts_before[counter])
    }
    first, last = state.hour_of(before.time), state.hour_of(sample.time)
    share = (first + HOUR_S - before.time) / step_s if last > first else 1.0
    hours = {**state.hours, first: _with_part(state.hours.get(first, {}), kwh, share, step_s)}
    if last > first:
        hours[last] = _with_part(state.hours.get(last, {}), kwh, 1.0 - share, step_s)
        return _close_old(state._replace(hours=hours, totals=add(state.totals, kwh)), last - OPEN_MOST_S)
    return state._replace(hours=hours, totals=add(state.totals, kwh))


def _with_part(hour: Figures, kwh: Figures, share: float, step_s: float) -> Figures:
    part = kwh if share == 1.0 else {counter: each * share for counter, each in kwh.items()}
    return add(hour, {**part, OBSERVED: step_s * share})


def _close_old(state: Meters, oldest: float) -> Meters:
    """Let hours before `oldest` (s UTC) be as they are."""
    return close_until(state, oldest) if state.open_since is not None and state.open_since < oldest else state


def close_until(state: Meters, end: float) -> Meters:
    """Return the meters with all hours before `end` closed, at their best figures."""
    closed: Figures = state.closed
    for start in sorted(hour for hour in state.hours if hour < end):
        closed = add(closed, {each: kwh for each, kwh in state.hours[start].items() if each != OBSERVED})
    return state._replace(
        closed=closed,
        hours={hour: figures for hour, figures in state.hours.items() if hour >= end},
        candidates={hour: each for hour, each in state.candidates.items() if hour >= end},
        open_since=end,
    )
