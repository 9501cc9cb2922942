"""The REST bodies that say who, what and how, not what the house draws. Pure."""

import hashlib
from typing import Any

from sense_mqtt.simulator.house.model import Device, HousePower
from sense_mqtt.simulator.payloads.devices import device_row
from sense_mqtt.simulator.payloads.frames import Payload
from sense_mqtt.simulator.payloads.timeline import iso

Body = dict[str, Any]

CREATED = "2026-02-03T17:20:11.000Z"
FIRMWARE, OLD_FIRMWARE = "1.100.3-4a5ddd65-release", "1.49.29-4a5ddd65-release"  # 1.100 is newer than 1.64
FEATURES = "NDI,SMARTPLUGS,HS300,TPL_CTRL,HUE,AO_SANS_NDI,SSI,RTU_WATTS_SIGNED"
NOT_FOUND: Body = {"status": "error", "error_reason": "Not Found"}
UNAUTHORIZED: Body = {"status": "error", "error_reason": "Unauthorized"}


def serial(monitor: int) -> str:
    return f"N{monitor:09d}"


def monitor_entry(monitor: int, time_zone: str, *, solar: bool, cycle_day: int | None = None) -> Body:
    """Return one of `monitors[]`; `online` is false though it is online, as on both recordings."""
    return {
        "id": monitor,
        "date_created": CREATED,
        "serial_number": serial(monitor),
        "time_zone": time_zone,
        "solar_connected": solar,
        "solar_configured": solar,
        "online": False,
        "attributes": {"id": 1, "name": "", "cost": 16.5, "sell_back_rate": 11.0, "cycle_start": cycle_day},
        "signal_check_completed_time": CREATED,
        "data_sharing": [],
        "ethernet_supported": False,
        "power_over_ethernet_supported": False,
        "aux_ignore": False,
        "aux_port": "solar" if solar else "disconnected",
        "hardware_type": "monitor",
        "zigbee_supported": False,
    }


def login_body(user: int, monitors: list[Body]) -> Body:
    """Return what the answer of `authenticate` holds besides the tokens."""
    notifications = {str(monitor["id"]): {"new_named_device_push": True} for monitor in monitors}
    settings = {"user_id": user, "version": 1, "settings": {"notifications": notifications, "labs_enabled": False}}
    stale = "wss://mb1.home.sense.com"  # dead since 2017, and still told
    return {"settings": settings, "monitors": monitors, "bridge_server": stale, "date_created": CREATED}


def status(monitor: int, *, online: bool, firmware: str) -> Body:
    found = [{"icon": "stove", "name": "Oven", "progress": 48}]
    searched = [{"icon": "cup", "name": "Possible Coffee Maker", "progress": 16}]
    return {
        "signals": {"progress": 100, "status": "OK"},
        "device_detection": {"in_progress": searched, "found": found, "num_detected": 18},
        "monitor_info": {
            "serial": serial(monitor),
            "version": firmware,
            "online": online,
            "connection_state": "ONLINE" if online else "OFFLINE",
            "ssid": "ExampleWiFi",
            "mac": "00:00:5E:00:53:02",
            "ip_address": "192.0.2.7",
            "wifi_strength": 92,
            "signal": None,
            "ethernet": False,
            "test_result": "Good",
            "ndt_enabled": True,
        },
    }


def overview(entry: Body, devices: tuple[Device, ...]) -> Body:
    monitor = {key: value for key, value in entry.items() if key != "online"}
    counts = {"num_devices": len(devices), "num_named_devices": len(devices), "num_unnamed_devices": 0}
    return {
        "checksum": checksum("overview", entry["id"]),
        "device_data_checksum": devices_checksum(entry["id"], devices),
        "monitor_overview": {"monitor": monitor, "ndi_enabled": True, "local_api_enabled": False, **counts},
    }


def checksum(what: str, monitor: int) -> str:
    return hashlib.sha1(f"{what} {monitor}".encode(), usedforsecurity=False).hexdigest().upper()


def devices_checksum(monitor: int, devices: tuple[Device, ...]) -> str:
    """Return the checksum that changes when a device comes, goes, or gets another name or id."""
    return checksum(f"devices {sorted((device.id, device.name) for device in devices)}", monitor)


def data_change(monitor: int, devices: tuple[Device, ...]) -> Payload:
    nothing_new = {"device_id": None, "guid": None, "timestamp": None}
    goal = {"guid": None, "notification_id": None, "timestamp": None}
    pending = {"type": "GoalEvent", "goal": goal, "monitor_id": monitor, "new_device_found": nothing_new}
    return {
        "device_data_checksum": devices_checksum(monitor, devices),
        "monitor_overview_checksum": checksum("overview", monitor),
        "partner_checksum": checksum("partner", monitor),
        "pending_events": pending,
        "settings_version": 12,
        "user_version": 7,
    }


def device_states(devices: tuple[Device, ...], power: HousePower) -> Payload:
    """Return the state of the integrated devices only: those whose ids begin with ssi-."""
    listed = {listed_device.device.id for listed_device in power.devices}
    integrated = [device.id for device in devices if device.id.startswith("ssi-")]
    modes = [(device_id, "active" if device_id in listed else "off") for device_id in integrated]
    states = [{"device_id": device_id, "mode": mode, "state": "online"} for device_id, mode in modes]
    return {"states": states, "update_type": "full"}


def detail(device: Device, power: HousePower, now: float) -> Body:
    """Return the detail of a device, of always_on, unknown or solar."""
    listed = {listed_device.device.id for listed_device in power.devices}
    state = {"last_state": "On" if device.id in listed else "Off", "last_state_time": iso(now)}
    standby = {"standby_threshold_watt": 8, "standby_hysteresis_sec": 5}
    answer: Body = {
        "alerts": {"allowed": True, "enabled": False},
        "notes": "",
        "usage": {"current_month_runs": 12, "current_month_KWH": 7.4, "avg_watts": 128.0, "avg_duration": 1100},
        "timeline": {"visible": True, "allowed": device.id not in {"always_on", "unknown", "solar"}},
        "device": device_row(device) | state | {"standbyConfig": standby},
        "info": "",
    }
    return answer | (_always_on(power) if device.id == "always_on" else {})


def _always_on(power: HousePower) -> Body:
    shares = [
        {"id": listed_device.device.id, "w": listed_device.device.ao_w}
        for listed_device in power.devices
        if listed_device.device.plug
    ]
    told = {"description": "", "total_watts": power.always_on_w, "unknown_watts": None, "devices": shares}
    return {"always_on": told}


def environments(api_url: str, feed_url: str) -> list[Body]:
    return [{"environment": "simulated", "client_bridgelink_url": feed_url, "api_url": api_url, "display_name": "Demo"}]


def rate_zones(monitor: int) -> Body:
    peak = {
        "id": 1,
        "name": "Peak",
        "monitor": monitor,
        "start_date": "2026-01-01T00:00:00.000Z",
        "end_date": "2026-12-31T00:00:00.000Z",
        "start_time": "16:00",
        "end_time": "21:00",
        "days_enabled_bit_value": 62,
        "cost": 35.0,
        "alert": True,
        "rollover": True,
        "rolled_over": None,
        "status": "PRESENT",
        "days_enabled": "MON,TUE,WED,THU,FRI",
    }
    return {"historic": [], "present": [peak], "future": []}


def comparisons() -> Body:
    cohort = {"id": 1, "postal_code": "", "area_code": "000", "state": "US", "home_size": "UNKNOWN", "location": ""}
    homes = {
        "comparison_text": "",
        "tercile_strings": ["< 390", "390 - 800W", "> 800"],
        "cohort_marker": 27,
        "cohort": cohort,
        "title": "Similar homes in your area",
        "w": 1440.0,
        "cohort_avg_w": 750.0,
    }
    return {"period_title": "Last month", "summary_cohort_marker": 27, "comparisons": [homes], "avg_w": 1500.0}
