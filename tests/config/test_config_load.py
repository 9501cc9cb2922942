"""Where the configuration comes from, and what it says when all is well."""

from pathlib import Path

import pytest

from sense_mqtt.assembly.assemble import policy_of
from sense_mqtt.config import Config, MqttSettings, TlsSettings
from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.solar_rules import Location, SolarRules


def test_no_file_and_no_environment_gives_the_defaults(machine):
    config = machine.load()
    assert config == Config(state_dir=machine.home / ".local/state/sense-mqtt")
    assert (config.mqtt.host, config.mqtt.port, config.mqtt.base_topic) == ("localhost", 1883, "sense")
    assert (config.sense.email, config.sense.monitors, config.log_level) == (None, (), "info")


def test_a_named_file_beats_the_variable_beats_the_directory_beats_the_system(machine):
    machine.write("etc/config.yaml", "mqtt: {host: of-the-system}")
    hosts = [machine.load().mqtt.host]
    machine.write("config.yaml", "mqtt: {host: of-the-directory}")
    hosts.append(machine.load().mqtt.host)
    machine.environ["SENSE_MQTT_CONFIG"] = str(machine.write("b.yaml", "mqtt: {host: of-the-variable}"))
    hosts.append(machine.load().mqtt.host)
    hosts.append(machine.load(machine.write("c.yaml", "mqtt: {host: named}")).mqtt.host)
    assert hosts == ["of-the-system", "of-the-directory", "of-the-variable", "named"]


def test_a_relative_name_starts_at_the_working_directory(machine):
    machine.write("conf/a.yaml", "mqtt: {host: found}")
    assert machine.load(Path("conf/a.yaml")).mqtt.host == "found"


EMPTY = [
    pytest.param("", id="an empty file"),
    pytest.param("# all of it commented out\n", id="only comments"),
    pytest.param("mqtt:\nsense:\ndevices:\n", id="empty sections"),
    pytest.param("mqtt: {port: , tls: {enabled: false, ca_file: , cert_file: , key_file: }}", id="empty values"),
    pytest.param("mqtt: {host: ~, username: null}", id="nulls"),
    pytest.param("devices: {1a2b3c4d: }", id="a device without rules"),
]


@pytest.mark.parametrize("text", EMPTY)
def test_what_is_left_empty_is_at_its_default(machine, text):
    machine.write("config.yaml", text)
    assert machine.load() == Config(state_dir=machine.home / ".local/state/sense-mqtt")


# what is written -> where to look -> what it means; YAML alone would read most of these otherwise
WRITTEN = [
    pytest.param("mqtt: {protocol: 5}", lambda c: c.mqtt.protocol, "5", id="a version like a number"),
    pytest.param("mqtt: {protocol: 3.1.1}", lambda c: c.mqtt.protocol, "3.1.1", id="a version with dots"),
    pytest.param("home_assistant: {discovery: off}", lambda c: c.home_assistant.discovery, "off", id="off is no false"),
    pytest.param("log_level: WARNING", lambda c: c.log_level, "warning", id="a level in capitals"),
    pytest.param("mqtt: {client_id: 0123}", lambda c: c.mqtt.client_id, "0123", id="text like an octal number"),
    pytest.param("mqtt: {username: 22:22}", lambda c: c.mqtt.username, "22:22", id="text like a time"),
    pytest.param("mqtt: {tls: {enabled: yes}}", lambda c: c.mqtt.tls.enabled, True, id="yes"),
    pytest.param("feed: {poll_interval_s: 1e2}", lambda c: c.feed.poll_interval_s, 100.0, id="a number with exponent"),
    pytest.param("sense: {monitors: [1, 2]}", lambda c: c.sense.monitors, (1, 2), id="a list"),
    pytest.param("sense: {monitors: 123456}", lambda c: c.sense.monitors, (123456,), id="one instead of a list"),
    pytest.param("sense: {monitors: [2, 1, 2]}", lambda c: c.sense.monitors, (2, 1), id="a monitor twice"),
    pytest.param(
        "mqtt: {response_topics: [node-red/#, +/answers]}",
        lambda c: c.mqtt.response_topics,
        ("node-red/#", "+/answers"),
        id="filters of response topics",
    ),
    pytest.param("mqtt: {response_topics: a/#}", lambda c: c.mqtt.response_topics, ("a/#",), id="one filter"),
    pytest.param("sense: {monitors: []}", lambda c: c.sense.monitors, (), id="an empty list"),
    pytest.param("mqtt: {host: '::1'}", lambda c: c.mqtt.host, "::1", id="an IPv6 address"),
    pytest.param(
        "sense: {api_url: 'http://127.0.0.1:8080/api'}",
        lambda c: c.sense.api_url,
        "http://127.0.0.1:8080/api/",
        id="a simulated cloud on this machine",
    ),
    pytest.param(
        "sense: {feed_url: 'ws://localhost:8080/'}", lambda c: c.sense.feed_url, "ws://localhost:8080", id="its feed"
    ),
    pytest.param("devices: {1e5: {name: A}}", lambda c: list(c.devices), ["1e5"], id="a device id like a float"),
    pytest.param("devices: {12345678: {name: A}}", lambda c: list(c.devices), ["12345678"], id="one like a number"),
    pytest.param("devices: {01234567: {name: A}}", lambda c: list(c.devices), ["01234567"], id="one like an octal"),
    pytest.param("devices: {on: {name: 5}}", lambda c: c.devices["on"].name, "5", id="a name like a number"),
]


@pytest.mark.parametrize(("text", "look", "expected"), WRITTEN)
def test_a_value_means_what_it_looks_like(machine, text, look, expected):
    machine.write("config.yaml", text)
    assert look(machine.load()) == expected


def test_relative_paths_start_at_the_file_and_tilde_at_home(machine):
    machine.write("conf/ca.pem", "x")
    machine.write("conf/a.yaml", "sense: {ca_file: ca.pem}\nmqtt: {tls: {ca_file: ~/conf/ca.pem}}\nstate_dir: state")
    config = machine.load(machine.home / "conf/a.yaml")
    assert config.sense.ca_file == config.mqtt.tls.ca_file == machine.home / "conf/ca.pem"
    assert config.state_dir == machine.home / "conf/state"


STATE_DIRS = [
    pytest.param(
        {"STATE_DIRECTORY": "/var/lib/a:/var/lib/b", "XDG_STATE_HOME": "/x"}, "/var/lib/a", id="systemd's first"
    ),
    pytest.param({"XDG_STATE_HOME": "/x"}, "/x/sense-mqtt", id="the desktop's"),
    pytest.param({"HOME": "/home/jane"}, "/home/jane/.local/state/sense-mqtt", id="the user's"),
    pytest.param({"SENSE_MQTT_STATE_DIR": "/data", "STATE_DIRECTORY": "/a"}, "/data", id="what was asked for"),
]


@pytest.mark.parametrize(("environ", "expected"), STATE_DIRS)
def test_state_is_kept_in(machine, environ, expected):
    machine.environ = environ
    assert machine.load().state_dir == Path(expected)


PORTS = [
    pytest.param("mqtt: {tls: {enabled: true}}", 8883, id="with tls"),
    pytest.param("mqtt: {tls: {enabled: true}, port: 1884}", 1884, id="given, with tls"),
    pytest.param("mqtt: {tls: {enabled: false}}", 1883, id="without tls"),
]


@pytest.mark.parametrize(("text", "port"), PORTS)
def test_the_port_follows_tls_unless_given(machine, text, port):
    machine.write("config.yaml", text)
    assert machine.load().mqtt.port == port


def test_the_port_follows_tls_in_models_made_by_hand():
    assert MqttSettings(tls=TlsSettings(enabled=True)).port == 8883


RULES = [
    pytest.param("dryer", DeviceRules("Dryer", 1.5, 30.0, 20.0, 10.0), id="its own"),
    pytest.param("lamp", DeviceRules(None, 1.5, 0.0, ignore=True), id="zero is a rule, not an absence"),
    pytest.param("other", DeviceRules(None, 1.5, 2.0), id="the defaults"),
    pytest.param("maker", DeviceRules(None, 1.5, 2.0, cycle_pause_s=120.0), id="a cycle"),
    pytest.param("washer", DeviceRules(None, 1.5, 2.0, cycle_pause_s=0.0), id="no cycle"),
]


@pytest.mark.parametrize(("device", "expected"), RULES)
def test_a_device_follows(machine, device, expected):
    machine.write(
        "config.yaml",
        """
        defaults: {on_delay_s: 1.5}
        devices:
          dryer: {name: Dryer, off_delay_s: 30, on_above_w: 20, off_below_w: 10}
          lamp: {off_delay_s: 0, ignore: true}
          maker: {cycle: {pause_s: 120}}
          washer: {cycle: off}
        """,
    )
    assert machine.load().device_rules(device) == expected


def test_core_is_told_the_rules_of_the_sun(machine):
    machine.write("config.yaml", "solar: {latitude: 0, longitude: -105.17, surplus: {on_above_w: 900, hold_s: 0}}")
    assert policy_of(machine.load()).solar == SolarRules(Location(0.0, -105.17), 900.0, 100.0, 0.0)
    assert policy_of(Config()).solar == SolarRules(None, 500.0, 100.0, 120.0)


SECRETS = """
sense: {email: me@example.com, password: hunter2000, totp_secret: jbsw y3dp ehpk 3pxp}
mqtt: {username: jane, password: hunter3000}
"""


def test_where_the_home_is_is_not_public(machine):
    machine.write("config.yaml", "solar: {latitude: 39.74, longitude: -105.17}")
    assert machine.load().public()["solar"] == {"surplus": {"on_above_w": 500, "off_below_w": 100, "hold_s": 120}}


def test_secrets_show_in_no_repr_and_nothing_public(machine):
    machine.write("config.yaml", SECRETS)
    config = machine.load()
    for shown in (repr(config), str(config), str(config.public()), config.model_dump_json()):
        assert not any(secret in shown for secret in config.secrets())
    assert "jane" not in str(config.public())
    assert config.public()["mqtt"]["host"] == "localhost"
    assert sorted(config.secrets()) == ["JBSWY3DPEHPK3PXP", "hunter2000", "hunter3000", "me@example.com"]
