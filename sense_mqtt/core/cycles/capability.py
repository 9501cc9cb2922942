"""Cycles, as a capability: `running` of each washer, dryer and dishwasher, and `cycle_finished` at the end of a run."""

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from sense_mqtt.core.capability import Capability, Documents, Observation, Update
from sense_mqtt.core.changes import LATE_AFTER_S, DeviceChanged, Event, Reading, ReadingRemoved
from sense_mqtt.core.cycles.appliance import Appliance, Cycle, PowerSample, is_over, over_from
from sense_mqtt.core.cycles.appliances import pause_s
from sense_mqtt.core.cycles.stored import read_appliance, write_appliance
from sense_mqtt.core.edges import EdgeKind
from sense_mqtt.core.entity import Entity
from sense_mqtt.core.home.plain_frames import NEVER, Bounds, PlainFrames
from sense_mqtt.core.home.state import Device, Home, Policy
from sense_mqtt.core.timestamps import Moment, to_datetime
from sense_mqtt.core.wire.frames import RealtimeUpdate

STORE_EVERY_S = 10.0  # of the house's time: a crash may cost the energy of so much of a phase
CYCLE_FINISHED = "cycle_finished"
RUNNING = "running"

_EDGES = {kind.value: kind for kind in EdgeKind}


class Cycles(msgspec.Struct, frozen=True):
    """What is known of all appliances of one home."""

    appliances: Mapping[str, Appliance] = MappingProxyType({})  # by device
    is_matched: bool = False  # the devices were looked through by this process
    stored_at: float = 0.0  # s UTC at the house


class CycleCapability(Capability[Cycles]):
    """State: the appliances."""

    key = "cycles"
    initial = Cycles()
    device_entities = (
        Entity(
            key=RUNNING,
            name="Running",
            topic=RUNNING,
            description="`ON` / `OFF`, only of devices with a cycle: on from the first phase of a run to its end",
            platform="binary_sensor",
            device_class="running",
            real_only=True,
        ),
    )

    def update(self, state: Cycles, observation: Observation) -> Update[Cycles]:
        state, changes = self._matched(state, observation)
        if not state.appliances or not state.is_matched:
            return Update(state, changes, store=bool(changes))
        appliances, events = dict(state.appliances), list[Event]()
        frame, edges = observation.frame, [event for event in observation.events if event.event_type in _EDGES]
        for device, before in state.appliances.items():
            appliance, finished = _follow(before, device, observation, frame, edges)
            appliances[device] = appliance
            events += (_finished(cycle, observation.home.devices[device], observation) for cycle in finished)
        readings = [
            Reading(device, RUNNING, appliance.is_running)
            for device, appliance in appliances.items()
            if _is_news(device, appliance, observation)
        ]
        after, is_due = self._with_store_time(replace(state, appliances=appliances), observation)
        told: list[Reading | ReadingRemoved | Event | DeviceChanged] = [*changes, *readings, *events]
        return Update(after, told, store=is_due or bool(changes), synced=bool(told))

    def passes_over(self, state: Cycles, home: Home, now: Moment, policy: Policy) -> Bounds:  # noqa: ARG002
        """Return until when each appliance goes on as it is: it draws, to no new peak, or pauses, or is at rest."""
        time, most_w, due_epoch = home.newest_epoch or 0.0, dict[str, float](), math.inf
        for identity, appliance in state.appliances.items():
            device = home.devices[identity]
            if not appliance.goes_on(is_on=device.is_on, power_w=device.power_w):
                return NEVER
            if appliance.cycle is not None:
                over_at = over_from(appliance.cycle, appliance.pause_s, home)
                due_epoch = min(due_epoch, over_at, state.stored_at + STORE_EVERY_S)
            if not _is_forgotten(appliance, device):
                most_w[identity] = appliance.tally.peak_w
        return NEVER if due_epoch <= time else Bounds(due_epoch=due_epoch, most_w=most_w)

    def go_on(self, state: Cycles, home: Home, plain: PlainFrames) -> Cycles:
        shown = zip(plain.limits.ids, plain.rows, plain.held_ws, strict=True)
        drawn = {identity: (row.w or 0.0, ws) for identity, row, ws in shown if identity in state.appliances}
        appliances = dict(state.appliances)
        for identity, appliance in state.appliances.items():
            after = appliance.go_on(plain.epoch, *drawn.get(identity, (0.0, 0.0)))
            appliances[identity] = after.settled_off() if _is_forgotten(after, home.devices[identity]) else after
        return replace(state, appliances=appliances)

    def has_entities(self, state: Cycles, device: str) -> bool:
        return device in state.appliances

    def forget(self, state: Cycles, device: str) -> Cycles:
        return replace(state, appliances={key: each for key, each in state.appliances.items() if key != device})

    def snapshot(self, state: Cycles) -> Documents:
        return {device: write_appliance(appliance) for device, appliance in state.appliances.items()}

    def restore(self, documents: Documents) -> Cycles:
        return Cycles({device: read_appliance(document) for device, document in documents.items()})

    def _matched(self, state: Cycles, observation: Observation) -> tuple[Cycles, list[DeviceChanged | ReadingRemoved]]:
        """Look through the devices, where they may have changed; a device that has a cycle now is described anew."""
        is_changed = any(isinstance(change, DeviceChanged) for change in observation.changes)
        is_known = state.is_matched and state.appliances.keys() <= observation.home.devices.keys()
        if (is_known and not is_changed) or not observation.home.devices:
            return state, []
        appliances: dict[str, Appliance] = {}
        for identity, device in observation.home.devices.items():
            pause = pause_s(device.info, observation.policy.rules(identity))
            if pause is not None:
                before = state.appliances.get(identity, Appliance(pause))
                appliances[identity] = before if before.pause_s == pause else replace(before, pause_s=pause)
        changed = sorted((appliances.keys() ^ state.appliances.keys()) & observation.home.devices.keys())
        removed = [ReadingRemoved(each, RUNNING) for each in changed if each not in appliances]
        after = replace(state, appliances=appliances, is_matched=True)
        return after, [*(DeviceChanged(each) for each in changed), *removed]

    def _with_store_time(self, state: Cycles, observation: Observation) -> tuple[Cycles, bool]:
        """Say whether the state is to be stored now. What happens to a device is stored with its event."""
        frame = observation.frame
        if frame is None or frame.epoch is None or not any(each.is_running for each in state.appliances.values()):
            return state, False
        is_due = _is_store_time(state, frame.epoch)
        return (replace(state, stored_at=frame.epoch) if is_due or observation.events else state), is_due


CYCLES = CycleCapability()


def _is_store_time(state: Cycles, time: float) -> bool:
    return abs(time - state.stored_at) >= STORE_EVERY_S


def _is_forgotten(appliance: Appliance, device: Device) -> bool:
    """True where what the device draws belongs to no run."""
    return appliance.cycle is None and device.switch.is_settled_off


def _follow(
    appliance: Appliance,
    identity: str,
    observation: Observation,
    frame: RealtimeUpdate | None,
    edges: Iterable[Event],
) -> tuple[Appliance, list[Cycle]]:
    """Return the appliance after this observation, with its frame and the edges in it, and the cycles that are over."""
    home, device, finished = observation.home, observation.home.devices[identity], list[Cycle]()
    if frame is not None and frame.epoch is not None and device.power_w is not None:
        appliance = appliance.sample(PowerSample(frame.epoch, device.power_w))
    for event in edges:
        if event.device == identity:
            appliance, ended = appliance.edge(_EDGES[event.event_type], event.time, event.fields["source"])
            finished += [ended] if ended else []
    if device.is_on is not None:
        now = home.coverage.last_observed_at or observation.now.wall
        appliance, ended = appliance.show(is_on=device.is_on, since=device.switch.since, time=now)
        finished += [ended] if ended else []
    if device.switch.is_settled_off:
        appliance = appliance.settled_off()
    cycle = appliance.cycle
    if cycle is not None and is_over(cycle, appliance.pause_s, device, home):
        return appliance.over(), [*finished, cycle]
    return appliance, finished


def _is_news(device: str, appliance: Appliance, observation: Observation) -> bool:
    published = observation.home.published.get((device, RUNNING))
    if published is None:
        return observation.home.devices[device].is_on is not None  # no frame has shown it yet
    return published.value is not appliance.is_running


def _finished(cycle: Cycle, device: Device, observation: Observation) -> Event:
    ended = cycle.ended or 0.0
    energy_kwh, peak_w, duration_s = cycle.tally.energy_kwh, cycle.tally.known_peak_w, cycle.duration_s
    known = {
        "started": None if cycle.started is None else to_datetime(cycle.started),
        "duration_s": None if duration_s is None else round(duration_s, 3),
        "energy_kwh": None if energy_kwh is None else round(energy_kwh, 3),
        "peak_w": None if peak_w is None else round(peak_w, 1),
    }
    fields = {
        "name": device.name,
        **{key: value for key, value in known.items() if value is not None},
        "phases": cycle.phases,
        "source": cycle.source,
        "late": observation.now.wall - ended > LATE_AFTER_S,
    }
    return Event(device.info.id, CYCLE_FINISHED, ended, fields)
