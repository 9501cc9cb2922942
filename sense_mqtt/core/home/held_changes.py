"""Changes that are held back until their hold time is over, and what becomes of them in time."""

from msgspec.structs import replace

from sense_mqtt.core.changes import Event
from sense_mqtt.core.home.record import record_if_any
from sense_mqtt.core.home.sampling import context_of
from sense_mqtt.core.home.state import Home, Policy
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.transitions.on_off import settle


def settle_all(home: Home, now: Moment, policy: Policy) -> tuple[Home, list[Event]]:
    """Complete the changes whose hold time is over although no further frame came."""
    held, devices, events = home.held_devices, dict(home.devices), list[Event]()
    for device in held:
        switch, transition = settle(device.switch, now.monotonic, context_of(home, device, policy))
        devices[device.info.id], event = record_if_any(replace(device, switch=switch), transition, now)
        events += event
    return (replace(home, devices=devices) if held else home), events
