"""Meters, as a capability: `energy/total`, kWh of the house and of each device that only grow.

Frames are integrated (integrate.py), Sense's finished hours settle them (settle.py). What was published is never
taken back, whatever becomes of the process: a row says how far the published figure may have grown since it was
written (`reserved`), and is written again before more is published.
"""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from sense_mqtt.core.capability import HOUSE, Capability, Documents, Observation, Query, Update
from sense_mqtt.core.changes import Reading
from sense_mqtt.core.energy.periods import COUNTERS, Energy
from sense_mqtt.core.entity import Entity, number_entity
from sense_mqtt.core.home.plain_frames import NEVER, Bounds, PlainFrames
from sense_mqtt.core.home.state import Home, Interrupted, Policy, QueryResult
from sense_mqtt.core.meters.certain import certain_figures, with_known_most
from sense_mqtt.core.meters.integrate import add_plain_frames, integrate, is_counted_by, with_part
from sense_mqtt.core.meters.rows import is_like, read_rows, write_row
from sense_mqtt.core.meters.settle import CLOSED_AFTER_S, settle
from sense_mqtt.core.meters.state import (
    CONSUMPTION,
    FROM_GRID,
    HOUR_S,
    PRODUCTION,
    RESERVED_S,
    SPARE_KWH,
    TO_GRID,
    Counter,
    Figures,
    Meters,
)
from sense_mqtt.core.timestamps import Moment, to_datetime, write_timestamp
from sense_mqtt.core.transitions.timing import CONTINUOUS_S

TOPIC = "energy/total"
ASKED_AGAIN_S = 1800.0  # between two questions about a day that is over

_METER = replace(number_entity("kWh", "energy", 3, 2), throttle=None, state_class="total_increasing", topic=TOPIC)


def _row(key: str, figure: str, name: str, description: str, *, solar_only: bool = True) -> Entity:
    return replace(_METER, key=key, field=figure, name=name, description=description, solar_only=solar_only)


class EnergyTotal(Capability[Meters]):
    """State: `Meters`."""

    key = "meters"
    initial = Meters()
    monitor_entities = (
        _row("consumption_total", CONSUMPTION, "Energy total", "kWh used since the first start", solar_only=False),
        _row("production_total", PRODUCTION, "Solar energy total", "kWh produced since the first start"),
        _row("from_grid_total", FROM_GRID, "Energy from grid total", "kWh imported since the first start"),
        _row("to_grid_total", TO_GRID, "Energy to grid total", "kWh exported since the first start"),
    )
    device_entities = (
        _row("consumption_total", CONSUMPTION, "Energy total", "kWh used since the first start", solar_only=False),
    )

    def queries(self, home: Home, now: Moment, policy: Policy) -> Mapping[str, Query]:  # noqa: ARG002
        """Return the oldest day that is over and not closed; the present one is read for energy by period."""
        state = self.state_of(home)
        if state.today is None or state.open_since is None or state.open_since >= state.today:
            return {}
        due = now.monotonic + state.today + CLOSED_AFTER_S - now.wall
        if state.asked_at is not None:
            due = max(due, state.asked_at + ASKED_AGAIN_S)
        start = write_timestamp(state.open_since + HOUR_S / 2)
        return {"past day": Query("energy", {"scale": "DAY", "start": start}, due)}

    def passes_over(self, state: Meters, home: Home, now: Moment, policy: Policy) -> Bounds:  # noqa: ARG002
        """Return until when plain frames are only to be added up."""
        is_counted = home.last_frame is not None and is_counted_by(state, home, home.last_frame)
        if not is_counted or state.looked_at is None or policy.stale_after_s < CONTINUOUS_S:
            return NEVER
        hour = state.hour_of(state.sample.time if state.sample else 0.0)
        return Bounds(state.looked_at + _look_s(policy), until_epoch=hour + HOUR_S)

    def go_on(self, state: Meters, home: Home, plain: PlainFrames) -> Meters:
        return add_plain_frames(state, home, plain)

    def update(self, state: Meters, observation: Observation) -> Update[Meters]:
        home, seen, now, policy = observation.home, observation.seen, observation.now, observation.policy
        if observation.frame is not None:
            state = integrate(state, home, observation.frame, policy.stale_after_s)
            if state.looked_at is not None and now.monotonic - state.looked_at < _look_s(policy):
                return Update(state)
            state = with_part(state)
        elif isinstance(seen, QueryResult) and isinstance(seen.result, Energy):
            before = state.open_since
            state = with_known_most(settle(with_part(state), home, seen.result, now))
            if seen.capability == self.key:
                state = state._replace(asked_at=now.monotonic)
            if state.open_since != before:
                return _publish(_store_all(_show(state)), observation, store=True)
        elif isinstance(seen, Interrupted):
            stored = _store_all(with_part(state))
            return Update(stored, store=stored.kept != state.kept)
        else:
            return Update(state)
        return _publish(_show(state._replace(looked_at=now.monotonic)), observation)

    def snapshot(self, state: Meters) -> Documents:
        return state.kept

    def restore(self, documents: Documents) -> Meters:
        return read_rows(documents)


METERS = EnergyTotal()


def _look_s(policy: Policy) -> float:
    return min(policy.house_interval_s, policy.device_interval_s)


def _show(state: Meters) -> Meters:
    """Return the meters with what may be published now: never less than before."""
    certain = certain_figures(state)
    grown = {counter: kwh for counter, kwh in certain.items() if kwh > state.shown.get(counter, 0.0)}
    if not grown:
        return state
    return state._replace(shown={**state.shown, **grown}, unsure=state.unsure - grown.keys())


def _publish(state: Meters, observation: Observation, *, store: bool = False) -> Update[Meters]:
    readings = _readings(state, observation)
    published = {reading.device or HOUSE for reading in readings}
    needed = _needed(state)
    is_exceeded = any(_is_exceeded(state, counter) for counter in state.shown if counter[0] in published)
    if is_exceeded or _with_too_much(state, needed):
        state, store = _store_changed(state, needed), True
    return Update(state, readings, store)


def _readings(state: Meters, observation: Observation) -> list[Reading]:
    home, now, policy = observation.home, observation.now, observation.policy
    found = []
    for device in (HOUSE, *_that_may_be_due(state, home, now, policy)):
        interval_s = policy.device_interval_s if device else policy.house_interval_s
        figures = _figures(state, device)
        if figures and _is_due(home, device or None, figures, interval_s, now):
            since, updated = to_datetime(state.since[device]), to_datetime(now.wall)
            found.append(Reading(device or None, TOPIC, {**figures, "since": since, "updated": updated}))
    return found


def _figures(state: Meters, device: str) -> dict[str, float]:
    """Return what may be published; a figure that is not known, or 0 as yet, is absent."""
    if (device, CONSUMPTION) in state.unsure:
        return {}  # the house's figures go out together
    names = (CONSUMPTION,) if device else COUNTERS
    known = {name: (device, name) for name in names if (device, name) not in state.unsure}
    figures = {name: round(state.shown.get(counter, 0.0), 3) for name, counter in known.items()}
    return {name: kwh for name, kwh in figures.items() if kwh > 0.0}


def _that_may_be_due(state: Meters, home: Home, now: Moment, policy: Policy) -> list[str]:
    """Return the devices that have used something, and of which no interval runs: a few each time."""
    used = [device for device in state.since if device in home.devices and (device, CONSUMPTION) in state.shown]
    published = [(device, home.published.get((device, TOPIC))) for device in used]
    return [
        device
        for device, last in published
        if last is None or last.value is None or now.monotonic - last.at >= policy.device_interval_s
    ]


def _is_due(home: Home, device: str | None, figures: Mapping[str, float], interval_s: float, now: Moment) -> bool:
    published = home.published.get((device, TOPIC))
    if published is None or not isinstance(published.value, Mapping):
        return True
    before: Mapping[str, Any] = published.value
    if figures.keys() - before.keys():
        return True
    return now.monotonic - published.at >= interval_s and any(before[name] != kwh for name, kwh in figures.items())


# --- what is stored


def _is_exceeded(state: Meters, counter: Counter) -> bool:
    return state.shown[counter] > state.reserved.get(counter, 0.0)


def _needed(state: Meters) -> Figures:
    """Return to which figure each counter may grow before it is stored again."""
    watts = state.sample.figures if state.sample is not None else {}
    return {
        counter: shown + watts.get(counter, 0.0) * RESERVED_S / 3_600_000.0 for counter, shown in _sure(state).items()
    }


def _with_too_much(state: Meters, needed: Figures) -> set[Counter]:
    """Return the counters of which too much is reserved."""
    shown, reserved = state.shown, state.reserved
    return {
        counter
        for counter, most in needed.items()
        if reserved.get(counter, 0.0) > shown[counter] + 2 * (most - shown[counter]) + SPARE_KWH
    }


def _store_changed(state: Meters, needed: Figures) -> Meters:
    """Return the meters with new rows where more than half of what was reserved is used, or too much is reserved."""
    shown = state.shown
    used = {
        counter
        for counter, most in needed.items()
        if shown[counter] + (most - shown[counter]) / 2 > state.reserved.get(counter, 0.0)
    }
    changed = {device for device, _ in used | _with_too_much(state, needed)}
    reserved = {counter: most for counter, most in needed.items() if counter[0] in changed}
    return _with_rows(state._replace(reserved={**state.reserved, **reserved}), changed)


def _store_all(state: Meters) -> Meters:
    """Return the meters with all rows as they are: exactly what is shown may have been published."""
    return _with_rows(state._replace(reserved={**state.reserved, **_sure(state)}), set(state.since))


def _sure(state: Meters) -> Figures:
    return {counter: kwh for counter, kwh in state.shown.items() if counter not in state.unsure}


def _with_rows(state: Meters, devices: set[str]) -> Meters:
    rows = {device: write_row(state, device) for device in devices}
    changed = {device: row for device, row in rows.items() if not is_like(row, state.kept.get(device, {}))}
    return state._replace(kept={**state.kept, **changed}) if changed else state
