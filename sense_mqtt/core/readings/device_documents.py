"""The JSON documents that describe devices."""

from sense_mqtt.core.changes import Document
from sense_mqtt.core.home.state import Device, Home
from sense_mqtt.core.timestamps import to_datetime


def devices(home: Home) -> tuple[Document, ...]:
    """Return the list of all known devices."""
    return tuple(_entry(device) for _, device in sorted(home.devices.items()))


def attributes(home: Home, identity: str) -> Document:
    """Return one device's entry in that list."""
    return _entry(home.devices[identity])


def _entry(device: Device) -> Document:
    row = device.info
    return {
        "id": row.id,
        "name": device.name,
        "icon": row.icon,
        "make": row.make,
        "model": row.model,
        "location": row.location,
        "type": row.type,
        "kind": row.kind,
        "on": None if device.is_virtual else device.is_on,
        "power_w": None if device.power_w is None else round(device.power_w, 1),
        "last_on": None if device.last_on is None else to_datetime(device.last_on),
        "last_off": None if device.last_off is None else to_datetime(device.last_off),
    }
