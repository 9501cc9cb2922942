"""Every key can come from the environment, and wins over the file."""

import pytest

from sense_mqtt.config.environment import variable
from sense_mqtt.config.keys import ANY, KEYS, siblings

SET = [
    pytest.param("SENSE_MQTT_MQTT__HOST", "broker", lambda c: c.mqtt.host, "broker", id="a key"),
    pytest.param("SENSE_MQTT_MQTT__TLS__ENABLED", "true", lambda c: c.mqtt.tls.enabled, True, id="two levels down"),
    pytest.param("SENSE_MQTT_LOG_LEVEL", "DEBUG", lambda c: c.log_level, "debug", id="the top level"),
    pytest.param("SENSE_MQTT_SENSE__MONITORS", "1, 2", lambda c: c.sense.monitors, (1, 2), id="a list with commas"),
    pytest.param("SENSE_MQTT_SENSE__MONITORS", "[1, 2]", lambda c: c.sense.monitors, (1, 2), id="a list as JSON"),
    pytest.param("SENSE_MQTT_MQTT", '{"port": 9}', lambda c: c.mqtt.port, 9, id="a section as JSON"),
    pytest.param(
        "SENSE_MQTT_DEVICES", '{"4xAN": {"name": "A"}}', lambda c: c.devices["4xAN"].name, "A", id="devices as JSON"
    ),
    pytest.param(
        "SENSE_MQTT_DEVICES__X4PTW8LC__NAME", "TV", lambda c: c.device_rules("X4pTw8Lc").name, "TV", id="base62"
    ),
    pytest.param(
        "SENSE_MQTT_DEVICES__1A2B__OFF_DELAY_S", "9", lambda c: c.devices["1a2b"].off_delay_s, 9, id="one device's key"
    ),
    pytest.param(
        "SENSE_MQTT_MQTT__PASSWORD",
        "{a",
        lambda c: c.mqtt.password.get_secret_value(),
        "{a",
        id="no JSON in a password",
    ),
    pytest.param("SENSE_MQTT_MQTT__HOST", "", lambda c: c.mqtt.host, "of-the-file", id="nothing, when empty"),
]


@pytest.mark.parametrize(("name", "value", "look", "expected"), SET)
def test_a_variable_sets(machine, name, value, look, expected):
    machine.write("config.yaml", "mqtt: {host: of-the-file, port: 1884}")
    machine.environ[name] = value
    assert look(machine.load()) == expected


def test_every_key_has_a_variable_that_leads_back_to_it(machine):
    """Also a check that `__` never occurs in a key."""
    for key in KEYS:
        assert "__" not in "".join(key)
        machine.environ = {variable(key).replace(ANY, "1A2B"): ""}
        machine.load()


WRONG = [
    pytest.param(
        "SENSE_MQTT_MQTT__PORT", "0", "SENSE_MQTT_MQTT__PORT: mqtt.port: must be at least 1, not 0", id="a wrong value"
    ),
    pytest.param(
        "SENSE_MQTT_MQTT__PROT",
        "1",
        "SENSE_MQTT_MQTT__PROT: is not a setting of sense-mqtt; did you mean SENSE_MQTT_MQTT__PORT?",
        id="a mistyped name",
    ),
    pytest.param(
        "SENSE_MQTT_MQTT_HOST",
        "h",
        "SENSE_MQTT_MQTT_HOST: is not a setting of sense-mqtt; did you mean SENSE_MQTT_MQTT__HOST?",
        id="one underscore too few",
    ),
    pytest.param(
        "SENSE_MQTT_XYZZYXYZZYXYZZY",
        "h",
        "SENSE_MQTT_XYZZYXYZZYXYZZY: is not a setting of sense-mqtt; "
        "remove it, or see config.example.yaml for the keys",
        id="a strange name",
    ),
    pytest.param(
        "SENSE_MQTT_DEVICES",
        "dryer",
        "SENSE_MQTT_DEVICES: devices: must hold keys of its own, one a line, further indented",
        id="no JSON",
    ),
    pytest.param(
        "SENSE_MQTT_MQTT",
        '{"port": 1, "port": 2}',
        "SENSE_MQTT_MQTT: port: is given twice, again in line 1, column 13; keep one",
        id="a key twice in JSON",
    ),
    pytest.param(
        "SENSE_MQTT_MQTT__PASSWORD_FILE",
        "nowhere",
        "SENSE_MQTT_MQTT__PASSWORD_FILE: mqtt.password_file: nowhere does not exist; create it, or correct the path",
        id="a missing secret file",
    ),
]


@pytest.mark.parametrize(("name", "value", "fault"), WRONG)
def test_a_fault_names_the_variable(machine, name, value, fault):
    machine.environ[name] = value
    assert machine.faults() == [fault]


def test_variables_of_others_do_not_concern_us(machine):
    machine.environ |= {"SENSE_MQTTX": "1", "MQTT_HOST": "h", "sense_mqtt_mqtt__host": "h"}
    assert machine.load().mqtt.host == "localhost"


def test_the_environment_fills_a_device_of_the_file(machine):
    machine.write("config.yaml", "devices: {1a2b: {name: Dryer, off_delay_s: 3}}")
    machine.environ["SENSE_MQTT_DEVICES__1A2B__OFF_DELAY_S"] = "9"
    assert (machine.load().devices["1a2b"].name, machine.load().devices["1a2b"].off_delay_s) == ("Dryer", 9)


def test_a_section_of_the_environment_cannot_hide_a_text_in_the_file(machine):
    machine.write("config.yaml", "mqtt: broker")
    machine.environ["SENSE_MQTT_MQTT__PORT"] = "1"
    assert machine.faults() == ["config.yaml: mqtt: must hold keys of its own, one a line, further indented"]


def test_siblings_of_a_device_key_are_its_rules():
    assert siblings(("devices", "1a2b", "x"))[0] == "name"
