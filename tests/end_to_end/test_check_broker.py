"""`sense-mqtt check` and the broker: rights, limits, what is said to it."""

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.certificates import authority, server
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import Mosquitto, make_mosquitto
from tests.support.mqtt.strict_broker import StrictBroker
from tests.support.processes.bridge_config import configure
from tests.support.processes.command_line import CHECKS, run_command, write_config


@pytest.fixture
def cloud() -> Iterator[SimulatedCloud]:
    with SimulatedCloud(BuiltInHouse(seed=1), speed=5) as cloud:
        yield cloud


STRICT = [
    pytest.param("acl_file {rights}", {}, ["access list"], id="an access list that forbids publishing"),
    pytest.param(
        "allow_anonymous false", {}, ["Not authorized; check mqtt.username and mqtt.password"], id="no user name"
    ),
    pytest.param(
        "certfile {folder}/server.pem\nkeyfile {folder}/server.pem",
        {"tls": {"enabled": True}},
        ["issued by 'O=Beispiel & Söhne, CN=Home Authority'", "set mqtt.tls.ca_file"],
        id="an authority that is not known",
    ),
]


@pytest.mark.usefixtures("mosquitto")  # skips where there is none
@pytest.mark.parametrize(("rules", "mqtt", "told"), STRICT)
def test_what_a_strict_broker_wants_is_reported(
    rules: str, mqtt: dict[str, Any], told: list[str], cloud: SimulatedCloud, tmp_path: Path
):
    (tmp_path / "rights").write_text("topic read #\n")
    server(authority("Home Authority")).context(tmp_path)
    with Mosquitto(tmp_path, rules.format(rights=tmp_path / "rights", folder=tmp_path) + "\nuser root") as strict:
        config = configure(cloud, strict.port)
        config["mqtt"].update(mqtt)
        ended = run_command(write_config(tmp_path, config), "check")
    assert ended.exit_code == 1
    assert [words for words in told if words not in ended.lines["broker"]] == []
    assert ended.verdicts == dict.fromkeys(CHECKS, "ok") | {"broker": "FAIL", "home assistant": "skip"}


def test_what_home_assistant_said_last_is_reported_where_it_is_kept(
    cloud: SimulatedCloud, broker_port: int, tmp_path: Path
):
    with Listener(broker_port) as listener:
        listener.publish("homeassistant/status", "online", retain=True)
        listener.wait_for_payload("homeassistant/status", "online")
        ended = run_command(write_config(tmp_path, configure(cloud, broker_port)), "check")
    assert ended.lines["home assistant"].endswith("its last message is 'online' on homeassistant/status")
    told = [heard for heard in listener.messages() if heard.topic != "homeassistant/status"]
    assert [heard.topic for heard in told] == [
        "sense/bridge/event",
        "sense/bridge/request",
        "homeassistant/sensor/sense_mqtt_check/check/config",
        "sense/bridge/event",
    ]
    assert {heard.retain for heard in told} == {False}
    assert json.loads(told[0].payload)["event_type"] == "check"
    assert told[2].payload == ""


ALLOWED = (  # docs/brokers.md
    "read sense/bridge/request/#",
    "read sense/+/event",
    "read sense/+/events",
    "read sense/+/device/+/event",
    "read sense/bridge/state",
    "read sense/+/availability",
    "read homeassistant/status",
    "write sense/#",
    "write homeassistant/#",
)


@pytest.fixture
def allowing(tmp_path: Path) -> Iterator[Callable[[list[str]], Mosquitto]]:
    with contextlib.ExitStack() as brokers:

        def allow(rights: list[str]) -> Mosquitto:
            (tmp_path / "rights").write_text("".join(f"topic {right}\n" for right in rights))
            (tmp_path / "rights").chmod(0o600)
            return brokers.enter_context(make_mosquitto(tmp_path, f"acl_file {tmp_path / 'rights'}\nuser root"))

        yield allow


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_what_the_documented_access_list_allows_is_enough(protocol: str, allowing, cloud, tmp_path: Path):
    config = configure(cloud, allowing(list(ALLOWED)).port)
    config["mqtt"]["protocol"] = protocol
    ended = run_command(write_config(tmp_path, config), "check")
    assert (ended.exit_code, ended.err, set(ended.verdicts.values())) == (0, "", {"ok"})
    assert "; but " not in ended.out


FORBIDDEN = [
    ("write sense/#", "broker", "FAIL", "publishing on sense/bridge/event is refused"),
    ("read sense/+/event", "broker", "FAIL", "sense/bridge/event did not come back"),
    ("read sense/bridge/request/#", "broker", "ok", "commands may not be heard; let mqtt.username read"),
    ("write homeassistant/#", "home assistant", "FAIL", "check/config is refused"),
]


@pytest.mark.parametrize(("right", "name", "verdict", "told"), FORBIDDEN)
def test_a_right_that_run_needs_and_does_not_have_is_reported(
    right: str, name: str, verdict: str, told: str, allowing, cloud, tmp_path: Path
):
    broker = allowing([each for each in ALLOWED if each != right])
    ended = run_command(write_config(tmp_path, configure(cloud, broker.port)), "check")
    assert ended.verdicts[name] == verdict
    assert told in ended.lines[name]
    assert ended.exit_code == (verdict == "FAIL")


@pytest.mark.parametrize("how", ["refused", "hangs_up_on"])
def test_a_filter_that_the_broker_refuses_is_reported_with_what_does_not_work(how: str, cloud, tmp_path: Path):
    filters = ("sense/bridge/request/#", "sense/+/event", "homeassistant/status")
    with StrictBroker(**{how: filters}, forgets=False, retained={"sense/bridge/state": "offline"}) as broker:
        ended = run_command(write_config(tmp_path, configure(cloud, broker.port)), "check")
    assert (ended.exit_code, ended.err) == (0, "")
    for topic, loss in zip(filters, ("commands are not", "an event may be told twice", "what Home"), strict=True):
        assert re.search(rf"the subscription to {re.escape(topic)} \([^)]+\): {loss}", ended.lines["broker"])
    assert "the subscription to homeassistant/status" in ended.lines["home assistant"]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("retain_available false", "the broker keeps no retained messages"),
        ("max_qos 0", "the broker takes QoS 0 only"),
        ("max_packet_size 2000", "the broker takes packets of at most 2000 bytes"),
    ],
)
def test_what_the_broker_cannot_do_is_reported(cloud: SimulatedCloud, tmp_path: Path, lines: str, told: str):
    with make_mosquitto(tmp_path, lines) as broker:
        ended = run_command(write_config(tmp_path, configure(cloud, broker.port)), "check")
    assert ended.lines["broker"].startswith("ok ")
    assert f"; but {told}" in ended.lines["broker"]
