"""What a frame shows of each device: a sample, which its state machine judges.

Most rows of a frame are as they were in the frame before, and say nothing but that the device goes on as it did. Such a
device is *steady*: its row is compared, and that is all. Its last sample and its energy then lag behind, by frames that
are all alike, until `up_to_date` makes up for them: before the device changes, and before anything but a frame is
observed that looks at samples (docs/decisions/0009-steady-devices-are-passed-over.md).
"""

from collections.abc import Collection, Iterable, Mapping

import msgspec
from msgspec.structs import replace

from sense_mqtt.core.changes import Event
from sense_mqtt.core.home.record import record
from sense_mqtt.core.home.sampling import absent_sample, shows_absence, source_of
from sense_mqtt.core.home.sightings import SIGHTING_S
from sense_mqtt.core.home.state import Device, Home, Policy, Steady
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.transitions.on_off import Context, Sample, Transition, apply_sample, settle
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


def prepare(home: Home, update: RealtimeUpdate, policy: Policy) -> Home:
    """Return the home as it is to take in this frame: each device up to date, unless the frame is an ordinary one."""
    return home if _is_ordinary(home, update, policy) else up_to_date(home)


def _is_ordinary(home: Home, update: RealtimeUpdate, policy: Policy) -> bool:
    """True where a frame follows the one before it closely, and nothing else has changed the devices in between."""
    if home.steady.devices is not home.devices or update.epoch is None or home.pending_items:
        return False
    is_close = 0.0 <= update.epoch - home.steady.time <= MAX_ENERGY_STEP_S
    return is_close and shows_absence(update) and source_of(home, update, policy) == "frame"


def news_of(home: Home, update: RealtimeUpdate) -> tuple[DevicePower, ...]:
    """Return the rows that are not as in the frame before."""
    rows = home.steady.rows
    return tuple([power for power in update.devices if (row := rows.get(power.id)) is None or row[0] != power])


def up_to_date(home: Home) -> Home:
    """Return the home with the last sample and the energy of each device as of the last frame."""
    if home.steady.devices is None:
        return home
    devices = {
        identity: _go_on(device, home.steady) if identity in home.steady.rows else device
        for identity, device in home.devices.items()
    }
    steady = Steady(time=home.steady.time, arrived=home.steady.arrived, observed_s=home.steady.observed_s)
    return replace(home, devices=devices, steady=steady)


def _go_on(device: Device, steady: Steady) -> Device:
    """Return a steady device after the frames that showed it as it was."""
    row, since_s = steady.rows[device.info.id]
    switch = device.switch
    if device.is_virtual or switch.last is None or switch.last.arrived == steady.arrived:
        return device
    energy_ws = switch.energy_ws
    if energy_ws is not None:
        energy_ws = None if row.w is None else energy_ws + row.w * (steady.observed_s - since_s)
    last = Sample(row, steady.time, steady.arrived)
    return replace(device, switch=replace(switch, energy_ws=energy_ws, last=last))


# --- a frame is taken in


def apply_samples(
    home: Home, update: RealtimeUpdate, news: Iterable[DevicePower], now: Moment, policy: Policy
) -> Sampled:
    """Return what the frame makes of the devices; `news`: those of its rows that are not as before."""
    listed = {power.id: power for power in update.devices}
    judging = _Judging(home, update, now, policy)
    for identity in _to_be_judged(home, news, listed):
        judging.judge(home.devices[identity], listed.get(identity))
    changed = home.devices if home.steady.devices is None else judging.changed
    return Sampled(judging.devices, judging.steady(), judging.events, frozenset(judging.switched), changed)


def _to_be_judged(home: Home, news: Iterable[DevicePower], listed: Mapping[str, DevicePower]) -> Collection[str]:
    """Return the ids of all devices but those that are steady, or at rest; in the order of the home."""
    steady = home.steady
    if steady.devices is None:
        return home.devices
    ids = {power.id for power in news} | steady.restless | (steady.rows.keys() - listed.keys())
    before = (steady.rows[identity][0] for identity in ids if identity in steady.rows)
    if steady.restless or any(power.always_on_w is not None for power in (*news, *before)):
        ids.add("always_on")  # the shares of all plugs are taken from it
    return [identity for identity in home.devices if identity in ids] if ids else ()


class _Judging:
    """Collects what one frame makes of one device after the other."""

    def __init__(self, home: Home, update: RealtimeUpdate, now: Moment, policy: Policy) -> None:
        before = home.steady
        self.events: list[Event] = []
        self.switched: set[str] = set()
        self.changed: list[str] = []
        self._home, self._update, self._now, self._policy = home, update, now, policy
        self._shows_absence = shows_absence(update)
        self._absent = absent_sample(home, update, now, policy)
        self.devices, self._rows, self._restless = dict(home.devices), dict(before.rows), set[str]()
        self._observed_s = before.observed_s + (0.0 if before.devices is None else self._absent.time - before.time)

    def judge(self, device: Device, power: DevicePower | None) -> None:
        """Let a device take in its row; None: the frame does not list it."""
        identity = device.info.id
        before = _go_on(device, self._home.steady) if identity in self._rows else device
        after, events = self._take_in(before, power)
        self.devices[identity] = after
        self.events += events
        if after.power_w != before.power_w or after.switch.state is not before.switch.state:
            self.changed.append(identity)
        if events or _is_changed(before, after):
            self.switched.add(identity)
        if power is not None and _is_steady(before, after):
            self._rows[identity] = (power, self._observed_s)
            return
        self._rows.pop(identity, None)
        if power is not None or not (after.is_virtual or _is_at_rest(after)):
            self._restless.add(identity)

    def _take_in(self, device: Device, power: DevicePower | None) -> tuple[Device, list[Event]]:
        if device.is_virtual:
            return _with_virtual_power(device, power, self._update), []
        if power is None and (not self._shows_absence or _is_at_rest(device)):
            return device, []
        sample = replace(self._absent, power=power)
        switch, transition = apply_sample(device.switch, sample, _context(self._home, device, self._policy))
        if switch is device.switch:
            return device, []  # the sample is older than what is known
        return _record(replace(device, switch=switch, power_w=sample.watts), transition, self._now)

    def steady(self) -> Steady:
        time, arrived = self._absent.time, self._absent.arrived
        return Steady(self.devices, self._rows, frozenset(self._restless), time, arrived, self._observed_s)


def _is_at_rest(device: Device) -> bool:
    """True where a further frame that does not list the device changes nothing."""
    return device.switch.is_settled_off and device.power_w == 0.0


def _is_steady(before: Device, after: Device) -> bool:
    """True where the same row in the next frame would change nothing but the last sample and the energy."""
    if after.is_virtual:
        return True
    old, new = before.switch, after.switch
    is_same = new is not old and new.held is None and (new.state, new.since) == (old.state, old.since)
    return is_same and new.last is not None and (new.since is None or new.since <= new.last.time)


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
        # The row holds the plugs' always-on share a second time (protocol page, 4.5).
        power_w = max(0.0, power_w - sum(other.always_on_w or 0.0 for other in update.devices))
    return replace(device, power_w=power_w)


# --- without a frame


def held_devices(home: Home) -> list[Device]:
    """Return the devices of which a change is held back."""
    steady = home.steady
    if steady.devices is home.devices and not steady.restless:
        return []
    return [device for device in home.devices.values() if device.switch.held]


def settle_all(home: Home, now: Moment, policy: Policy) -> tuple[Home, list[Event]]:
    """Complete the changes whose hold time is over although no further frame came."""
    waiting = held_devices(home)
    devices, events = dict(home.devices), list[Event]()
    for device in waiting:
        switch, transition = settle(device.switch, now.monotonic, _context(home, device, policy))
        devices[device.info.id], event = _record(replace(device, switch=switch), transition, now)
        events += event
    return (replace(home, devices=devices) if waiting else home), events


def _context(home: Home, device: Device, policy: Policy) -> Context:
    rules = policy.rules(device.info.id)
    if home.identities.sightings:  # it may be one of those that are shown instead
        rules = replace(rules, off_delay_s=max(rules.off_delay_s, SIGHTING_S))
    return Context(device.info.id, rules, device.edges, home.coverage)


def _record(device: Device, transition: Transition | None, now: Moment) -> tuple[Device, list[Event]]:
    if transition is None:
        return device, []
    device, event = record(device, transition, now)
    return device, [event]
