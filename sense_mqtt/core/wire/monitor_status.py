"""What Sense's answer about a monitor's status tells."""

from typing import Any

from sense_mqtt.core.wire.devices import mapping, text


def read_firmware(status: Any) -> str | None:
    """Return the version of the monitor's firmware, None where it is not told."""
    return text(mapping(mapping(status).get("monitor_info")).get("version"))
