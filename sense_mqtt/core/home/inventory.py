"""The devices of a home: which are new, renamed, merged or gone."""

import math
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from sense_mqtt.core.bounds import MAX_DEVICES, MAX_TOPIC_IDS
from sense_mqtt.core.changes import Change, DeviceChanged, DeviceRemoved, Event
from sense_mqtt.core.edges import State
from sense_mqtt.core.home.state import Device, Home, Policy
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.topic_ids import unique_topic_id
from sense_mqtt.core.transitions.on_off import Sample, SwitchState
from sense_mqtt.core.wire.devices import VIRTUAL_IDS, DeviceInfo, DevicePower, older_plugs_of_same_name

# An answer of Sense may lack devices for a while; one that is deleted or hidden says so in its row.
GONE_AFTER_S = 600.0  # a device that is in no list for so long is gone
MANY_GONE_AFTER_S = 86_400.0  # the same where more than half of them are missing at once
LIST_AGAIN_S = 300.0  # while one is missing, the list is read again

Outcome = tuple[Home, tuple[Change, ...]]


def remove_ignored(home: Home, time: float, policy: Policy) -> Outcome:
    """Remove stored devices that the configuration ignores now."""
    return depart(home, {identity: None for identity in home.devices if _is_ignored(home, identity, policy)}, time)


def apply_names(home: Home, time: float, policy: Policy) -> Outcome:
    """Call each device as the configuration does now."""
    named = {
        identity: replace(device, name=_name(device.info, policy))
        for identity, device in home.devices.items()
        if _name(device.info, policy) != device.name
    }
    changes: list[Change] = []
    for identity, device in named.items():
        changes += [DeviceChanged(identity), *_tell_rename(home.devices[identity], device, time)]
    return replace(home, devices={**home.devices, **named}) if named else home, tuple(changes)


def _tell_rename(before: Device, after: Device, time: float) -> Iterable[Event]:
    is_told = after.name != before.name and not before.is_virtual
    return [house_event("device_renamed", after, time, before=before.name)] if is_told else []


def add_devices(home: Home, rows: Iterable[DeviceInfo], time: float, policy: Policy) -> Outcome:
    """Add devices that were not known; after the first list and frame, each one is a `device_found` event."""
    changes: list[Change] = []
    devices, topic_ids, is_full = dict(home.devices), dict(home.topic_ids), home.is_full
    room = MAX_DEVICES - sum(not device.is_virtual for device in devices.values())
    for row in rows:
        if row.kind != "virtual":
            if room <= 0:
                is_full = True
                continue
            room -= 1
            others = {*VIRTUAL_IDS, *devices, *topic_ids} - {
                row.id
            }  # no other device takes the topics of a virtual one
            topic_id = unique_topic_id(row.id, (topic_ids.get(other, other) for other in others))
            if topic_id != row.id and row.id not in topic_ids:
                topic_ids[row.id] = topic_id  # kept, also when the other device goes
        devices[row.id] = _new_device(home, row, policy)
        changes.append(DeviceChanged(row.id))
        if home.coverage.last_observed_at is not None and home.has_device_list and row.kind != "virtual":
            changes.append(house_event("device_found", devices[row.id], time))
    surplus = [identity for identity in topic_ids if identity not in devices][: max(0, len(topic_ids) - MAX_TOPIC_IDS)]
    kept = {identity: topic_id for identity, topic_id in topic_ids.items() if identity not in surplus}
    return replace(home, devices=devices, topic_ids=kept, is_full=is_full), tuple(changes)


def rename(home: Home, powers: Iterable[DevicePower], time: float, policy: Policy) -> Outcome:
    """Take over the names that frames give to known devices, where they change from one frame to another."""
    devices = home.devices
    other = [power for power in powers if power.id in devices and power.name != devices[power.id].framed_name]
    names = {power.id: power.name for power in other if power.name and not devices[power.id].is_virtual}
    if not names:
        return home, ()
    devices = {identity: replace(home.devices[identity], framed_name=name) for identity, name in names.items()}
    renamed = [replace(device.info, name=device.framed_name) for device in devices.values()]
    return _update_descriptions(replace(home, devices={**home.devices, **devices}), renamed, time, policy)


def apply_device_list(home: Home, rows: tuple[DeviceInfo, ...], now: Moment, policy: Policy) -> Outcome:
    """Take over the list of devices; an empty list is no proof that all are gone."""
    if not rows:
        return home, ()
    time = now.wall
    wanted = [row for row in rows if row.visible and (row.kind == "virtual" or not policy.rules(row.id).ignore)]
    hidden = frozenset(row.id for row in rows) - frozenset(row.id for row in wanted)
    replaced = _find_replaced(home, rows)  # not hidden: a frame that shows one says that it exists
    visible = [row for row in wanted if row.id not in replaced]
    home, missing = _note_missing(replace(home, hidden=hidden), rows, now)
    gone = {**missing, **_find_unwanted(home, hidden | replaced, rows, policy)}
    home, departed = depart(home, gone, time)
    named = [_with_present_name(row, home.devices[row.id]) for row in visible if row.id in home.devices]
    home, described = _update_descriptions(home, named, time, policy)
    home, found = add_devices(home, [row for row in visible if row.id not in home.devices], time, policy)
    called = {row.id: replace(home.devices[row.id], listed_name=row.name) for row in visible if row.id in home.devices}
    return replace(home, devices={**home.devices, **called}, has_device_list=True), (*departed, *described, *found)


def is_wanted(home: Home, info: DeviceInfo, policy: Policy) -> bool:
    """True where a device that a frame shows is one to be told of."""
    if info.kind == "virtual":
        return True
    return not info.hidden and info.id not in home.hidden and not policy.rules(info.id).ignore


def list_again_s(home: Home, now: float) -> float:
    """Return in how many seconds the list is to be read again, as it lacks a device; infinite: not out of turn."""
    waits = any(now - since < GONE_AFTER_S for since in home.identities.missing_since.values())
    return LIST_AGAIN_S if waits else math.inf


def _new_device(home: Home, row: DeviceInfo, policy: Policy) -> Device:
    device = Device(row, _name(row, policy))
    observed_at = home.coverage.last_observed_at
    if observed_at is None or row.kind == "virtual":
        return device
    # The frames that came before did not list it: it was off.
    absent = Sample(None, observed_at, arrived=home.coverage.last_frame_at or 0.0)
    return replace(device, switch=SwitchState(State.OFF, last=absent), power_w=0.0)


def _name(row: DeviceInfo, policy: Policy) -> str:
    return policy.rules(row.id).name or row.name or row.id


def _with_present_name(row: DeviceInfo, device: Device) -> DeviceInfo:
    # A list with the same name as before does not undo a newer name from frames.
    return row if row.name != device.listed_name else replace(row, name=device.info.name)


def _update_descriptions(home: Home, rows: Iterable[DeviceInfo], time: float, policy: Policy) -> Outcome:
    changes: list[Change] = []
    devices = dict(home.devices)
    for row in rows:
        before = devices[row.id]
        after = replace(row, name=row.name or before.info.name)
        if after == before.info:
            continue
        devices[row.id] = replace(before, info=after, name=_name(after, policy))
        changes += [DeviceChanged(row.id), *_tell_rename(before, devices[row.id], time)]
    return replace(home, devices=devices), tuple(changes)


def _find_unwanted(
    home: Home, unwanted: frozenset[str], rows: tuple[DeviceInfo, ...], policy: Policy
) -> Mapping[str, str | None]:
    """Return the ids of devices that are not to be shown, each with the id of the device that it was merged into."""
    merged_into = {row.id: row.merged_into for row in rows}
    return {
        identity: merged_into.get(identity)
        for identity, device in home.devices.items()
        if not device.is_virtual and (identity in unwanted or _is_ignored(home, identity, policy))
    }


def _note_missing(home: Home, rows: tuple[DeviceInfo, ...], now: Moment) -> tuple[Home, Mapping[str, None]]:
    """Note which devices the list lacks without a word, and return those that it has lacked for long enough."""
    listed, known = {row.id for row in rows}, [device for device in home.devices.values() if not device.is_virtual]
    before = home.identities.missing_since
    missing = {
        device.info.id: before.get(device.info.id, now.monotonic)
        for device in known
        if device.info.id not in listed and not draws(device)
    }
    wait_s = MANY_GONE_AFTER_S if 2 * len(missing) > len(known) else GONE_AFTER_S
    gone = {identity: None for identity, since in missing.items() if now.monotonic - since >= wait_s}
    return replace(home, identities=replace(home.identities, missing_since=missing)), gone


def _find_replaced(home: Home, rows: tuple[DeviceInfo, ...]) -> frozenset[str]:
    """Return the ids of plugs that no frame shows since another one was added under their name."""
    namesakes = older_plugs_of_same_name(rows).items()
    return frozenset(identity for identity, since in namesakes if not _is_seen_since(home.devices.get(identity), since))


def _is_seen_since(device: Device | None, time: float) -> bool:
    return device is not None and (draws(device) or max(device.last_on or 0.0, device.last_off or 0.0) > time)


def draws(device: Device) -> bool:
    """True where the newest frame shows it."""
    # A device that draws power exists, whatever the list says; so does a plug at standby, which frames still list.
    sample = device.switch.last
    return device.switch.state in (State.ON, State.IDLE) or (sample is not None and sample.power is not None)


def _is_ignored(home: Home, identity: str, policy: Policy) -> bool:
    return not home.devices[identity].is_virtual and policy.rules(identity).ignore


def depart(home: Home, gone: Mapping[str, str | None], time: float) -> Outcome:
    """Remove devices, each with the id of the device that it was merged into, and tell of it."""
    devices = {identity: home.devices[identity] for identity in gone}
    events = {
        identity: house_event("device_merged", device, time, into=into)
        if (into := gone[identity])
        else house_event("device_removed", device, time)
        for identity, device in devices.items()
    }
    home, removed = remove(home, gone)
    return home, tuple(change for each in removed for change in (events[each.device], each))


def remove(home: Home, gone: Iterable[str]) -> tuple[Home, tuple[DeviceRemoved, ...]]:
    """Remove devices without telling of it."""
    gone = tuple(gone)
    devices = {identity: device for identity, device in home.devices.items() if identity not in gone}
    # Should it come back, all of it is published again: its topics are cleared.
    published = {subject: published for subject, published in home.published.items() if subject[0] not in gone}
    home = replace(home, devices=devices, published=published) if gone else home
    return home, tuple(map(DeviceRemoved, gone))


def house_event(event_type: str, device: Device, time: float, **more: str) -> Event:
    """Return what is told of a device that comes, goes, or is called otherwise."""
    return Event(None, event_type, time, {"device": device.info.id, "name": device.name, **more})
