"""Our discovery payloads against the schemas of any Home Assistant release, taken out of its wheel.

Wheels are 35 to 70 MB, so this is run by hand:

    pip download --no-deps --ignore-requires-python --dest WHEELS homeassistant==2026.11.0
    export HOME_ASSISTANT_WHEELS=WHEELS HOME_ASSISTANT_VENV=DIR
    pytest tests/end_to_end/test_home_assistant_schemas.py

DIR is a virtual environment with voluptuous and jinja2, as ../shared/tools/setup_home_assistant.sh makes it.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from sense_mqtt.core.home_assistant.discovery import DeviceDescription, MonitorDescription, announce
from sense_mqtt.core.home_assistant.messages import DiscoveryOptions
from sense_mqtt.core.publishing.topics import Topics
from tests.support.checkout import SHARED
from tests.support.processes.home_assistant import PYTHON

PROBE = SHARED / "tools" / "ha_schema_probe.py"
WHEELS = sorted(Path(os.environ.get("HOME_ASSISTANT_WHEELS", "nowhere")).glob("homeassistant-*.whl"))

pytestmark = [
    pytest.mark.skipif(not PROBE.exists(), reason=f"{PROBE} is not here"),
    pytest.mark.skipif(not WHEELS, reason="HOME_ASSISTANT_WHEELS names no directory with wheels"),
    pytest.mark.skipif(not PYTHON.exists(), reason="HOME_ASSISTANT_VENV names no virtual environment"),
]

# The probe takes the wheel from its arguments and offers `check_device` (device payloads) and `plat` (platforms).
CHECK = """
import json, sys
sys.argv = sys.argv[1:]
space = {"__name__": "probe"}
exec(compile(open(sys.argv[0]).read(), sys.argv[0], "exec"), space)
faults = []
for topic, payload in json.load(sys.stdin):
    platform = topic.split("/")[1]
    if platform != "device":
        try:
            space["plat"](platform).DISCOVERY_SCHEMA(payload)
        except Exception as error:
            faults.append(f"{topic}: {error}")
    elif hasattr(space["schemas"], "DEVICE_DISCOVERY_SCHEMA"):  # 2024.12 and newer
        faults += [f"{topic}: {fault}" for fault in space["check_device"](payload)]
print(json.dumps(faults))
"""

DEVICES = (
    DeviceDescription("1a2b3c4d", "Dryer", "LG", "DLEX", "Laundry", "Dryer"),
    DeviceDescription("ssi-9f", "Büro Lampe", kind="plug"),
    DeviceDescription("always_on", "Always On", kind="virtual"),
    DeviceDescription("zz~1"),
)


@pytest.mark.parametrize("mode", ["device", "single"])
@pytest.mark.parametrize("wheel", WHEELS, ids=lambda wheel: wheel.name.split("-")[1])
def test_home_assistant_takes_every_payload(wheel: Path, mode: str) -> None:
    style = DiscoveryOptions("0.1.0", Topics(), mode)
    configs = announce(MonitorDescription(123456, solar=True, firmware="1.64.2"), DEVICES, style)
    told = json.dumps([[config.topic, config.payload] for config in configs])
    checked = subprocess.run(
        [PYTHON, "-c", CHECK, PROBE, wheel], input=told, capture_output=True, text=True, timeout=60, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert json.loads(checked.stdout) == []
