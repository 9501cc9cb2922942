"""Energy by period, as a capability: what Sense says that the house and each device used and made.

It is read by REST, scale by scale, and held back where it dips (periods.py). Nothing of it is stored: after a restart
the first figures come with the first readings.
"""

import math
from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from sense_mqtt.core.capability import Capability, Observation, Query, Update
from sense_mqtt.core.changes import DeviceChanged, Reading
from sense_mqtt.core.energy.dips import AcceptedEnergy, hold_back_dips
from sense_mqtt.core.energy.entities import DEVICE_ENTITIES, MONITOR_ENTITIES, topic_of
from sense_mqtt.core.energy.periods import (
    SCALES,
    DeviceConsumption,
    Energy,
    device_document,
    empty_document,
    house_document,
)
from sense_mqtt.core.home.plain_frames import Bounds
from sense_mqtt.core.home.state import Home, Policy, QueryResult
from sense_mqtt.core.timestamps import Moment, to_datetime

SLOW_SCALES_EVERY = 4  # the week to the billing cycle are read so many times more seldom than the day

READ_AFTER_S = 180  # the end of an hour: by then Sense has finished it
READ_WITHIN_S = 120  # monitors are not all read at the same second


class Periods(Struct, frozen=True):
    """What is known of the periods of one home, by scale."""

    accepted: Mapping[str, AcceptedEnergy] = field(default_factory=dict)  # what may be published
    answered_at: Mapping[str, float] = field(
        default_factory=dict
    )  # monotonic seconds of the last answer, whatever it said


class EnergyByPeriod(Capability[Periods]):
    """Energy by period; its state is that of `Periods`."""

    key = "energy"
    initial = Periods()
    sees_frames = False
    monitor_entities = MONITOR_ENTITIES
    device_entities = DEVICE_ENTITIES

    def passes_over(self, state: Periods, home: Home, now: Moment, policy: Policy) -> Bounds:  # noqa: ARG002
        return Bounds()

    def queries(self, home: Home, now: Moment, policy: Policy) -> Mapping[str, Query]:
        """Return one query for each scale: at once, then at fixed times of the hour, shortly after it is finished."""
        answered_at = self.state_of(home).answered_at
        found = dict[str, Query]()
        for scale in SCALES:
            interval_s = policy.energy_interval_s * (1 if scale == "DAY" else SLOW_SCALES_EVERY)
            due = _next_reading(answered_at.get(scale), interval_s, READ_AFTER_S + home.monitor % READ_WITHIN_S, now)
            found[scale.lower()] = Query("energy", {"scale": scale}, due, refused_wait_s=interval_s)
        return found

    def update(self, state: Periods, observation: Observation) -> Update[Periods]:
        energy = _read(observation.seen)
        if energy is None:
            return Update(state, _of_new_devices(state, observation))
        home, now, before = observation.home, observation.now, state.accepted.get(energy.scale)
        energy = _by_known_ids(home, energy)
        state = replace(state, answered_at={**state.answered_at, energy.scale: now.monotonic})
        # Sense's own clock, where frames told it, knows best whether a period has begun.
        accepted = hold_back_dips(before, energy, Moment(max(now.wall, home.coverage.last_epoch or 0.0), now.monotonic))
        if accepted is None or accepted is before:
            return Update(state)
        readings = _readings(home, accepted.energy, _ended(before, accepted), now)
        return Update(replace(state, accepted={**state.accepted, energy.scale: accepted}), readings)

    def log_line(self, state: Periods, seen: object) -> str | None:
        energy = _read(seen)
        if energy is None:
            return None
        accepted = state.accepted.get(energy.scale)
        going_on = accepted.energy.consumption_kwh if accepted else None
        return f"energy {energy.scale}: read {_written(energy.consumption_kwh)}, going on with {_written(going_on)}"


ENERGY = EnergyByPeriod()


def _read(seen: object) -> Energy | None:
    if not isinstance(seen, QueryResult) or seen.capability != ENERGY.key:
        return None  # the meters read days that are over
    return seen.result if isinstance(seen.result, Energy) else None


def _next_reading(answered_at: float | None, interval_s: float, offset_s: float, now: Moment) -> float:
    """Return when (monotonic s) to read again what was answered then.

    That is `offset_s` after a multiple of the interval, the first one at least half an interval after the answer.
    """
    if answered_at is None:
        return -math.inf
    to_monotonic = now.monotonic - now.wall
    earliest = answered_at - to_monotonic + interval_s / 2
    return math.ceil((earliest - offset_s) / interval_s) * interval_s + offset_s + to_monotonic


def _written(kwh: float | None) -> str:
    return "unknown kWh" if kwh is None else f"{round(kwh, 3)} kWh"


def _ended(before: AcceptedEnergy | None, after: AcceptedEnergy) -> tuple[str, ...]:
    """Return the devices of the period before, where another one has begun."""
    is_same = before is None or before.energy.start == after.energy.start
    return () if before is None or is_same else tuple(device.id for device in before.energy.devices)


def _by_known_ids(home: Home, energy: Energy) -> Energy:
    """Return the energy of each device by its id here; that of one that has had two ids in the period is added up."""
    found: dict[str, DeviceConsumption] = {}
    for device in energy.devices:
        known = home.id_of(device.id)
        used_before = found[known].consumption_kwh if known in found else 0.0
        found[known] = replace(device, id=known, consumption_kwh=used_before + device.consumption_kwh)
    return replace(energy, devices=tuple(found.values()))


def _of_new_devices(state: Periods, observation: Observation) -> list[Reading]:
    """Return what was read already of devices that were not known then."""
    described = {change.device for change in observation.changes if isinstance(change, DeviceChanged)}
    new = {device for device in described if device not in observation.before.devices}
    return [
        reading
        for accepted in (state.accepted.values() if new else ())
        for reading in _readings(observation.home, accepted.energy, (), observation.now)
        if reading.device in new
    ]


def _readings(home: Home, energy: Energy, ended: tuple[str, ...], now: Moment) -> list[Reading]:
    updated, key = to_datetime(now.wall), topic_of(energy.scale)
    used = {device.id: device_document(device, energy, updated) for device in energy.devices}
    # Sense may leave out who has used nothing yet in a new period.
    unused = {device: empty_document(energy, updated) for device in ended if device not in used}
    of_devices = [
        Reading(device, key, document)
        for device, document in {**used, **unused}.items()
        if device in home.devices and device != "solar"  # published as the house's
    ]
    return [Reading(None, key, house_document(energy, updated)), *of_devices]
