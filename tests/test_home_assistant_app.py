"""The app of Home Assistant: its description, its options as our configuration, and a start with the account alone."""

import importlib.util
import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from sense_mqtt import __version__
from sense_mqtt.config import Config, load
from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.checkout import ROOT
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import free_port, make_mosquitto
from tests.support.processes.fake_supervisor import TOKEN, FakeSupervisor

APP = ROOT / "home-assistant-app"
DESCRIPTION = yaml.safe_load((APP / "config.yaml").read_text())
ACCOUNT = {"email": "you@example.com", "password": "made up"}
BROKER = {"host": "core-mosquitto", "port": 1883, "ssl": False, "username": "addons", "password": "of the broker"}
EVERYTHING = {
    **ACCOUNT,
    "totp_secret": "JBSWY3DPEHPK3PXP",
    "monitors": [123456],
    "devices": [{"id": "1a2b3c4d", "name": "Dryer", "off_delay_s": 30.0, "ignore": False}],
    "discovery": "single",
    "base_topic": "house",
    "device_interval_s": 30.0,
    "house_interval_s": 5.0,
    "surplus_on_above_w": 1600.0,
    "surplus_off_below_w": 50.0,
    "latitude": 42.4,
    "longitude": -71.1,
    "log_level": "debug",
}
OWN_BROKER = {"mqtt_host": "broker.example.com", "mqtt_port": 1884, "mqtt_username": "me", "mqtt_password": "mine"}


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("app_run", APP / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RUN = load_script()


def configuration(options: dict[str, Any], broker: dict[str, Any], folder: Path) -> Config:
    return load(None, RUN.settings(options, broker, folder), folder)


# --- the description. What the Supervisor takes: its supervisor/apps/validate.py and options.py, November 2026.

ELEMENT = re.compile(
    r"(bool|email|url|port|(str|password|int|float)(\(-?[\d.]*,-?[\d.]*\))?|match\(.*\)|list\([^()]+\))\??"
)
KNOWN = {
    *("name", "slug", "description", "version", "arch", "homeassistant", "startup", "boot", "timeout", "services"),
    *("ingress", "ingress_port", "panel_icon", "panel_title", "watchdog", "map", "options", "schema"),
}


def elements(schema: Any) -> list[str]:
    if isinstance(schema, dict):
        return [one for value in schema.values() for one in elements(value)]
    if isinstance(schema, list):
        return [one for value in schema for one in elements(value)]
    return [schema]


def test_the_description_has_what_the_supervisor_takes() -> None:
    assert set(DESCRIPTION) <= KNOWN
    assert re.fullmatch(r"[-_.A-Za-z0-9]+", DESCRIPTION["slug"])
    assert set(DESCRIPTION["arch"]) <= {"aarch64", "amd64"}
    assert DESCRIPTION["startup"] in ("initialize", "system", "services", "application", "once")
    assert 10 <= DESCRIPTION["timeout"] <= 300
    assert re.match(r"^(?:https?|tcp)://\[HOST\]:\d+", DESCRIPTION["watchdog"])
    assert [re.fullmatch(r"mqtt:(want|need)", service) is not None for service in DESCRIPTION["services"]] == [True]
    assert [one for one in elements(DESCRIPTION["schema"]) if not ELEMENT.fullmatch(one)] == []


def test_only_the_account_has_to_be_given() -> None:
    needed = {
        key for key, kind in DESCRIPTION["schema"].items() if any(not one.endswith("?") for one in elements(kind))
    }
    assert needed - {"devices"} == {"email", "password"}  # a rule needs its device's id, no rule is needed
    assert set(DESCRIPTION["options"]) == {"email", "password", "devices"}


def test_each_option_is_explained() -> None:
    explained = yaml.safe_load((APP / "translations/en.yaml").read_text())["configuration"]
    assert list(explained) == list(DESCRIPTION["schema"])
    assert all(set(words) == {"name", "description"} for words in explained.values())


def test_the_app_is_the_version_that_is_released() -> None:
    assert DESCRIPTION["version"] == __version__
    newest = re.search(r"^## (\S+)", (APP / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert newest is not None
    assert newest[1] == __version__


@pytest.mark.parametrize(("name", "size"), [("icon.png", (128, 128)), ("logo.png", (250, 100))])
def test_pictures_have_the_size_that_home_assistant_asks_for(name: str, size: tuple[int, int]) -> None:
    assert struct.unpack(">II", (APP / name).read_bytes()[16:24]) == size


# --- options


def test_the_account_alone_is_a_configuration(tmp_path: Path) -> None:
    config = configuration({**DESCRIPTION["options"], **ACCOUNT}, BROKER, tmp_path)
    assert config.sense.email is not None
    assert config.sense.email.get_secret_value() == "you@example.com"
    assert (config.mqtt.host, config.mqtt.username) == ("core-mosquitto", "addons")
    assert (config.web.enabled, config.web.ingress, config.web.port) == (True, True, DESCRIPTION["ingress_port"])
    assert config.state_dir == tmp_path / "state"


def test_every_option_changes_the_configuration(tmp_path: Path) -> None:
    assert set(EVERYTHING) | set(OWN_BROKER) == set(DESCRIPTION["schema"])
    plain = configuration(ACCOUNT, BROKER, tmp_path)
    for name, value in EVERYTHING.items():
        if name not in ACCOUNT:
            given = {**ACCOUNT, name: value} | ({"latitude": 42.4} if name == "longitude" else {})
            given |= {"longitude": -71.1} if name == "latitude" else {}
            assert configuration(given, BROKER, tmp_path) != plain, name


def test_options_of_devices_are_rules(tmp_path: Path) -> None:
    rules = configuration(EVERYTHING, BROKER, tmp_path).devices["1a2b3c4d"]
    assert (rules.name, rules.off_delay_s, rules.ignore) == ("Dryer", 30.0, False)


def test_a_password_is_taken_as_it_is(tmp_path: Path) -> None:
    config = configuration({"email": "you@example.com", "password": '{"a": [1]} #0x10'}, BROKER, tmp_path)
    assert config.sense.password is not None
    assert config.sense.password.get_secret_value() == '{"a": [1]} #0x10'


def test_a_broker_of_the_options_comes_before_the_supervisor_s(tmp_path: Path) -> None:
    broker = RUN.own_broker({**ACCOUNT, **OWN_BROKER})
    config = configuration(ACCOUNT, broker, tmp_path)
    assert (config.mqtt.host, config.mqtt.port, config.mqtt.username) == ("broker.example.com", 1884, "me")
    assert RUN.own_broker({"mqtt_port": 1884}) is None


def test_a_broker_with_tls_is_spoken_to_so(tmp_path: Path) -> None:
    assert configuration(ACCOUNT, {**BROKER, "ssl": True}, tmp_path).mqtt.tls.enabled is True


# --- a start


@pytest.mark.enable_socket
def test_the_app_starts_with_the_account_alone_once_there_is_a_broker(tmp_path: Path) -> None:
    with (
        make_mosquitto(tmp_path) as mosquitto,
        SimulatedCloud(BuiltInHouse(seed=1), speed=20) as cloud,
        FakeSupervisor() as supervisor,
        Listener(mosquitto.port) as listener,
    ):
        (tmp_path / "options.json").write_text(json.dumps({"email": cloud.email, "password": cloud.password}))
        with start_app(tmp_path, supervisor, cloud) as app:
            assert supervisor.asked.wait(30)
            supervisor.broker = {**BROKER, "host": "127.0.0.1", "port": mosquitto.port}
            listener.wait_for_payload("sense/900101/availability", "online", 60)
            app.terminate()
            assert app.wait(30) == 0
    log = (tmp_path / "log.txt").read_text()
    assert log.count("no MQTT broker yet") == 1
    assert cloud.password not in log
    assert (tmp_path / "state").is_dir()


def start_app(data: Path, supervisor: FakeSupervisor, cloud: SimulatedCloud) -> subprocess.Popen[bytes]:
    to_the_simulated_cloud = {
        "SENSE_MQTT_SENSE__API_URL": cloud.api_url,
        "SENSE_MQTT_SENSE__FEED_URL": cloud.feed_url,
    }
    environ = {
        **os.environ,
        "SUPERVISOR_TOKEN": TOKEN,
        "SENSE_MQTT_WEB__PORT": str(free_port()),
        **to_the_simulated_cloud,
    }
    with (data / "log.txt").open("wb") as log:
        return subprocess.Popen([sys.executable, APP / "run.py", data, supervisor.url], env=environ, stderr=log)
