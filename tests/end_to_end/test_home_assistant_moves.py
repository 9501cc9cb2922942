"""A real Home Assistant sees each change of discovery, forth and back: no complaint, no orphan, settings kept.

Runs where test_home_assistant.py runs, with the bridge as people run it beside the simulated cloud; takes five minutes.
"""

import json
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import Mosquitto
from tests.support.processes.bridge_config import configure
from tests.support.processes.bridge_process import BridgeProcess
from tests.support.processes.home_assistant import PROBE, PYTHON, START_TIMEOUT_S

HOUSE = BuiltInHouse(seed=1)
MONITOR = "sense_mqtt_900101"
IGNORED = HOUSE.devices[0].id
IDS = (*(one.id for one in HOUSE.devices), "always_on", "unknown")
ALL = {MONITOR, "sense_mqtt_bridge_sense", *(f"{MONITOR}_{device}" for device in IDS)}

DEVICE, SINGLE, OFF = ({"home_assistant": {"discovery": mode}} for mode in ("device", "single", "off"))
ELSEWHERE = {"home_assistant": {"prefix": "elsewhere"}}
WITHOUT = {**DEVICE, "devices": {IGNORED: {"ignore": True}}}
CHANGES = (SINGLE, DEVICE, OFF, SINGLE, OFF, DEVICE, ELSEWHERE, SINGLE, ELSEWHERE, DEVICE, WITHOUT)

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(not PROBE.exists(), reason=f"{PROBE} is not here"),
    pytest.mark.skipif(not PYTHON.exists(), reason="HOME_ASSISTANT_VENV names no Home Assistant that was set up"),
]


class Stand:
    """A bridge between a broker and a cloud, to be started with one configuration after the other."""

    def __init__(self, folder: Path, port: int, cloud: SimulatedCloud, listener: Listener) -> None:
        self._folder, self._port, self._cloud, self._listener = folder, port, cloud, listener
        self.bridge = BridgeProcess(folder, configure(cloud, port))

    def start(self, change: dict[str, Any]) -> None:
        """Start the bridge, and return once Home Assistant was told all, and nothing else is left."""
        config = configure(self._cloud, self._port, state_dir=str(self._folder / "state"), **change)
        self.bridge.config_file.write_text(json.dumps(config))
        self.bridge.start()
        self._listener.wait_for(lambda _: self._is_told(change), f"all with {change}", timeout_s=120)

    def probe(self, seconds: int) -> subprocess.Popen[bytes]:
        """Start Home Assistant for so many seconds and return once it listens."""
        given = ["--port", self._port, "--seconds", seconds, "--config", self._folder / "ha", "--out", self.seen]
        births = len(self._births())
        started = subprocess.Popen([str(part) for part in (PYTHON, PROBE, *given)])
        self._listener.wait_for(lambda _: len(self._births()) > births, "Home Assistant's birth", START_TIMEOUT_S)
        return started

    @property
    def seen(self) -> Path:
        return self._folder / "seen.json"

    @property
    def registry(self) -> Path:
        return self._folder / "ha" / ".storage" / "core.entity_registry"

    def _births(self) -> list[Any]:
        return [said for said in self._listener.messages("homeassistant/status") if said.payload == "online"]

    def _is_told(self, change: dict[str, Any]) -> bool:
        told = {topic for topic, payload in self._listener.latest("/config").items() if payload}
        here = {topic for topic in told if topic.startswith("homeassistant/")}
        if change in (OFF, ELSEWHERE):
            return not here and bool(told) is (change == ELSEWHERE)
        expected = ALL - ({f"{MONITOR}_{IGNORED}"} if change == WITHOUT else set())
        in_mode = {topic for topic in told if topic.startswith("homeassistant/device/") is (change != SINGLE)}
        values = self._listener.latest(f"{IGNORED}/attributes").values()
        is_cleared = change != WITHOUT or not any(values)
        return told == in_mode == here and {topic.split("/")[2] for topic in here} == expected and is_cleared


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Home Assistant made of the bridge, started anew with one change after the other."""
    folder = tmp_path_factory.mktemp("moves")
    with (
        Mosquitto(folder) as broker,
        SimulatedCloud(HOUSE, speed=2) as cloud,
        Listener(broker.port) as listener,
        ExitStack() as ending,
    ):
        stand = Stand(folder, broker.port, cloud, listener)
        ending.push(stand.bridge)  # a process that is left would keep pytest from ending
        stand.start(DEVICE)
        stand.probe(12).wait(100)
        name_the_power(stand.registry)
        home_assistant = stand.probe(200)
        for number, change in enumerate(CHANGES):
            end = stand.bridge.kill if number % 2 else stand.bridge.stop
            end()
            stand.start(change)
        home_assistant.wait(300)
        stand.bridge.stop()
    return json.loads(stand.seen.read_text())


def name_the_power(registry: Path) -> None:
    """Give an entity a name, as a person would."""
    document = json.loads(registry.read_text())
    (power,) = [one for one in document["data"]["entities"] if one["unique_id"] == f"{MONITOR}_power"]
    power["name"] = "Mains"
    registry.write_text(json.dumps(document))


def ours(seen: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in seen["entities"] if one["platform"] == "mqtt"]


def test_home_assistant_has_nothing_to_complain_of(seen: dict[str, Any]) -> None:
    assert seen["log"] == []


def test_no_entity_is_left_without_one_who_reports_of_it(seen: dict[str, Any]) -> None:
    restored = {one["entity_id"] for one in seen["states"] if one["attributes"].get("restored")}
    assert ours(seen)
    assert restored == set()


def test_exactly_the_devices_that_are_reported_are_left_each_with_entities(seen: dict[str, Any]) -> None:
    told = {one["identifiers"][0][1]: one["id"] for one in seen["devices"] if one["identifiers"][0][0] == "mqtt"}
    assert set(told) == ALL - {f"{MONITOR}_{IGNORED}"}
    assert set(told.values()) == {one["device_id"] for one in ours(seen)}


def test_a_name_that_a_person_gave_stays(seen: dict[str, Any]) -> None:
    (power,) = [one for one in ours(seen) if one["unique_id"] == f"{MONITOR}_power"]
    assert power["name"] == "Mains"


def test_the_monitor_shows_its_firmware(seen: dict[str, Any]) -> None:
    (monitor,) = [one for one in seen["devices"] if one["identifiers"][0] == ["mqtt", MONITOR]]
    assert monitor["sw_version"] == "1.100.3-4a5ddd65-release"
