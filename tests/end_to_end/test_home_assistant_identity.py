"""A real Home Assistant while Sense renames, merges, splits and re-adds devices: no entity twice, history goes on.

Runs where test_home_assistant.py runs, with the bridge as people run it beside the simulated cloud; takes two minutes.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sense_mqtt.simulator.house.model import Device, HousePower, ListedDevice, SwitchSchedule, TrueTransition
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import Mosquitto
from tests.support.processes.bridge_config import configure
from tests.support.processes.bridge_process import BridgeProcess
from tests.support.processes.home_assistant import PROBE, PYTHON

NODE = "sense_mqtt_900101"
BEGINS = 1_781_582_400.0
FAN, PUMP = Device("aaaa1111", "Fan", motor=True), Device("bbbb2222", "Pump", motor=True)
PARENT = Device("Parent01", "Air conditioner", merged=("aaaa1111", "bbbb2222"))
LAMP, RENAMED = Device("cccc3333", "Lamp"), Device("cccc3333", "Floor lamp")
PLUG, AGAIN = Device("ssi-12", "TV", plug=True, duid="TV"), Device("4xANDCuJ", "TV", plug=True, duid="TV")
DEVICES = ("aaaa1111", "bbbb2222", "cccc3333", "ssi-12")
KNOWN = {NODE, "sense_mqtt_bridge_sense", *(f"{NODE}_{device}" for device in (*DEVICES, "always_on", "unknown"))}

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.skipif(not PROBE.exists(), reason=f"{PROBE} is not here"),
    pytest.mark.skipif(not PYTHON.exists(), reason="HOME_ASSISTANT_VENV names no Home Assistant that was set up"),
]


class ChangingHouse:
    """A house in which all that Sense lists is on for ever, and `devices` changes as a test says."""

    def __init__(self, *devices: Device) -> None:
        self.devices = devices
        self.since = self.begins = BEGINS
        self.ends = float("inf")
        self.switch_schedule = SwitchSchedule(BEGINS, 3600.0, lambda _start, _end: ())

    def power_at(self, _at: float) -> HousePower:
        return HousePower(tuple(ListedDevice(device, 100.0) for device in self.devices), 200.0, 50.0)

    def transitions(self, _since: float, _until: float) -> list[TrueTransition]:
        return []


class Stand:
    """A bridge between a broker and a cloud, and a Home Assistant that watches."""

    def __init__(self, listener: Listener, house: ChangingHouse) -> None:
        self._listener, self._house = listener, house

    def change(self, *devices: Device, told: tuple[str, ...]) -> None:
        """Let Sense show these devices, and return once that was published."""
        before = len(self._told())
        self._house.devices = devices
        assert self._listener.ask("refresh")["status"] == "ok"
        self._listener.wait_for(lambda _: len(self._told()) >= before + len(told), f"{told}")
        assert sorted(self._told()[before:]) == sorted(told)

    def _told(self) -> list[str]:
        return [heard.document["event_type"] for heard in self._listener.messages("900101/event")]

    def wait_until_all_are_on(self) -> None:
        for device in DEVICES:
            self._listener.wait_for_payload(f"sense/900101/device/{device}/state", "ON", timeout_s=60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("identity")


@pytest.fixture(scope="module")
def listener(folder: Path) -> Any:
    """What was heard of a bridge while Sense changed its devices; Home Assistant's view is in `seen.json`."""
    house = ChangingHouse(FAN, PUMP, LAMP, PLUG, PARENT, AGAIN)
    with Mosquitto(folder) as broker, SimulatedCloud(house) as cloud, Listener(broker.port) as heard:
        house.devices = (FAN, PUMP, LAMP, PLUG)
        stand = Stand(heard, house)
        with BridgeProcess(folder, configure(cloud, broker.port, state_dir=str(folder / "state"))):
            stand.wait_until_all_are_on()
            given = ["--port", broker.port, "--seconds", 60, "--out", folder / "seen.json"]
            home_assistant = subprocess.Popen([str(part) for part in (PYTHON, PROBE, *given)])
            heard.wait_for_payload("homeassistant/status", "online", timeout_s=100)
            stand.change(FAN, PUMP, RENAMED, PLUG, told=("device_renamed",))
            stand.change(FAN, PUMP, RENAMED, AGAIN, told=())
            stand.change(PARENT, RENAMED, AGAIN, told=("device_merged", "device_merged", "device_renamed"))
            heard.wait_for_payload("sense/900101/device/bbbb2222/state", "", timeout_s=30)
            stand.change(FAN, PUMP, RENAMED, AGAIN, told=("device_found", "device_renamed"))
            heard.wait_for_payload("sense/900101/device/bbbb2222/state", "ON", timeout_s=30)
            assert home_assistant.wait(120) == 0
        yield heard


@pytest.fixture(scope="module")
def seen(listener: Listener, folder: Path) -> dict[str, Any]:  # noqa: ARG001 - it writes the file
    return json.loads((folder / "seen.json").read_text())


def ours(seen: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in seen["entities"] if one["platform"] == "mqtt"]


def states_of(seen: dict[str, Any], entity: str) -> list[str]:
    """Return the states that an entity had one after the other, from its first known one."""
    states = [change["state"] for change in seen["trace"] if change["entity"] == entity]
    return states[states.index("on") :]


def test_home_assistant_has_nothing_to_complain_of(seen: dict[str, Any]) -> None:
    assert seen["log"] == []


def test_no_device_and_no_entity_is_there_twice(seen: dict[str, Any]) -> None:
    nodes = [identifier[1] for one in seen["devices"] for identifier in one["identifiers"] if identifier[0] == "mqtt"]
    assert sorted(nodes) == sorted(KNOWN)
    assert [one["entity_id"] for one in ours(seen) if one["entity_id"].endswith("_2")] == []
    assert len({one["unique_id"] for one in ours(seen)}) == len(ours(seen))


@pytest.mark.parametrize("entity", ["binary_sensor.fan", "binary_sensor.lamp", "binary_sensor.tv"])
def test_the_history_of_a_device_that_goes_on_has_no_gap(seen: dict[str, Any], entity: str) -> None:
    assert set(states_of(seen, entity)) == {"on"}


def test_a_device_that_was_merged_and_split_has_its_entities_again(seen: dict[str, Any]) -> None:
    assert states_of(seen, "binary_sensor.pump")[-1] == "on"


def test_a_renamed_device_has_its_new_name_and_its_old_entities(seen: dict[str, Any]) -> None:
    names = {one["identifiers"][0][1]: one["name"] for one in seen["devices"]}
    assert names[f"{NODE}_cccc3333"] == "Floor lamp"
    assert names[f"{NODE}_aaaa1111"] == "Fan"
    assert names[f"{NODE}_ssi-12"] == "TV"


def test_no_transition_was_published_that_did_not_happen(listener: Listener) -> None:
    assert listener.events() == []


def test_no_topic_of_another_id_was_ever_published(listener: Listener) -> None:
    assert [
        heard.topic for heard in listener.messages() if "Parent01" in heard.topic or "4xANDCuJ" in heard.topic
    ] == []
