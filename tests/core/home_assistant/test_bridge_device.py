"""The device of the bridge itself in Home Assistant."""

import pytest
from msgspec.structs import replace

from sense_mqtt.core.commands.parse import parse
from sense_mqtt.core.commands.responses import Command
from sense_mqtt.core.home_assistant.discovery import announce_bridge
from sense_mqtt.core.home_assistant.messages import DiscoveryOptions
from sense_mqtt.core.publishing.topics import Topics

STYLE = DiscoveryOptions("0.1.0", Topics())


def described(**more):
    (message,) = announce_bridge(STYLE, **more)
    return message.payload


def test_it_is_there_as_long_as_the_bridge_is_and_hangs_on_no_monitor():
    assert described()["availability"] == [{"topic": "sense/bridge/state"}]
    assert described()["device"] == {
        "identifiers": ["sense_mqtt_bridge_sense"],
        "name": "Sense bridge",
        "manufacturer": "sense-mqtt",
        "model": "Bridge",
        "sw_version": "0.1.0",
    }


def test_the_log_level_is_chosen_from_those_of_the_command():
    assert described()["components"]["log_level"] == {
        "platform": "select",
        "name": "Log level",
        "unique_id": "sense_mqtt_bridge_sense_log_level",
        "default_entity_id": "select.sense_bridge_log_level",
        "icon": "mdi:math-log",
        "entity_category": "config",
        "state_topic": "sense/bridge/health",
        "options": ["debug", "info", "warning", "error"],
        "value_template": "{{ value_json.log_level | default(none) }}",
        "command_topic": "sense/bridge/request/log_level",
        "command_template": '{"level": "{{ value }}"}',
    }


def test_restart_is_disabled_at_first():
    restart = described()["components"]["restart"]
    assert (restart["enabled_by_default"], restart["device_class"]) == (False, "restart")


def commands():
    for component in described()["components"].values():
        for key in ("payload_press", "payload_on", "payload_off", "command_template"):
            if "command_topic" in component and key in component:
                yield component["command_topic"].rpartition("/")[2], component[key].replace("{{ value }}", "debug")


@pytest.mark.parametrize(("name", "payload"), list(commands()))
def test_what_it_sends_is_a_command_that_the_bridge_takes_for_all_monitors(name, payload):
    command = parse(name, payload.encode(), retain=False, response_topic=None, correlation=None)
    assert isinstance(command, Command)
    assert command.monitor is None


def test_with_several_monitors_each_has_a_button_to_refresh_and_the_bridge_has_none():
    assert described(monitors=2)["components"]["refresh"] == {"platform": "button"}  # Home Assistant removes it
    single = announce_bridge(replace(STYLE, mode="single"), monitors=2)
    assert not [message.topic for message in single if message.topic.endswith("/refresh/config")]


@pytest.mark.parametrize(
    ("topics", "node", "name"),
    [
        (Topics(base="home/power"), "sense_mqtt_bridge_home_power", "Sense bridge home/power"),
        (Topics(bridge_level="bridge-2"), "sense_mqtt_bridge_sense-2", "Sense bridge 2"),
    ],
)
def test_several_bridges_on_one_broker_have_names_and_ids_of_their_own(topics, node, name):
    (message,) = announce_bridge(replace(STYLE, topics=topics))
    assert (message.payload["device"]["identifiers"], message.payload["device"]["name"]) == ([node], name)
    assert message.topic == f"homeassistant/device/{node}/config"
