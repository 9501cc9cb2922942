"""How one row of the table is described to Home Assistant."""

import json
from typing import Any

import pytest

from sense_mqtt.core.entity import Entity
from sense_mqtt.core.home_assistant.components import EntityTopics, describe_component, first_entity_id
from sense_mqtt.core.readings.bridge_entities import BRIDGE, BRIDGE_DEVICE
from sense_mqtt.core.readings.entities import DEVICE, MONITOR

ROWS = {
    "monitor": {row.key: row for row in (*MONITOR, *BRIDGE)},
    "device": {row.key: row for row in DEVICE},
    "bridge": {row.key: row for row in BRIDGE_DEVICE},
    "plug": {row.key: row for row in DEVICE},
}


def describe(row: Entity, attributes_topic: str | None = None) -> dict[str, Any]:
    entity = EntityTopics(row, "the/topic", attributes_topic)
    return describe_component(entity, node="sense_mqtt_1_a", name="Dryer", monitor=123456)


def test_state_of_a_device_is_its_main_feature() -> None:
    assert describe(ROWS["device"]["state"], "the/attributes") == {
        "name": None,
        "unique_id": "sense_mqtt_1_a_state",
        "default_entity_id": "binary_sensor.dryer",
        "state_topic": "the/topic",
        "payload_on": "ON",
        "payload_off": "OFF",
        "json_attributes_topic": "the/attributes",
        "json_attributes_template": (
            "{{ dict(value_json | default({}), attribution='Data provided by Sense') | tojson }}"
        ),
    }


def test_power_is_a_measurement_shown_in_whole_watts() -> None:
    assert describe(ROWS["device"]["power"]) == {
        "name": "Power",
        "unique_id": "sense_mqtt_1_a_power",
        "default_entity_id": "sensor.dryer_power",
        "device_class": "power",
        "state_topic": "the/topic",
        "unit_of_measurement": "W",
        "state_class": "measurement",
        "suggested_display_precision": 0,
    }


def test_energy_is_a_total_that_begins_anew_with_its_period() -> None:
    assert describe(ROWS["monitor"]["to_grid_week"]) == {
        "name": "Energy to grid this week",
        "unique_id": "sense_mqtt_1_a_to_grid_week",
        "default_entity_id": "sensor.dryer_energy_to_grid_this_week",
        "device_class": "energy",
        "enabled_by_default": False,
        "state_topic": "the/topic",
        "unit_of_measurement": "kWh",
        "state_class": "total",
        "suggested_display_precision": 2,
        "value_template": "{{ value_json.to_grid_kwh | default(none) }}",
        "last_reset_value_template": "{{ value_json.start | default('', true) }}",
    }


def test_connectivity_takes_the_words_of_availability() -> None:
    assert describe(ROWS["monitor"]["connectivity"]) == {
        "name": "Connectivity",
        "unique_id": "sense_mqtt_1_a_connectivity",
        "default_entity_id": "binary_sensor.dryer_connectivity",
        "device_class": "connectivity",
        "entity_category": "diagnostic",
        "state_topic": "the/topic",
        "payload_on": "online",
        "payload_off": "offline",
    }


def test_login_is_a_problem_when_a_person_is_needed() -> None:
    described = describe(ROWS["monitor"]["login"])
    assert described["device_class"] == "problem"
    assert described["value_template"] == (
        "{{ ('ON' if value_json.auth == 'auth_required' else 'OFF') if value_json.auth is defined else none }}"
    )


def test_feed_is_one_of_its_words() -> None:
    described = describe(ROWS["monitor"]["feed"])
    assert described["device_class"] == "enum"
    assert described["options"] == ["stream", "poll", "snapshot", "paused", "offline"]
    assert described["value_template"] == "{{ value_json.feeds['123456'] | default(none) }}"


@pytest.mark.parametrize(
    ("subject", "event_types"),
    [
        ("device", ["turned_on", "turned_off", "idle", "cycle_finished"]),
        (
            "monitor",
            ["device_found", "device_renamed", "device_merged", "device_removed", "monitor_online", "monitor_offline"],
        ),
    ],
)
def test_event_entity_knows_every_type_that_may_come(subject: str, event_types: list[str]) -> None:
    described = describe(ROWS[subject]["event"])
    assert described["event_types"] == event_types
    assert described["state_topic"] == "the/topic"


def test_button_asks_for_its_own_monitor() -> None:
    described = describe(ROWS["monitor"]["refresh"])
    assert described["command_topic"] == "the/topic"
    assert json.loads(described["payload_press"]) == {"monitor": 123456}
    assert "state_topic" not in described


@pytest.mark.parametrize(
    ("name", "entity_id"),
    [
        ("Dryer", "sensor.dryer_power"),
        ("  Büro -- Lampe 2 ", "sensor.buro_lampe_2_power"),
        ("Bob's lamp", "sensor.bob_s_lamp_power"),
        ("冰箱", None),  # Home Assistant knows how to write it in Latin letters
        ("!!!", "sensor.power"),
    ],
)
def test_first_entity_id_is_made_of_the_names(name: str, entity_id: str | None) -> None:
    assert first_entity_id(ROWS["device"]["power"], name) == entity_id


def test_no_entity_id_is_made_of_no_letters() -> None:
    assert first_entity_id(ROWS["device"]["state"], "!!!") is None
    assert "default_entity_id" not in describe_component(
        EntityTopics(ROWS["device"]["state"], "the/topic"), node="n", name="!!!", monitor=1
    )


def test_the_pause_switch_shows_the_feed_of_its_own_monitor_and_asks_for_a_pause_or_its_end() -> None:
    row = {row.key: row for row in BRIDGE}["pause"]
    entity = EntityTopics(row, "sense/bridge/health", command_topic="sense/bridge/request/pause")
    described = describe_component(entity, node="sense_mqtt_7", name="Sense", monitor=7)
    assert described["command_topic"] == "sense/bridge/request/pause"
    assert (described["payload_on"], described["payload_off"]) == ('{"monitor": 7}', '{"monitor": 7, "minutes": 0}')
    assert described["value_template"] == (
        "{{ ('ON' if value_json.feeds['7'] == 'paused' else 'OFF') if value_json.feeds['7'] is defined else none }}"
    )
