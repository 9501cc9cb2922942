"""Hours that Sense has finished settle what was integrated; a day whose hours are all settled is closed."""

from collections.abc import Mapping

from sense_mqtt.core.capability import HOUSE
from sense_mqtt.core.energy.dips import PANEL_KW
from sense_mqtt.core.energy.hours import ByHour, DayHours
from sense_mqtt.core.energy.periods import Energy
from sense_mqtt.core.home.state import Home
from sense_mqtt.core.meters.integrate import close_until
from sense_mqtt.core.meters.rows_of_device import meter_of, of_device
from sense_mqtt.core.meters.state import (
    CONSUMPTION,
    FROM_GRID,
    HOUR_S,
    OBSERVED,
    PRODUCTION,
    TO_GRID,
    Candidate,
    Counter,
    Figures,
    Meters,
    add,
)
from sense_mqtt.core.timestamps import Moment

FINISHED_AFTER_S = 180.0  # the end of an hour; its figure rolls about two minutes past
CONFIRMED_AFTER_S = 600.0  # the same figure once more, so much later, is no dip or spike
CERTAIN_AFTER_S = 6 * HOUR_S  # after the end of an hour one reading is enough
CLOSED_AFTER_S = HOUR_S  # after its end, a day is settled as a whole
ABANDONED_AFTER_S = 24 * HOUR_S  # after the end of a day, what Sense still has no figure of stays as integrated
COVERED_S = HOUR_S - 60.0  # an hour of which so many seconds were integrated has no gap

_SAME_KWH = 0.0005
_DAY_MOST_KWH = 25 * PANEL_KW


def settle(state: Meters, home: Home, energy: Energy, now: Moment) -> Meters:
    """Return the meters after Sense told of a day."""
    day = energy.hours
    if day is None or state.open_since is None:
        return state
    present = max(now.wall, home.coverage.last_epoch or 0.0)
    state = _with_offset(state, day.start)
    finished = [
        (hour, start)
        for hour, start in enumerate(day.start + HOUR_S * each for each in range(day.count))
        if start >= (state.open_since or 0.0) and start + HOUR_S + FINISHED_AFTER_S <= present
    ]
    for hour, start in finished:
        figures = {
            counter: kwh
            for counter, kwh in _figures_of(state, day, hour, start, home).items()
            if _counts(state, counter, start)
        }
        is_certain = start + HOUR_S + CERTAIN_AFTER_S <= present
        state = _settle_hour(state, start, figures, now.monotonic, is_certain=is_certain)
    state = _close(state, day, energy, present)
    return state._replace(today=day.start) if day.start <= present < day.end else state


def _with_offset(state: Meters, start: float) -> Meters:
    """Return the meters with hours that begin as those of this time zone do."""
    offset_s = start % HOUR_S
    if offset_s == state.offset_s:
        return state
    moved, first = state._replace(offset_s=offset_s), state.since[HOUSE]
    hours, variances = (_moved(moved, figures, first) for figures in (state.hours, state.variances))
    opened = moved.hour_of(max(state.open_since or 0.0, first))
    return moved._replace(hours=hours, variances=variances, candidates={}, open_since=opened)


def _moved(state: Meters, by_hour: Mapping[float, Figures], first: float) -> Mapping[float, Figures]:
    """Return figures by the hours that begin as the state says; none begins before that of `first`."""
    hours = dict[float, Figures]()
    for hour, figures in by_hour.items():
        key = state.hour_of(max(hour, first))
        hours[key] = add(hours.get(key, {}), figures)
    return hours


def _figures_of(state: Meters, day: DayHours, hour: int, start: float, home: Home) -> Figures:
    """Return the figures that Sense has of one hour of the day (0 is the first), by the ids that are known here."""
    house = {(HOUSE, CONSUMPTION): _at(day.consumption, hour), (HOUSE, PRODUCTION): _at(day.production, hour)}
    devices = dict[str, dict[str, float]]()
    for sense_id, hours in day.devices.items():
        kwh = _at(hours, hour)
        if kwh is not None:
            devices.setdefault(meter_of(sense_id, kwh, start, home.identities), {})[sense_id] = kwh
    is_observed = state.hours.get(start, {}).get(OBSERVED, 0.0) >= COVERED_S
    by_device = {
        (own, CONSUMPTION): of_device(own, rows, start, home.identities, is_observed=is_observed)
        for own, rows in devices.items()
    }
    return {counter: kwh for counter, kwh in {**house, **by_device}.items() if kwh is not None and kwh <= PANEL_KW}


def _at(hours: ByHour, hour: int) -> float | None:
    return hours[hour] if hour < len(hours) else None


def _counts(state: Meters, counter: Counter, start: float) -> bool:
    """True where the whole hour belongs to the meter: it does not begin within it, or after it."""
    since = state.since.get(counter[0])
    return since is not None and since <= start


def _settle_hour(state: Meters, start: float, figures: Figures, read_at: float, *, is_certain: bool) -> Meters:
    waiting = dict(state.candidates.get(start, {}))
    settled: dict[Counter, float] = {}
    for counter, kwh in figures.items():
        before = waiting.get(counter)
        if before is None or abs(before.kwh - kwh) > _SAME_KWH:
            before = waiting[counter] = Candidate(kwh, read_at)
        if is_certain or read_at - before.read_at >= CONFIRMED_AFTER_S:
            settled[counter], waiting[counter] = kwh, before._replace(is_settled=True)
    state = state._replace(candidates={**state.candidates, start: waiting})
    return _with_hour(state, start, settled) if settled else state


def _with_hour(state: Meters, start: float, settled: Mapping[Counter, float]) -> Meters:
    before = state.hours.get(start, {})
    known = dict(settled)
    if (HOUSE, CONSUMPTION) in settled and (HOUSE, PRODUCTION) in settled:
        known |= _grid(before, settled[HOUSE, CONSUMPTION] - settled[HOUSE, PRODUCTION])
    after = {**before, **known}
    changes = {each: kwh - before.get(each, 0.0) for each, kwh in after.items() if each != OBSERVED}
    doubts = {each: kwh for each, kwh in state.variances.get(start, {}).items() if each not in known}
    return state._replace(
        hours={**state.hours, start: after},
        totals=add(state.totals, changes),
        variances={**state.variances, start: doubts},
    )


def _grid(hour: Figures, net_kwh: float) -> dict[Counter, float]:
    """Return what came from and went to the grid, where Sense says only the difference.

    In an hour without a gap the larger of both takes the correction; what happened within a gap is added.
    """
    drawn, fed = hour.get((HOUSE, FROM_GRID), 0.0), hour.get((HOUSE, TO_GRID), 0.0)
    missing = net_kwh - (drawn - fed)
    if hour.get(OBSERVED, 0.0) < COVERED_S:
        return {(HOUSE, FROM_GRID): drawn + max(missing, 0.0), (HOUSE, TO_GRID): fed + max(-missing, 0.0)}
    if drawn >= fed:
        drawn = max(drawn + missing, 0.0)
        return {(HOUSE, FROM_GRID): drawn, (HOUSE, TO_GRID): max(drawn - net_kwh, 0.0)}
    fed = max(fed - missing, 0.0)
    return {(HOUSE, FROM_GRID): max(net_kwh + fed, 0.0), (HOUSE, TO_GRID): fed}


def _close(state: Meters, day: DayHours, energy: Energy, present: float) -> Meters:
    """Return the meters without the hours of the day, where it is over and each of its hours is settled."""
    opened = state.open_since
    if opened is None or not day.start <= opened < day.end or day.end + CLOSED_AFTER_S > present:
        return state
    first = state.since[HOUSE]
    starts = [day.start + HOUR_S * hour for hour in range(day.count)]
    is_missing = any(start >= max(opened, first) and not _is_settled(state, start) for start in starts)
    if is_missing and day.end + ABANDONED_AFTER_S > present:
        return state
    before = state.closed
    state = close_until(state, day.end)
    if first > day.start or opened > day.start:
        return state  # the figures of the whole day are not of this meter
    given = {FROM_GRID: energy.from_grid_kwh, TO_GRID: energy.to_grid_kwh}
    whole = {(HOUSE, name): kwh for name, kwh in given.items() if kwh is not None}
    whole = {each: kwh for each, kwh in whole.items() if each in state.totals and kwh <= _DAY_MOST_KWH}
    closed = {**state.closed, **{each: before.get(each, 0.0) + kwh for each, kwh in whole.items()}}
    changes = {each: closed[each] - state.closed.get(each, 0.0) for each in whole}
    return state._replace(closed=closed, totals=add(state.totals, changes))


def _is_settled(state: Meters, start: float) -> bool:
    candidate = state.candidates.get(start, {}).get((HOUSE, CONSUMPTION))
    return candidate is not None and candidate.is_settled
