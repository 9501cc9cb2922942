"""What Sense's answer about a monitor's status tells."""

from collections.abc import Mapping
from typing import Any

from sense_mqtt.core.wire.devices import mapping, number, read_bool, rows_of, text

MAX_DETECTIONS = 100  # of one list; a few are usual


def read_firmware(status: Any) -> str | None:
    """Return the version of the monitor's firmware, None where it is not told."""
    return text(mapping(mapping(status).get("monitor_info")).get("version"))


def read_status(status: Any) -> dict[str, Any]:
    """Return what may be shown of a status; never serial numbers, addresses or names of networks. Empty: nothing."""
    answer = mapping(status)
    info = mapping(answer.get("monitor_info"))
    known = {
        "online": read_bool(info.get("online")),
        "version": read_firmware(status),
        "wifi_strength": _percent(info.get("wifi_strength")),
    }
    if not info and "device_detection" not in answer:
        return {}
    detection = _read_detection(mapping(answer.get("device_detection")))
    return {**{key: value for key, value in known.items() if value is not None}, "detection": detection}


def _read_detection(detection: Mapping[str, Any]) -> dict[str, Any]:
    lists = {key: _read_detected(detection[key]) for key in ("in_progress", "found") if key in detection}
    counts = {f"num_{key}": len(rows) for key, rows in lists.items()}
    total = number(detection.get("num_detected"))
    return {**lists, **counts, **({} if total is None else {"num_detected": int(total)})}


def _read_detected(rows: Any) -> list[dict[str, Any]]:
    fields = ((text(row.get("name")), text(row.get("icon")), _percent(row.get("progress"))) for row in rows_of(rows))
    named = [dict(zip(("name", "icon", "progress"), each, strict=True)) for each in fields]
    return [{key: value for key, value in row.items() if value is not None} for row in named[:MAX_DETECTIONS]]


def _percent(value: Any) -> int | None:
    share = number(value)
    return round(share) if share is not None and 0 <= share <= 100 else None
