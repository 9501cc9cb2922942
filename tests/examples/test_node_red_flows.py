"""The flows of the examples do in a real Node-RED what they say, once; restarts and copies are no reason.

With a real broker, the real bridge and the simulated cloud. Runs where Node-RED was installed:

    npm install --prefix DIR4 node-red@4 && npm install --prefix DIR5 node-red@5 node@22
    NODE_RED_4=DIR4 NODE_RED_5=DIR5 pytest tests/examples/test_node_red_flows.py
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.checkout import ROOT
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import Mosquitto
from tests.support.processes.example_home import DRYER, OFF, ON, SKY, WASHER, ExampleHome
from tests.support.processes.node_red import NodeRed, folder_of
from tests.support.simulator.hand_switched_house import HandSwitchedHouse

FLOWS = json.loads((ROOT / "examples/node-red/flows.json").read_text())
WAIT_S = 180.0
WHAT = ("all events", "dryer turned on", "dryer turned off", "lights", "laundry done", "answer", "error")
pytestmark = pytest.mark.timeout(900)
VERSIONS = [
    pytest.param(
        version,
        marks=pytest.mark.skipif(not folder_of(version).exists(), reason=f"NODE_RED_{version} names no Node-RED"),
    )
    for version in ("4", "5")
]


class NodeRedHome(ExampleHome):
    """The home with Node-RED."""

    def __init__(
        self, version: str, folder: Path, broker: Mosquitto, cloud: SimulatedCloud, listener: Listener
    ) -> None:
        super().__init__(folder, broker, listener, cloud)
        files = folder / "node_red"
        files.mkdir()
        self.node_red = NodeRed(folder_of(version), files, FLOWS, broker.port)

    def told(self, what: str) -> list[str]:
        """Return what came out of the flow's last node."""
        return [said.payload for said in self.heard(f"told/{what}")]

    def wait_told(self, what: str, number: int) -> None:
        self.listener.wait_for(lambda _: len(self.told(what)) >= number, f"{what} {number} times", WAIT_S)

    def start_node_red(self) -> None:
        """Return once Node-RED has subscribed."""
        births = len(self.told("birth"))
        self.node_red.start()
        self.wait_told("birth", births + 1)

    def settle(self) -> None:
        """Return once Node-RED has carried out all that came before: it answers a request that came after it."""
        answers = len(self.told("answer"))
        self.node_red.press("ask_button")
        self.wait_told("answer", answers + 1)


@dataclass(frozen=True)
class Record:
    """What came out of the flows in the first part, and after restarts and copies."""

    first: dict[str, list[str]]
    after: dict[str, list[str]]
    second_wash: dict[str, list[str]]
    refused: list[str]


@pytest.fixture(scope="module", params=VERSIONS)
def record(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Record]:
    folder = tmp_path_factory.mktemp("node_red")
    with (
        Mosquitto(folder) as broker,
        SimulatedCloud(HandSwitchedHouse(WASHER, DRYER)) as cloud,
        Listener(broker.port) as listener,
    ):
        home = NodeRedHome(request.param, folder, broker, cloud, listener)
        with home.bridge:
            listener.wait_for_payload("sense/bridge/state", "online")
            listener.wait_for_payload(f"sense/900101/device/{WASHER.id}/running", "OFF")
            try:
                home.start_node_red()
                yield Record(right_reasons(home), wrong_reasons(home), another_wash(home), refused_request(home))
            finally:
                home.node_red.stop()


def all_told(home: NodeRedHome) -> dict[str, list[str]]:
    home.settle()
    return {what: home.told(what) for what in WHAT}


def right_reasons(home: NodeRedHome) -> dict[str, list[str]]:
    for sky in ("clear", "overcast", "night", "overcast", "partly", "clear"):
        home.listener.publish(SKY, sky, retain=True)
    home.switch(DRYER, ON, 3000.0)
    home.switch(DRYER, OFF)
    home.wash()
    home.wait_told("laundry done", 2)
    return all_told(home)


def wrong_reasons(home: NodeRedHome) -> dict[str, list[str]]:
    """An event comes again, and is retained by somebody; Node-RED, the bridge and the broker come back."""
    event = home.finished_cycle()
    home.listener.publish(event.topic, event.payload)
    home.settle()
    home.listener.publish(event.topic, event.payload, retain=True)
    home.node_red.stop()
    home.start_node_red()
    home.bridge.kill()
    home.bridge.start()
    births = len(home.told("birth"))
    home.broker.kill()
    home.broker.start()
    home.wait_told("birth", births + 1)
    home.listener.publish(SKY, "clear", retain=True)
    return all_told(home)


def another_wash(home: NodeRedHome) -> dict[str, list[str]]:
    home.wash()
    home.wait_told("laundry done", 3)
    return all_told(home)


def refused_request(home: NodeRedHome) -> list[str]:
    home.cloud.faults.refuse(503, path="app/", times=20)
    home.node_red.press("ask_button")
    home.wait_told("error", 1)
    return home.told("error")


def test_all_events_are_told(record: Record) -> None:
    assert record.first["all events"][:2] == ["Dryer turned on, 3000 W", "Dryer turned off, 0 W"]
    assert record.first["all events"].count("Washer cycle finished") == 1


def test_one_device_is_found_by_its_name(record: Record) -> None:
    told = [json.loads(text) for text in (*record.first["dryer turned on"], *record.first["dryer turned off"])]
    assert [(one["name"], one["event_type"]) for one in told] == [("Dryer", "turned_on"), ("Dryer", "turned_off")]


def test_lights_follow_the_sky_where_it_changes(record: Record) -> None:
    assert record.first["lights"] == ["ON", "OFF"]


def test_laundry_is_told_at_its_end(record: Record) -> None:
    assert record.first["laundry done"] == ["Dryer is done after 0 minutes", "Washer is done after 0 minutes"]


def test_a_request_has_its_answer(record: Record) -> None:
    answer = json.loads(record.first["answer"][-1])
    assert answer["scale"] == "DAY"
    assert record.first["error"] == []


@pytest.mark.parametrize("what", ["lights", "laundry done", "dryer turned on"])
def test_restarts_and_copies_are_no_reason(record: Record, what: str) -> None:
    assert record.after[what] == record.first[what]


def test_what_happens_after_restarts_is_told(record: Record) -> None:
    assert record.second_wash["laundry done"][2:] == ["Washer is done after 0 minutes"]


def test_a_request_that_fails_says_why(record: Record) -> None:
    assert len(record.refused) == 1
    assert "503" in record.refused[0]
