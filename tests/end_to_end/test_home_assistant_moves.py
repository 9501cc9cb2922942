"""A real Home Assistant sees each change of discovery, forth and back: no complaint, no orphan, settings kept.

Runs where test_home_assistant.py runs, with the bridge as people run it beside the simulated cloud; takes two minutes.
"""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from bridge_process import BridgeProcess
from listener import Listener
from mosquitto import Mosquitto
from settings import configure
from test_home_assistant import PROBE, PYTHON

from sense_mqtt.simulator.cloud import SimulatedCloud
from sense_mqtt.simulator.model import BuiltInHouse

MODES = ("device", "single", "device", "off", "single", "off", "device")
STEP_S, BEGINS_S, ENDS_S = 14.0, 10.0, 6.0
POWER = "sensor.sense_power"
PREFIX = "homeassistant"

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.timeout(400),
    pytest.mark.skipif(not PROBE.exists(), reason=f"{PROBE} is not here"),
    pytest.mark.skipif(not PYTHON.exists(), reason="SENSE_MQTT_HOME_ASSISTANT names no Home Assistant that was set up"),
]


def wait_for_discovery(listener: Listener, mode: str) -> None:
    """Return once what is retained below the prefix is of this mode only, and of every device."""

    def holds(_heard: Any) -> bool:
        told = {topic for topic, payload in listener.latest("/config").items() if payload}
        if mode == "off":
            return not told
        devices = json.loads(listener.latest("900101/devices").get("sense/900101/devices", "[]"))
        nodes = {f"sense_mqtt_900101_{one['id']}" for one in devices if one["id"] != "solar"}
        of_device = {topic for topic in told if topic.startswith(f"{PREFIX}/device/")}
        of_mode = of_device if mode == "device" else told - of_device
        return told == of_mode and len(nodes) > 2 and nodes <= {part for topic in told for part in topic.split("/")}

    listener.wait_for(holds, f"discovery: {mode}", timeout_s=60)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What Home Assistant made of the bridge, started anew in one mode after the other."""
    folder = tmp_path_factory.mktemp("moves")
    told = folder / "seen.json"
    with (
        Mosquitto(folder) as broker,
        SimulatedCloud(BuiltInHouse(seed=1), speed=2) as cloud,
        Listener(broker.port) as listener,
    ):
        bridge = BridgeProcess(folder, configure(cloud, broker.port))
        probe = [PYTHON, PROBE, "--port", str(broker.port), "--seconds", "130", "--out", told]
        with subprocess.Popen([str(part) for part in probe]) as home_assistant:
            listener.wait_for_payload(f"{PREFIX}/status", "online", timeout_s=100)
            for mode in MODES:
                write(bridge, cloud, broker.port, mode)
                bridge.start()
                wait_for_discovery(listener, mode)
                bridge.stop() if mode == "device" else bridge.kill()
            write(bridge, cloud, broker.port, "device")
            bridge.start()
            home_assistant.wait(300)
            bridge.stop()
        yield {**json.loads(told.read_text()), "bridge": bridge.log, "retained": listener.latest()}


def write(bridge: BridgeProcess, cloud: SimulatedCloud, port: int, mode: str) -> None:
    state = str(bridge.config_file.parent / "state")
    config = configure(cloud, port, home_assistant={"discovery": mode}, state_dir=state)
    bridge.config_file.write_text(json.dumps(config))


def test_home_assistant_has_nothing_to_complain_of(seen: dict[str, Any]) -> None:
    assert seen["log"] == []


def test_no_entity_is_left_without_a_state(seen: dict[str, Any]) -> None:
    enabled = {one["entity_id"] for one in seen["entities"] if one["platform"] == "mqtt" and not one["disabled_by"]}
    restored = {one["entity_id"] for one in seen["states"] if one["attributes"].get("restored")}
    assert enabled
    assert restored == set()


def test_no_device_is_left_without_an_entity(seen: dict[str, Any]) -> None:
    ours = {one["id"] for one in seen["devices"] if one["identifiers"] and one["identifiers"][0][0] == "mqtt"}
    assert ours
    assert ours == {one["device_id"] for one in seen["entities"] if one["platform"] == "mqtt"}


def test_the_monitor_shows_its_firmware(seen: dict[str, Any]) -> None:
    (monitor,) = [one for one in seen["devices"] if one["name"] == "Sense"]
    assert monitor["sw_version"] == "1.100.3-4a5ddd65-release"
