"""Our discovery payloads against the schemas of several Home Assistant releases, taken out of their wheels.

A wheel has 40 to 70 MB and is fetched once, so this runs with `make test-long`. HOME_ASSISTANT_WHEELS may name a
directory that has them; a release that cannot be had is named and skipped. Run by .ci/programs too.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sense_mqtt.core.home_assistant.discovery import DeviceDescription, MonitorDescription, announce, announce_bridge
from sense_mqtt.core.home_assistant.messages import DiscoveryOptions
from sense_mqtt.core.publishing.topics import Topics
from tests.support.checkout import ROOT, SHARED

WHEELS = Path(os.environ.get("HOME_ASSISTANT_WHEELS", ROOT / ".cache/home-assistant-wheels"))
VERSIONS = ("2024.12.5", "2025.10.4", "2026.4.4", "2026.11.0")  # the first with device discovery, to the newest
FETCH_S = 600

pytestmark = [pytest.mark.long, pytest.mark.timeout(FETCH_S + 100)]

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
            module = space["plat"]("device_trigger" if platform == "device_automation" else platform)
            getattr(module, "TRIGGER_DISCOVERY_SCHEMA", None or module.__dict__.get("DISCOVERY_SCHEMA"))(payload)
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


@pytest.fixture(params=VERSIONS)
def wheel(request: pytest.FixtureRequest) -> Path:
    """The wheel of one release, fetched where it is not there."""
    version = request.param
    file = WHEELS / f"homeassistant-{version}-py3-none-any.whl"
    if not file.exists():
        fetch = ["pip", "download", "--quiet", "--no-deps", "--ignore-requires-python", "--dest", str(WHEELS)]
        run = subprocess.run(
            [sys.executable, "-m", *fetch, f"homeassistant=={version}"],
            capture_output=True,
            text=True,
            timeout=FETCH_S,
            check=False,
        )
        if run.returncode:
            pytest.skip(f"NOT RUN: Home Assistant {version} cannot be had: {run.stderr[-300:]}")
    return file


@pytest.mark.parametrize("monitors", [1, 2])
@pytest.mark.parametrize("mode", ["device", "single"])
def test_home_assistant_takes_every_payload(wheel: Path, mode: str, monitors: int) -> None:
    style = DiscoveryOptions("0.1.0", Topics(), mode)
    home = announce(MonitorDescription(123456, solar=True, firmware="1.64.2"), DEVICES, style)
    told = [[config.topic, config.payload] for config in (*announce_bridge(style, monitors=monitors), *home)]
    assert faults(wheel, told) == []


def test_what_home_assistant_does_not_take_is_seen(wheel: Path) -> None:
    (config,) = announce_bridge(DiscoveryOptions("0.1.0", Topics(), "device"))
    broken = json.loads(json.dumps(config.payload))
    broken["components"]["log_level"]["icon"] = "no icon"
    assert "log_level" in " ".join(faults(wheel, [[config.topic, broken]]))


def faults(wheel: Path, told: list[list[object]]) -> list[str]:
    """Return what the schemas of a release say against these messages."""
    probe = SHARED / "tools/ha_schema_probe.py"
    if not probe.exists():
        pytest.skip(f"NOT RUN: {probe} is not there")
    checked = subprocess.run(
        [sys.executable, "-c", CHECK, probe, wheel],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    return list(json.loads(checked.stdout))
