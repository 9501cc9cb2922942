"""Watts of frames become kWh: trapezoids between frames that follow each other; a gap adds nothing.

Where frames are far apart, as polls are, nobody knows when between them a device switched: the trapezoid counts it for
half of the time, and may be wrong by so much. How wrong an hour may be is kept as a variance until it is settled.
"""

from collections.abc import Mapping

from sense_mqtt.core.capability import HOUSE
from sense_mqtt.core.home.plain_frames import PlainFrames, house_watts
from sense_mqtt.core.home.state import Home
from sense_mqtt.core.meters.state import (
    CONSUMPTION,
    HOUR_S,
    OBSERVED,
    RESERVED_S,
    Counter,
    Figures,
    Meters,
    Part,
    Sample,
    add,
)
from sense_mqtt.core.wire.devices import mapping, number
from sense_mqtt.core.wire.frames import RealtimeUpdate

METERS_MOST = 1000  # of devices that were ever known; those beyond have none
EXACT_STEP_S = 10.0  # frames that are closer together leave no doubt that counts
HOUSE_STEP_S = 180.0  # the same of the house's consumption: it never stands still, so what is too high is soon due
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
    if before is not None and is_continuous and _is_plain(state, before, sample):
        return state._replace(sample=sample, part=_longer(state.part, before, sample))
    state = _begun(with_part(state), sample)
    if before is None:
        return _resume(state, sample, longest_s)._replace(sample=sample, resumed_at=sample.time)
    if not is_continuous:
        return state._replace(sample=sample)
    return _count(state._replace(sample=sample), before.time, before.figures, sample)


def _is_plain(state: Meters, before: Sample, sample: Sample) -> bool:
    """True where the step is short, within one hour, and between the same counters."""
    is_short = sample.time - before.time <= EXACT_STEP_S
    return is_short and state.hour_of(before.time) == state.hour_of(sample.time) and sample.is_like(before)


def _sample(state: Meters, home: Home, frame: RealtimeUpdate, time: float) -> Sample:
    has_room = len(state.since) <= METERS_MOST
    known = [
        (identity, device.power_w)
        for identity, device in home.devices.items()
        if device.power_w is not None and identity != "solar" and (has_room or identity in state.since)
    ]
    return Sample(
        time, tuple([identity for identity, _ in known]), (*house_watts(frame), *[watts for _, watts in known])
    )


def _longer(part: Part | None, before: Sample, sample: Sample) -> Part:
    """Return the part with the time from one sample to the next: a trapezoid of each counter."""
    doubled_ws, observed_s = part or Part((0.0,) * len(sample.watts))
    step_s = sample.time - before.time
    trapezoids = zip(doubled_ws, before.watts, sample.watts, strict=True)
    return Part(tuple([ws + (first + last) * step_s for ws, first, last in trapezoids]), observed_s + step_s)


def is_counted_by(state: Meters, home: Home, frame: RealtimeUpdate) -> bool:
    """True where the last sample is of the second of this frame, and has the counters that it has."""
    time, sample = frame.epoch or 0.0, state.sample
    return sample is not None and sample.time == time and _sample(state, home, frame, time).is_like(sample)


def add_plain_frames(state: Meters, home: Home, plain: PlainFrames) -> Meters:
    """Return the meters after plain frames; `home` is as before them."""
    begun, newest, before = plain.begun, plain.newest, state.sample
    if begun is None or newest is None or before is None:
        return state
    step_s, between_s = begun.epoch - before.time, newest.epoch - begun.epoch
    house = range(len(before.watts) - len(before.devices))
    by_device = {device: place for place, device in enumerate(plain.limits.ids, len(house))}
    unlisted = [device for device in before.devices if device not in by_device]
    by_device |= {device: place for place, device in enumerate(unlisted, len(begun.watts))}
    constant = [home.devices[device].power_w or 0.0 for device in unlisted]
    first, last = [*begun.watts, *constant], [*newest.watts, *constant]
    between_ws = [*plain.doubled_ws, *[2 * w * between_s for w in constant]]
    places = [*house, *[by_device[device] for device in before.devices]]
    part = state.part or Part((0.0,) * len(places))
    steps = zip(places, part.doubled_ws, before.watts, strict=True)
    return state._replace(
        sample=Sample(newest.epoch, before.devices, tuple([last[place] for place in places])),
        part=Part(
            tuple([ws + (w + first[place]) * step_s + between_ws[place] for place, ws, w in steps]),
            part.observed_s + step_s + between_s,
        ),
    )


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


def _resume(state: Meters, sample: Sample, longest_s: float) -> Meters:
    """Return the meters with what was used since the rows that an earlier process stored.

    After a crash a row is older than the last frame that this process saw, by at most RESERVED_S. The first frame comes
    so soon that Sense cannot have settled an hour in between: nothing is counted twice.
    """
    for device, row in state.kept.items():
        last = mapping(row.get("last"))
        time, watts = number(last.get("time")), mapping(last.get("watts"))
        is_old = any(counter[0] == device for counter in state.unsure)
        most_s = min(longest_s + RESERVED_S * is_old, STEP_MOST_S)
        if time is not None and 0.0 < sample.time - time <= most_s:
            known = {(device, figure): w for figure, each in watts.items() if (w := number(each)) is not None}
            state = _count(state, time, known, sample)
    return state


def _count(state: Meters, time: float, watts_before: Figures, sample: Sample) -> Meters:
    """Return the meters with the step from an earlier time (s UTC) to a sample, of the counters that are in both."""
    step_s, watts = sample.time - time, sample.figures
    steps = {each: (w, watts[each]) for each, w in watts_before.items() if each in watts and (w or watts[each])}
    kwh = {counter: (first + last) * step_s / 7_200_000.0 for counter, (first, last) in steps.items()}
    observed = {OBSERVED: step_s} if (HOUSE, CONSUMPTION) in watts_before else {}
    first, last = state.hour_of(time), state.hour_of(sample.time)
    share = (first + HOUR_S - time) / step_s if last > first else 1.0
    hours = dict(state.hours)
    for hour, part in ((first, share), (last, 1.0 - share)):
        if part:
            hours[hour] = add(hours.get(hour, {}), {each: part * value for each, value in (kwh | observed).items()})
    state = state._replace(hours=hours, totals=add(state.totals, kwh))
    if step_s > EXACT_STEP_S:
        state = state._replace(variances={**state.variances, last: _with_doubt(state, last, steps, step_s)})
    return _close_old(state, last - OPEN_MOST_S)


def _with_doubt(state: Meters, hour: float, steps: Mapping[Counter, tuple[float, float]], step_s: float) -> Figures:
    """Return the variances of an hour after a step within which all that changed may have changed at any time."""
    changed = {
        each: (last - first) * step_s / 7_200_000.0
        for each, (first, last) in steps.items()
        if last != first and (each != (HOUSE, CONSUMPTION) or step_s > HOUSE_STEP_S)
    }
    # Of what is spread evenly over a span, the variance is the square of half the span, divided by 3.
    return add(state.variances.get(hour, {}), {each: kwh * kwh / 3.0 for each, kwh in changed.items()})


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
        variances={hour: each for hour, each in state.variances.items() if hour >= end},
        candidates={hour: each for hour, each in state.candidates.items() if hour >= end},
        open_since=end,
    )
