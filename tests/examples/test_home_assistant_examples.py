"""Each blueprint does its work for the right reason, once; restarts, outages and copies are none. And the dashboard.

A real Home Assistant, a real broker, the real bridge and the simulated cloud. Takes some four minutes, so it runs
where a Home Assistant was set up: HOME_ASSISTANT_VENV (tests/end_to_end/test_home_assistant.py says how).
"""

import json
import re
from dataclasses import dataclass, field
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import Mosquitto
from tests.support.processes.example_home import DRYER, IRON, OFF, ON, SKY, TOASTER, WASHER
from tests.support.processes.home_assistant import PYTHON
from tests.support.processes.home_assistant_home import DASHBOARD, LAMP, HomeAssistantHome, cards, state_topic
from tests.support.simulator.hand_switched_house import HandSwitchedHouse

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(not PYTHON.exists(), reason="HOME_ASSISTANT_VENV names no Home Assistant that was set up"),
]
OURS = ("automation", "blueprint", "template", "script", "discovery", "sense")  # what a complaint of ours would name


@dataclass
class Record:
    """What the blueprints did in each phase."""

    done: dict[str, list[str]] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)  # topics of states
    bubbles: str = ""

    def note(self, phase: str, home: HomeAssistantHome) -> None:
        home.settle()
        before = sum(map(len, self.done.values()))
        self.done[phase] = home.told()[before:]


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    folder = tmp_path_factory.mktemp("blueprints")
    kept = Record()
    with (
        Mosquitto(folder) as broker,
        SimulatedCloud(HandSwitchedHouse(WASHER, DRYER, IRON)) as cloud,
        Listener(broker.port) as listener,
    ):
        home = HomeAssistantHome(folder, broker, listener, cloud)
        with home.bridge, home.home_assistant:
            begin(home, kept)
            right_reasons(home, kept)
            restart_home_assistant(home, kept)
            kept.bubbles = home.draw()
            restart_bridge_and_broker(home, kept)
            once_more(home, kept)
            nothing_known(home)
        kept.shown = {said.topic for said in listener.messages("/state")}
        kept.complaints = [said for said in home.home_assistant.complaints if any(part in said for part in OURS)]
    return kept


def begin(home: HomeAssistantHome, kept: Record) -> None:
    """Everything is there and nothing has happened."""
    home.listener.publish("homeassistant/light/lamp/config", json.dumps(LAMP), retain=True)
    home.listener.publish(SKY, "clear", retain=True)
    for entity, state in (("binary_sensor.washer_running", "off"), ("binary_sensor.iron", "off")):
        home.wait_state(entity, state)
    home.wait_state("sensor.sense_sky", "clear")
    kept.note("start", home)


def right_reasons(home: HomeAssistantHome, kept: Record) -> None:
    """What each blueprint is made for, but for the iron, which has not been on for long enough."""
    home.switch(DRYER, ON, 3000.0)
    home.switch(DRYER, OFF)
    home.wash()
    home.wait_told("laundry: Washer True")
    kept.note("laundry", home)
    home.house.devices = (*home.house.devices, TOASTER)
    home.cloud.announce_devices()
    home.wait_told("found: Toaster d4d4d4d4")
    kept.note("found", home)
    home.house.solar_w = 3000.0
    home.wait_told("heater: on")
    kept.note("surplus", home)
    home.listener.publish(SKY, "overcast", retain=True)
    home.wait_told("lamp: ON")
    kept.note("sky", home)


def restart_home_assistant(home: HomeAssistantHome, kept: Record) -> None:
    """Home Assistant goes and comes back, and finds a copy of an event that somebody retained."""
    event = home.finished_cycle()
    home.listener.publish(event.topic, event.payload, retain=True)
    home.switch(IRON, ON, 1200.0)
    home.wait_state("binary_sensor.iron", "on")
    home.home_assistant.stop()
    shown = len(home.listener.messages(state_topic("binary_sensor.iron")))
    home.home_assistant.start()
    home.wait_state("binary_sensor.iron", "on", since=shown)
    home.wait_state("sensor.sense_sky", "overcast")
    home.wait_told("iron: Iron True")
    kept.note("home assistant restarted", home)


def restart_bridge_and_broker(home: HomeAssistantHome, kept: Record) -> None:
    """The bridge is killed and comes back, then the broker, which forgets everything; the sky changes meanwhile."""
    event = home.finished_cycle()
    home.bridge.kill()
    home.wait_state("binary_sensor.iron", "unavailable")
    home.bridge.start()
    home.wait_state("binary_sensor.iron", "on")
    home.listener.publish(event.topic, event.payload)  # as after a crash, which may send an event twice
    kept.note("bridge restarted", home)
    births = home.home_assistant.births
    home.broker.kill()
    home.broker.start()
    home.home_assistant.wait_for_birth(births)
    home.listener.publish("homeassistant/light/lamp/config", json.dumps(LAMP), retain=True)
    home.wait_state("binary_sensor.iron", "on")
    kept.note("broker restarted", home)
    home.listener.publish(SKY, "clear", retain=True)
    home.wait_told("lamp: OFF")
    kept.note("sky after the outage", home)


def once_more(home: HomeAssistantHome, kept: Record) -> None:
    """The same reasons once more are told once more."""
    home.switch(IRON, OFF)
    home.switch(IRON, ON, 1200.0)
    home.house.solar_w = 0.0
    home.wash()
    home.wait_told("laundry: Washer True", 2)
    home.wait_told("heater: off")
    home.wait_told("iron: Iron True", 2)
    kept.note("once more", home)


def nothing_known(home: HomeAssistantHome) -> None:
    """The sun shines, then the bridge is gone for longer than the patience of the pump."""
    home.house.solar_w = 3000.0
    home.wait_state("input_boolean.pump", "on")
    home.bridge.kill()
    home.wait_state("input_boolean.pump", "off")
    assert home.told().count("heater: off") == 1  # which is more patient


def test_nothing_happens_at_the_start(record: Record) -> None:
    assert record.done["start"] == []


def test_laundry_is_told_once_at_its_end_and_not_in_its_pause_nor_for_another_appliance(record: Record) -> None:
    assert record.done["laundry"] == ["laundry: Washer True"]


def test_a_device_that_was_found_is_told(record: Record) -> None:
    assert record.done["found"] == ["found: Toaster d4d4d4d4"]


def test_something_runs_on_surplus(record: Record) -> None:
    assert record.done["surplus"] == ["heater: on"]


def test_lights_go_on_when_it_is_overcast(record: Record) -> None:
    assert record.done["sky"] == ["lamp: ON"]


def test_after_a_restart_of_home_assistant_only_what_was_left_on_is_told_and_once(record: Record) -> None:
    assert record.done["home assistant restarted"] == ["iron: Iron True"]


@pytest.mark.parametrize("phase", ["bridge restarted", "broker restarted"])
def test_an_outage_and_a_copy_tell_nothing(record: Record, phase: str) -> None:
    assert record.done[phase] == []


def test_lights_go_off_when_it_clears_up(record: Record) -> None:
    assert record.done["sky after the outage"] == ["lamp: OFF"]


def test_the_same_reasons_are_told_once_more(record: Record) -> None:
    assert sorted(record.done["once more"]) == ["heater: off", "iron: Iron True", "laundry: Washer True"]


def test_each_entity_of_the_dashboard_is_there(record: Record) -> None:
    named = {card["entity"] for card in cards(DASHBOARD) if "entity" in card}
    assert len(named) > 10
    assert {entity for entity in named if state_topic(entity) not in record.shown} == set()


def test_a_bubble_has_the_area_of_its_watts(record: Record) -> None:
    (picture,) = re.findall(r'src="data:image/svg\+xml,([^"]+)"', record.bubbles)
    drawn = ElementTree.fromstring(unquote(picture))  # noqa: S314 - made by the dashboard
    radii = [float(circle.attrib["r"]) for circle in drawn if circle.tag.endswith("circle")]
    iron, always_on, other = radii
    assert iron**2 / always_on**2 == pytest.approx(1200 / 100, rel=0.02)
    assert iron**2 / other**2 == pytest.approx(1200 / 50, rel=0.02)
    assert "Iron" in unquote(picture)


def test_home_assistant_has_nothing_to_complain_of(record: Record) -> None:
    assert record.complaints == []
