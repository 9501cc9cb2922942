"""Hands each observation to all capabilities, and publishes those of their readings that are due."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from sense_mqtt.core.capabilities import CAPABILITIES
from sense_mqtt.core.capability import Capability, Observation
from sense_mqtt.core.changes import Change, DeviceChanged, DeviceRemoved, Event, Reading, ReadingRemoved, StateChanged
from sense_mqtt.core.home.state import Home, Policy, Subject
from sense_mqtt.core.readings.entities import entity_of
from sense_mqtt.core.readings.published import forget_published, is_same, mark_published
from sense_mqtt.core.readings.throttle import MINUTE_S
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.wire.frames import RealtimeUpdate

Outcome = tuple[Home, tuple[Change, ...]]


def update_capabilities(observation: Observation, capabilities: Iterable[Capability[Any]] = CAPABILITIES) -> Outcome:
    """Return the home with the new state of each capability, and what follows: readings, events, what to store."""
    home, changes, states = observation.home, list[Change](), dict[str, Any]()
    gone = [change.device for change in observation.changes if isinstance(change, DeviceRemoved)]
    is_frame = isinstance(observation.seen, RealtimeUpdate)
    is_known = is_frame and not any(isinstance(change, DeviceChanged) for change in observation.changes)
    for capability in capabilities:
        if is_known and not capability.sees_frames:
            continue
        before = capability.state_of(home)
        update = capability.update(_without(gone, before, capability) if gone else before, observation)
        if update.state is not before:
            states[capability.key] = update.state
        if not (update.changes or update.store):
            continue
        due = [change for change in update.changes if _is_due(home, change, observation.policy, observation.now)]
        home = _wait(home, [change for change in update.changes if isinstance(change, Reading)], observation)
        home = mark_published(home, [change for change in due if isinstance(change, Reading)], observation.now)
        removed = {(change.device, change.key) for change in due if isinstance(change, ReadingRemoved)}
        home = forget_published(home, removed) if removed else home
        changes += [StateChanged(capability.key, update.synced)] if update.store else []
        changes += due
    if states:
        home = replace(home, capabilities={**home.capabilities, **states})
    return home, tuple(changes)


def _without(gone: Iterable[str], state: Any, capability: Capability[Any]) -> Any:
    for device in gone:
        state = capability.forget(state, device)
    return state


def _is_due(home: Home, reading: Reading | ReadingRemoved | Event | DeviceChanged, policy: Policy, now: Moment) -> bool:
    if not isinstance(reading, Reading):
        return True
    published = home.published.get((reading.device, reading.key))
    if published is None:
        return reading.value is not None
    return now.monotonic - published.at >= _interval_s(reading, policy) and not is_same(reading, published.value)


def _wait(home: Home, readings: Iterable[Reading], observation: Observation) -> Home:
    """Return the home with those readings waiting that have changed while their interval runs."""
    now, until = observation.now.monotonic, dict[Subject, float]()
    for reading in readings:
        published = home.published.get((reading.device, reading.key))
        if published is not None and not is_same(reading, published.value):
            at = published.at + _interval_s(reading, observation.policy)
            if at > now:
                until[reading.device, reading.key] = at
    return replace(home, waiting=home.waiting.with_more(until)) if until.keys() - home.waiting.until.keys() else home


def _interval_s(reading: Reading, policy: Policy) -> float:
    return intervals_s(policy)[entity_of(reading.device, reading.key).throttle]


def intervals_s(policy: Policy) -> Mapping[str | None, float]:
    """Return the least seconds between two publications of a reading, by the `throttle` of its row."""
    return {"house": policy.house_interval_s, "device": policy.device_interval_s, "minute": MINUTE_S, None: 0.0}
