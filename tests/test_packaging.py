"""The frame around the code is true: example file, changelog, container, service."""

import configparser
import json
import re
import tomllib
from pathlib import Path

import pytest

import sense_mqtt
from sense_mqtt.config import Config, example, load, schema

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


# --- config.example.yaml


def test_the_example_file_is_what_the_models_say():
    assert (ROOT / "config.example.yaml").read_text() == example(), (
        "run: sense-mqtt config --example > config.example.yaml"
    )


def test_the_example_file_as_it_is_gives_the_defaults(tmp_path):
    config = load(ROOT / "config.example.yaml", {}, tmp_path)
    assert config == Config(state_dir=config.state_dir)


def test_the_example_device_works_without_its_comment_signs(tmp_path):
    (tmp_path / "config.yaml").write_text(re.sub(r"^#(?=  )", "", example(), flags=re.MULTILINE))
    device = load(None, {}, tmp_path).devices["1a2b3c4d"]
    assert (device.name, device.off_delay_s, device.ignore) == ("Dryer", 30, False)


def test_every_line_of_the_example_fits_the_page():
    assert max(map(len, example().splitlines())) <= 120


def test_the_schema_is_json_and_refuses_unknown_keys():
    described = json.loads(json.dumps(schema()))
    assert described["additionalProperties"] is False
    assert described["$defs"]["MqttSettings"]["properties"]["port"]["maximum"] == 65535


# --- version, container, service


def test_the_version_is_the_newest_of_the_changelog():
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)[1]
    assert newest == PYPROJECT["project"]["version"] == sense_mqtt.__version__


DOCKERFILE = (ROOT / "Dockerfile").read_text()
LAST_STAGE = DOCKERFILE[DOCKERFILE.rindex("\nFROM") :]
CONTAINER = [
    pytest.param(r"^USER 10001:10001$", id="runs as nobody of the host, by number"),
    pytest.param(r'^ENTRYPOINT \["sense-mqtt"\]$', id="is the process itself, so that signals reach it"),
    pytest.param(r"^STOPSIGNAL SIGTERM$", id="is asked to stop, not killed"),
    pytest.param(r"SENSE_MQTT_STATE_DIR=/var/lib/sense-mqtt$", id="keeps its state"),
    pytest.param(r"^VOLUME /var/lib/sense-mqtt$", id="keeps it in a volume"),
]


@pytest.mark.parametrize("line", CONTAINER)
def test_the_container(line):
    assert re.search(line, LAST_STAGE, flags=re.MULTILINE)


def test_the_container_holds_no_tools():
    assert not re.search(r"\bpip\b|apt|\[dev\]|\[demo\]", LAST_STAGE)
    assert f"ARG VERSION={PYPROJECT['project']['version']}" in LAST_STAGE


def test_the_service_restarts_but_not_on_a_wrong_configuration():
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str
    unit.read(ROOT / "systemd/sense-mqtt.service")
    service = unit["Service"]
    assert (service["Restart"], service["RestartPreventExitStatus"]) == ("always", "2")
    assert (service["DynamicUser"], service["NoNewPrivileges"], service["ProtectSystem"]) == ("yes", "yes", "strict")
    assert service["StateDirectory"] == "sense-mqtt"
