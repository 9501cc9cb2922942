"""What a person has built on our device triggers in a real Home Assistant, through all that goes and comes back.

Every restart, outage, pause, change of discovery and removal: no automation runs for it, the next event sets each off
once, no entity is there twice or left behind, nothing is complained of. Takes some five minutes, so it runs where a
Home Assistant was set up (test_home_assistant.py says how).
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import Mosquitto
from tests.support.processes.automated_home import (
    BRIDGE_NODE,
    DRYER_NODE,
    IRON_NODE,
    NODE,
    WASHER_NODE,
    WITHOUT_DRYER,
    Life,
    Seen,
    ask_energy_dashboard,
    is_told,
    ran,
)
from tests.support.processes.bridge_config import configure
from tests.support.processes.example_home import BRIDGE, DRYER, IRON, OFF, ON, WASHER
from tests.support.processes.home_assistant import PYTHON
from tests.support.simulator.hand_switched_house import HandSwitchedHouse

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(not PYTHON.exists(), reason="HOME_ASSISTANT_VENV names no Home Assistant that was set up"),
]

USED = {
    "iron on": (IRON_NODE, "turned on", "device"),
    "iron off": (IRON_NODE, "turned off", "device"),
    "laundry": (WASHER_NODE, "finished a cycle", "device"),
    "offline": (NODE, "went offline", "monitor"),
}
BROKER_WENT = "WARNING homeassistant.components.mqtt.client Error returned from MQTT server: The connection was lost."
IRONED = ["iron on", "iron off"]
CHANGES: dict[str, dict[str, Any]] = {
    "single": {"home_assistant": {"discovery": "single"}},
    "device": {},
    "elsewhere": {"home_assistant": {"prefix": "elsewhere"}},
    "back": {},
    "without the dryer": WITHOUT_DRYER,
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    folder = tmp_path_factory.mktemp("life")
    with (
        Mosquitto(folder) as broker,
        SimulatedCloud(HandSwitchedHouse(WASHER, DRYER, IRON, solar_w=60.0)) as cloud,
        Listener(broker.port) as listener,
    ):
        life = Life(folder, broker, listener, cloud)
        with life.bridge, life.home_assistant:
            build_automations(life)
            go_and_come_back(life)
            change_discovery(life)
            lose_sense(life)
            look(life)
        life.seen.complaints = life.home_assistant.complaints
    return life.seen


def build_automations(life: Life) -> None:
    """Make automations as the editor does, from the triggers that it offers."""
    life.wait_for_entities()
    with life.api() as api:
        life.seen.devices = api.ask("config/device_registry/list")
        ids = {device["identifiers"][0][1]: device["id"] for device in life.seen.devices if device["identifiers"]}
        offered = {node: api.ask("device_automation/trigger/list", device_id=ids[node]) for node in ids}
        for node, triggers in offered.items():
            ours = [(each["type"], each["subtype"]) for each in triggers if each["domain"] == "mqtt"]
            life.seen.triggers[node] = ours
        for name, (node, kind, subtype) in USED.items():
            (trigger,) = [each for each in offered[node] if (each["type"], each.get("subtype")) == (kind, subtype)]
            trigger = {"trigger": "device", **{key: trigger[key] for key in trigger if key != "platform"}}
            automation = {"alias": name, "triggers": [trigger], "actions": [ran(name)], "mode": "queued"}
            api.save_automation(name.replace(" ", "_"), automation)
    life.wash()
    life.listener.wait_for(lambda _: "ran/laundry" in life.listener.latest("ran/laundry"), "the laundry")
    life.house.solar_w = 900.0
    life.note("laundry")


def go_and_come_back(life: Life) -> None:
    """Each part goes and comes back, the broker with an empty store."""
    life.home_assistant.stop()
    life.home_assistant.start()
    life.wait_for_entities()
    life.note("home assistant restarted")
    start_bridge_again(life, "bridge stopped", life.bridge.stop)
    with life.api() as api:
        api.call("switch.turn_on", entity_id="switch.sense_bridge_pause")
        api.wait_for_state("sensor.sense_bridge_feed", "paused")
        api.call("switch.turn_off", entity_id="switch.sense_bridge_pause")
        api.wait_for_state("sensor.sense_bridge_feed", "stream")
        api.call("select.select_option", entity_id="select.sense_bridge_log_level", option="warning")
        api.wait_for_state("select.sense_bridge_log_level", "warning")
    for state, watts in ((ON, 3000.0), (OFF, 0.0)):  # frames come again: what is switched now is no part of the pause
        life.switch(DRYER, state, watts)
    life.note("paused")
    ask_energy_dashboard(life)
    births = life.home_assistant.births
    life.broker.kill()
    life.broker.start()
    life.home_assistant.wait_for_birth(births)
    life.note("broker forgot everything")
    start_bridge_again(life, "bridge killed", life.bridge.kill)


def start_bridge_again(life: Life, phase: str, end: Callable[[], int]) -> None:
    end()
    with life.api() as api:
        api.wait_for_state("binary_sensor.iron", "unavailable")
    life.bridge.start()
    life.note(phase)


def change_discovery(life: Life) -> None:
    """Tell the same in other ways and elsewhere, and one device no more."""
    for phase, change in CHANGES.items():
        life.bridge.stop()
        config = configure(life.cloud, life.broker.port, **{**BRIDGE, **change})
        config["state_dir"] = str(life.bridge.config_file.parent / "state")
        life.bridge.config_file.write_text(json.dumps(config))
        life.bridge.start()
        life.listener.wait_for(lambda _, change=change: is_told(life, change), f"discovery {phase}", 90.0)
        life.listener.wait_for_payload("sense/900101/availability", "online", timeout_s=90)
        if phase != "elsewhere":  # Home Assistant does not listen there
            life.note(phase)


def lose_sense(life: Life) -> None:
    """Sense cannot be reached until the monitor is offline. Last, as frames are polled for a while after it."""
    life.cloud.stop()
    life.listener.wait_for_payload("sense/900101/availability", "offline", timeout_s=120)
    life.cloud.start()
    life.listener.wait_for_payload("sense/900101/availability", "online", timeout_s=240)
    life.note_what_ran("outage")


def look(life: Life) -> None:
    """Note what is left."""
    with life.api() as api:
        life.seen.entities = api.ask("config/entity_registry/list")
        life.seen.devices = api.ask("config/device_registry/list")
        life.seen.states = api.states()
        life.seen.logbook = api.ask("logbook/get_events", start_time="2026-01-01T00:00:00Z")


# --- the claims


@pytest.mark.parametrize(
    ("node", "types"),
    [
        (IRON_NODE, ["turned on", "turned off"]),
        (WASHER_NODE, ["turned on", "turned off", "finished a cycle"]),
        (DRYER_NODE, ["turned on", "turned off", "finished a cycle"]),
        (NODE, ["found a device", "went offline", "came online"]),
        (f"{NODE}_always_on", []),
        (BRIDGE_NODE, []),
    ],
)
def test_the_automation_editor_offers_the_triggers_of_each_device(seen: Seen, node: str, types: list[str]) -> None:
    assert [kind for kind, _ in seen.triggers[node]] == types


def test_the_end_of_the_laundry_is_told_once(seen: Seen) -> None:
    assert seen.ran["laundry"] == ["laundry"]


@pytest.mark.parametrize(
    "phase",
    [
        "home assistant restarted",
        "bridge killed",
        "bridge stopped",
        "broker forgot everything",
        "paused",
        "single",
        "device",
        "back",
        "without the dryer",
    ],
)
def test_nothing_runs_because_something_came_back_and_the_next_event_runs_once(seen: Seen, phase: str) -> None:
    # After a crash the events of the last second may come once more: that the broker has them was not stored yet.
    copies = ([], IRONED[1:], IRONED) if phase == "bridge killed" else ([],)
    expected = [found for copied in copies for found in (([], [*copied, *IRONED]), (copied, IRONED))]
    assert (seen.ran[phase], seen.ran_after[phase]) in expected


def test_an_outage_of_sense_sets_off_what_waits_for_it_and_nothing_else(seen: Seen) -> None:
    assert seen.ran["outage"] == ["offline"]


def test_no_entity_is_there_twice_or_left_behind(seen: Seen) -> None:
    ours = [each for each in seen.entities if each["platform"] == "mqtt"]
    assert ours
    assert [each["entity_id"] for each in ours if each["entity_id"].endswith("_2")] == []
    assert [name for name, each in seen.states.items() if each["attributes"].get("restored")] == []


def test_only_the_device_that_is_ignored_is_gone(seen: Seen) -> None:
    nodes = {pair[1] for device in seen.devices for pair in device["identifiers"] if pair[0] == "mqtt"}
    others = {f"{NODE}_always_on", f"{NODE}_unknown"}
    assert nodes == {NODE, IRON_NODE, WASHER_NODE, BRIDGE_NODE, *others}


@pytest.mark.parametrize(
    ("entity", "icon"), [("binary_sensor.iron", "mdi:iron"), ("sensor.washer_power", "mdi:washing-machine")]
)
def test_an_appliance_has_the_icon_of_its_type(seen: Seen, entity: str, icon: str) -> None:
    assert seen.states[entity]["attributes"]["icon"] == icon


def test_the_device_of_the_bridge_tells_how_it_is(seen: Seen) -> None:
    assert seen.states["sensor.sense_bridge_login_state"]["state"] == "ok"
    assert float(seen.states["sensor.sense_bridge_calls_to_sense_last_hour"]["state"]) > 0
    assert float(seen.states["sensor.sense_bridge_broker_connections"]["state"]) == 1


def test_the_logbook_has_each_switching_as_a_state_of_on_and_off(seen: Seen) -> None:
    iron = [each for each in seen.logbook if each.get("entity_id") == "binary_sensor.iron"]
    assert {each["state"] for each in iron} >= {"on", "off"}
    assert "device_class" not in seen.states["binary_sensor.iron"]["attributes"]  # it would say "detected power"


@pytest.mark.parametrize("home", ["with solar", "without solar"])
def test_the_energy_dashboard_has_no_objection_to_the_meters(seen: Seen, home: str) -> None:
    found = seen.energy[home]
    assert [issue for issues in found["energy_sources"] + found["device_consumption"] for issue in issues] == []


def test_home_assistant_complains_of_nothing_but_the_broker_that_went(seen: Seen) -> None:
    assert set(seen.complaints) == {BROKER_WENT}
