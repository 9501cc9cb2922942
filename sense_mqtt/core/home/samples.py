"""What a frame shows of each device: a sample, which its state machine evaluates.

A device whose row is as before goes on as it did: it is *steady*. Its row is compared, and that is all. Its last sample
and its energy then lag behind, until `up_to_date` makes up for them: before the device changes, and before anything but
a frame is observed that looks at samples (docs/decisions/0009-steady-devices-are-passed-over.md).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set

import msgspec
from msgspec.structs import replace

from sense_mqtt.core.changes import Event
from sense_mqtt.core.home.plain_frames import PlainFrames
from sense_mqtt.core.home.record import record_if_any
from sense_mqtt.core.home.sampling import HouseSample, context_of
from sense_mqtt.core.home.state import Device, Home, Policy, Steady
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.transitions.on_off import Sample, apply_sample
from sense_mqtt.core.transitions.timing import MAX_ENERGY_STEP_S
from sense_mqtt.core.wire.devices import DevicePower
from sense_mqtt.core.wire.frames import RealtimeUpdate


class Sampled(msgspec.Struct, frozen=True):
    """What a frame made of the devices."""

    devices: Mapping[str, Device]
    steady: Steady
    events: list[Event]
    switched: frozenset[str]  # devices of which readings are to be published at once
    changed: Collection[str]  # devices of which readings have changed, or may have, in the order of the home


# --- which rows say something new


def prepare(home: Home, update: RealtimeUpdate, house: HouseSample) -> Home:
    """Return the home as it is to take in this frame: each device up to date, unless the frame is an ordinary one.

    An ordinary one follows the one before it closely, and nothing else has changed the devices in between.
    """
    epoch, steady = update.epoch, home.steady
    if steady.devices is not home.devices or epoch is None or home.pending_items:
        return up_to_date(home)
    is_close = 0.0 <= epoch - steady.time <= MAX_ENERGY_STEP_S
    is_ordinary = is_close and house.shows_absence and house.absent.source == "frame"
    return home if is_ordinary else up_to_date(home)


def news_of(home: Home, update: RealtimeUpdate) -> Sequence[DevicePower]:
    """Return the rows that are not as those of steady devices in the frame before; all, where none is passed over."""
    before = home.steady.rows
    is_first = home.steady.devices is None
    return update.devices if is_first else [row for row in update.devices if row != before.get(row.id)]


def up_to_date(home: Home) -> Home:
    """Return the home with the last sample and the energy of each device as of the last frame."""
    if home.steady.devices is None:
        return home
    devices = {
        identity: _go_on(device, home.steady) if identity in home.steady.rows else device
        for identity, device in home.devices.items()
    }
    return replace(home, devices=devices, steady=Steady(time=home.steady.time, arrived=home.steady.arrived))


def go_on(home: Home, plain: PlainFrames) -> tuple[Home, list[str]]:
    """Return the home with the watts and samples that plain frames have shown, and the devices with other watts."""
    limits, before, devices = plain.limits, home.steady, dict(home.devices)
    rows = {power.id: power for power in plain.rows if power.id in before.rows}  # others are hidden
    energy = zip(limits.ids, plain.held_ws, strict=True)
    held_ws = {identity: before.held_ws[identity] + ws for identity, ws in energy if identity in rows}
    both = zip(plain.rows, plain.first, strict=True)
    changed = [power.id for power, first in both if power.w != first.w and power.id in rows]
    for identity in changed:
        netted_w = limits.shares_w if identity == "always_on" else 0.0
        devices[identity] = replace(devices[identity], power_w=max(0.0, (rows[identity].w or 0.0) - netted_w))
    steady = Steady(devices, rows, held_ws, frozenset(), plain.epoch, plain.arrived)
    return replace(home, devices=devices, steady=steady), changed


def _go_on(device: Device, steady: Steady) -> Device:
    """Return a steady device after the frames that showed it as it was."""
    row, switch = steady.rows[device.info.id], device.switch
    if device.is_virtual or switch.last is None or switch.last.arrived == steady.arrived:
        return device
    energy_ws = None if switch.energy_ws is None else switch.energy_ws + steady.held_ws[device.info.id]
    last = Sample(row, steady.time, steady.arrived)
    return replace(device, switch=replace(switch, energy_ws=energy_ws, last=last))


# --- a frame is taken in


def apply_samples(
    home: Home, update: RealtimeUpdate, house: HouseSample, news: Iterable[DevicePower], now: Moment, policy: Policy
) -> Sampled:
    """Return what the frame makes of the devices; `news`: those of its rows that are not as before."""
    listed, evaluation = update.rows, _Evaluation(home, update, house, now, policy)
    for identity in _to_be_evaluated(home, {power.id for power in news}, listed):
        evaluation.evaluate(home.devices[identity], listed.get(identity))
    changed = home.devices if home.steady.devices is None else evaluation.changed
    return Sampled(evaluation.devices, evaluation.steady(), evaluation.events, frozenset(evaluation.switched), changed)


def _to_be_evaluated(home: Home, others: Set[str], listed: Mapping[str, DevicePower]) -> Collection[str]:
    """Return the ids of all devices but those that go on as they did, or are at rest; in the order of the home."""
    steady = home.steady
    if steady.devices is None:
        return home.devices
    ids = others | steady.unsteady
    if not steady.rows.keys() <= listed.keys():
        ids |= steady.rows.keys() - listed.keys()
    if home.devices is not steady.devices:
        ids |= home.devices.keys() - steady.devices.keys()
    # The shares of all plugs are taken from `always_on`.
    return [identity for identity in home.devices if identity in ids or identity == "always_on"] if ids else ()


class _Evaluation:
    """Collects what one frame makes of one device after the other."""

    def __init__(self, home: Home, update: RealtimeUpdate, house: HouseSample, now: Moment, policy: Policy) -> None:
        before = home.steady
        self.events: list[Event] = []
        self.switched: set[str] = set()
        self.changed: list[str] = []
        self._home, self._update, self._now, self._policy = home, update, now, policy
        self._shows_absence, self._absent = house.shows_absence, house.absent
        step_s = 0.0 if before.devices is None else self._absent.time - before.time
        self.devices, self._rows, self._unsteady = dict(home.devices), dict(before.rows), set[str]()
        self._held_ws = {each: before.held_ws[each] + (row.w or 0.0) * step_s for each, row in before.rows.items()}

    def evaluate(self, device: Device, power: DevicePower | None) -> None:
        """Let a device take in its row; None: the frame does not list it."""
        identity, steady = device.info.id, self._home.steady
        before = _go_on(device, steady) if identity in steady.rows else device
        after, events = self._take_in(before, power)
        self.devices[identity] = after
        self.events += events
        if after.power_w != before.power_w or after.switch.state is not before.switch.state:
            self.changed.append(identity)
        if events or _is_changed(before, after):
            self.switched.add(identity)
        if power is not None and _is_steady(before, after):
            self._rows[identity], self._held_ws[identity] = power, 0.0
            return
        self._rows.pop(identity, None)
        if power is not None or not (after.is_virtual or after.is_at_rest):
            self._unsteady.add(identity)

    def _take_in(self, device: Device, power: DevicePower | None) -> tuple[Device, list[Event]]:
        if device.is_virtual:
            return _with_virtual_power(device, power, self._update), []
        if power is None and (not self._shows_absence or device.is_at_rest):
            return device, []
        sample = replace(self._absent, power=power)
        switch, transition = apply_sample(device.switch, sample, context_of(self._home, device, self._policy))
        if switch is device.switch:
            return device, []  # the sample is older than what is known
        return record_if_any(replace(device, switch=switch, power_w=sample.watts), transition, self._now)

    def steady(self) -> Steady:
        time, arrived = self._absent.time, self._absent.arrived
        return Steady(self.devices, self._rows, self._held_ws, frozenset(self._unsteady), time, arrived)


def _is_steady(before: Device, after: Device) -> bool:
    """True where a row that shows the same state in the next frame would change nothing but samples and watts."""
    if after.is_virtual:
        return True
    old, new = before.switch, after.switch
    if new is old or new.held is not None or (new.state, new.since) != (old.state, old.since) or new.last is None:
        return False
    return after.power_w is not None and (new.since is None or new.since <= new.last.earliest)


def _is_changed(before: Device, device: Device) -> bool:
    """True where the readings of the device are to be published at once."""
    if device is before:
        return False
    if device.is_on != before.is_on:
        return True
    # Of an edge that the timeline told, only now the watts are known.
    return device.power_w != before.power_w and (before.switch.power_is_uncertain or before.power_w is None)


def _with_virtual_power(device: Device, power: DevicePower | None, update: RealtimeUpdate) -> Device:
    if power is None or power.w is None:
        return device
    power_w = power.w
    if power.id == "always_on":
        # The row holds the plugs' always-on share a second time.
        power_w = max(0.0, power_w - shares_w(update))
    return _with_power(device, power_w)


def shares_w(update: RealtimeUpdate) -> float:
    """Return W that plugs have a share of in the row `always_on`."""
    return sum(other.always_on_w or 0.0 for other in update.devices)


def _with_power(device: Device, power_w: float | None) -> Device:
    return device if device.power_w == power_w else replace(device, power_w=power_w)
