"""Rows of devices as Sense writes them: ids, names, icons and the many tags. Pure."""

from collections.abc import Mapping
from typing import Any

from sense_mqtt.simulator.house.appliances import CHILDREN, DELETED, INVENTORY
from sense_mqtt.simulator.house.model import Device

DeviceRow = dict[str, Any]

ALWAYS_ON = Device("always_on", "Always On", "alwayson", "AlwaysOn")
OTHER = Device("unknown", "Other", "home", "Unknown")
SOLAR = Device("solar", "Solar", "solar_alt", "Solar")
PSEUDO_DEVICES: Mapping[str, Device] = {device.id: device for device in (ALWAYS_ON, OTHER, SOLAR)}

_CREATED = "2026-02-03T17:20:11.000Z"


def device_row(device: Device, **tags: Any) -> DeviceRow:
    """Return the row that both the REST list and each frame hold; `tags` replace the usual ones."""
    made: DeviceRow = {"id": device.id, "name": device.name, "icon": device.icon, "tags": _tags(device) | tags}
    told = {"location": device.location, "make": device.make, "model": device.model}
    for key, value in told.items():
        if value:
            made |= {key: value, f"given_{key}": value}
    return made


def _tags(device: Device) -> dict[str, Any]:
    if device.id in PSEUDO_DEVICES:
        return _pseudo_tags(device)
    kinds = {True: _plug_tags, False: _detected_tags}
    return {
        "Alertable": "true",
        "AlwaysOn": "false",
        "DateCreated": _CREATED,
        "DateFirstUsage": "2026-02-01",
        "DefaultUserDeviceType": device.type,
        "DeployToMonitor": "true",
        "DeviceListAllowed": "true",
        "OriginalName": device.name.strip(),
        "PeerNames": [],
        "Pending": "false",
        "Revoked": "false",
        "TimelineAllowed": "true",
        "TimelineDefault": "true",
        "UserDeletable": "true",
        "UserDeviceType": device.type,
        "UserDeviceTypeDisplayString": device.type,
        "UserEditable": "true",
        "UserEditableMeta": "true",
        "UserMergeable": "true",
        "UserShowBubble": "true",
        "UserShowInDeviceList": "true",
    } | kinds[device.plug](device)


def _pseudo_tags(device: Device) -> dict[str, Any]:
    return {
        "DefaultUserDeviceType": device.type,
        "DeviceListAllowed": "false" if device is SOLAR else "true",
        "TimelineAllowed": "false",
        "UserDeletable": "false",
        "UserDeviceType": device.type,
        "UserDeviceTypeDisplayString": device.type,
        "UserEditable": "false",
        "UserMergeable": "false",
    }


def _plug_tags(device: Device) -> dict[str, Any]:
    return {
        "ControlCapabilities": ["OnOff", "StandbyThreshold"],
        "DUID": f"8006{sum((device.duid or device.id).encode()):036X}",
        "IntegratedDeviceType": "IntegratedSmartPlug",
        "IntegrationType": "TPLink",
        "SmartPlugModel": "TP-Link Kasa KP115",
        "SSIEnabled": "true",
        "SSIModel": "SelfReporting",
        "UserVisibleDeviceId": "00:00:5E:00:53:01",  # RFC 7042: for documentation
    }


def _detected_tags(device: Device) -> dict[str, Any]:
    merged = {"MergedDevices": ",".join(device.merged), "Virtual": "true"} if device.merged else {}
    peers = {"PeerNames": [_peer(device, device.name, 83), _peer(device, "Something else", 9000)]}
    common = {"DefaultLocation": None, "DefaultMake": None, "DefaultModel": None, "ModelCreatedVersion": "12"}
    return common | {"NameUserGuess": "false", "PreselectionIndex": 0, "Type": device.type} | peers | merged


def _peer(device: Device, name: str, percent: float) -> dict[str, Any]:
    kind = {"UserDeviceType": device.type, "UserDeviceTypeDisplayString": device.type}
    return {"Name": name.strip(), "Percent": percent, "Icon": device.icon, **kind}


def device_list(devices: tuple[Device, ...], *, solar: bool, include_merged: bool) -> list[DeviceRow]:
    """Return the REST list: all devices, a deleted one and one of the inventory; merged children only when asked."""
    rows = [device_row(device) for device in devices]
    rows += [device_row(ALWAYS_ON), device_row(OTHER)] + ([device_row(SOLAR)] if solar else [])
    rows.append(
        device_row(DELETED, DeviceListAllowed="false", UserDeleted="true", TimelineAllowed="false", Revoked="true")
    )
    rows.append(
        device_row(INVENTORY, DeviceListAllowed="false", Stage="Inventory")
        | {"type": INVENTORY.type, "count": 1, "stage": "Inventory", "realtime_devices": [], "deleted": False}
    )
    if include_merged:
        rows += [_child(child, parent) for parent in devices for child in parent.merged]
    return rows


def _child(child: str, parent: Device) -> DeviceRow:
    device = Device(child, CHILDREN.get(child, "Motor"), parent.icon, parent.type)
    return device_row(device, MergeId=parent.id, TimelineAllowed="false", UserShowInDeviceList="false")
