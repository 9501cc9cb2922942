"""Starts sense-mqtt as an app of Home Assistant: its configuration from the app's options and the Supervisor's broker.

    run.py [DATA] [SUPERVISOR]      in the app: /data http://supervisor

Options are in DATA/options.json. The broker is the one that the Supervisor names, unless the options name another.
What else config.example.yaml has can stand in /config/config.yaml, the app's own folder; options come before it.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

MORE_CONFIGURATION = Path("/config/config.yaml")
TOKENS = ("SUPERVISOR_TOKEN", "HASSIO_TOKEN")  # the bridge asks the Supervisor nothing
TRY_AGAIN_S = 5.0
TIMEOUT_S = 10.0
NO_BROKER = (
    "no MQTT broker yet: install and start the app 'Mosquitto broker', or set mqtt_host in the options of this app; "
    "trying again every 5 s"
)
# Which key of the configuration each option sets.
KEYS = {
    "email": "SENSE__EMAIL",
    "password": "SENSE__PASSWORD",
    "totp_secret": "SENSE__TOTP_SECRET",
    "monitors": "SENSE__MONITORS",
    "discovery": "HOME_ASSISTANT__DISCOVERY",
    "base_topic": "MQTT__BASE_TOPIC",
    "device_interval_s": "PUBLISH__DEVICE_INTERVAL_S",
    "house_interval_s": "PUBLISH__HOUSE_INTERVAL_S",
    "surplus_on_above_w": "SOLAR__SURPLUS__ON_ABOVE_W",
    "surplus_off_below_w": "SOLAR__SURPLUS__OFF_BELOW_W",
    "latitude": "SOLAR__LATITUDE",
    "longitude": "SOLAR__LONGITUDE",
    "log_level": "LOG_LEVEL",
}
BROKER_KEYS = {"host": "MQTT__HOST", "port": "MQTT__PORT", "username": "MQTT__USERNAME", "password": "MQTT__PASSWORD"}
# The page is for Home Assistant's ingress alone, which comes from the Supervisor's address.
PAGE = {"WEB__ENABLED": "true", "WEB__HOST": "0.0.0.0", "WEB__PORT": "8788", "WEB__INGRESS": "true"}  # noqa: S104


def settings(options: Mapping[str, Any], broker: Mapping[str, Any], data: Path) -> dict[str, str]:
    """Return the configuration as environment variables. An option that is empty or missing says nothing."""
    given = {
        **PAGE,
        "STATE_DIR": str(data / "state"),
        **dict(_named(options, KEYS)),
        **dict(_named(broker, BROKER_KEYS)),
    }
    if broker.get("ssl"):
        given["MQTT__TLS__ENABLED"] = "true"
    if options.get("devices"):
        given["DEVICES"] = json.dumps({rules["id"]: _rules(rules) for rules in options["devices"]})
    return {f"SENSE_MQTT_{name}": value for name, value in given.items()}


def _named(values: Mapping[str, Any], keys: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, key in keys.items():
        value = values.get(name)
        if value not in (None, "", []):
            yield key, value if isinstance(value, str) else json.dumps(value)


def _rules(device: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in device.items() if key != "id"}


def own_broker(options: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the broker that the options name, or None."""
    named = {name.removeprefix("mqtt_"): value for name, value in options.items() if name.startswith("mqtt_")}
    return named if named.get("host") else None


def supervisor_s_broker(supervisor: str, token: str) -> dict[str, Any] | None:
    """Return the broker that Home Assistant has, or None while it has none or does not answer."""
    headers = {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"{supervisor}/services/mqtt", headers=headers)  # noqa: S310 - http alone
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310
            data = json.load(response).get("data")
    except (OSError, ValueError):  # refused, away, or no JSON
        return None
    return data if isinstance(data, dict) and data.get("host") else None


def find_broker(options: Mapping[str, Any], supervisor: str, token: str) -> dict[str, Any]:
    """Return the broker; waits until there is one: apps start in no certain order."""
    is_told = False
    while True:
        broker = own_broker(options) or supervisor_s_broker(supervisor, token)
        if broker is not None:
            return broker
        if not is_told:
            sys.stderr.write(f"{NO_BROKER}\n")
            is_told = True
        time.sleep(TRY_AGAIN_S)


def main(data: Path, supervisor: str) -> None:
    options = json.loads((data / "options.json").read_text(encoding="utf-8"))
    broker = find_broker(options, supervisor, os.environ.get("SUPERVISOR_TOKEN", ""))
    environ = {name: value for name, value in os.environ.items() if name not in TOKENS}
    environ = {**settings(options, broker, data), **environ}
    if MORE_CONFIGURATION.is_file():
        environ["SENSE_MQTT_CONFIG"] = str(MORE_CONFIGURATION)
    program = [sys.executable, "-m", "sense_mqtt", "run"]
    os.execve(program[0], program, environ)  # noqa: S606 - this process becomes the bridge, so signals reach it


if __name__ == "__main__":
    data, supervisor = sys.argv[1:] or ("/data", "http://supervisor")
    main(Path(data), supervisor)
