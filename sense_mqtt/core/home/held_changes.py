"""Changes that are held back until their hold time is over: which devices have one, and what becomes of it in time."""

from msgspec.structs import replace

from sense_mqtt.core.changes import Event
from sense_mqtt.core.home.record import record_if_any
from sense_mqtt.core.home.sightings import context_of
from sense_mqtt.core.home.state import Device, Home, Policy
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.transitions.on_off import settle


def held_devices(home: Home) -> list[Device]:
    """Return the devices of which a change is held back."""
    steady = home.steady
    if steady.devices is home.devices and not steady.unsteady:
        return []
    return [device for device in home.devices.values() if device.switch.held]


def settle_all(home: Home, now: Moment, policy: Policy) -> tuple[Home, list[Event]]:
    """Complete the changes whose hold time is over although no further frame came."""
    waiting = held_devices(home)
    devices, events = dict(home.devices), list[Event]()
    for device in waiting:
        switch, transition = settle(device.switch, now.monotonic, context_of(home, device, policy))
        devices[device.info.id], event = record_if_any(replace(device, switch=switch), transition, now)
        events += event
    return (replace(home, devices=devices) if waiting else home), events
