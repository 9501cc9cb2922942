"""`sense-mqtt check`, as people run it: all well, and each thing broken in turn."""

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
from tests.support.mqtt.mosquitto import Mosquitto, free_port, make_mosquitto
from tests.support.mqtt.strict_broker import StrictBroker
from tests.support.processes.bridge_config import configure
from tests.support.processes.bridge_process import BridgeProcess
from tests.support.processes.command_line import Ended, run_command, write_config

NAMES = [
    "config",
    "dns api",
    "tls api",
    "login",
    "monitors",
    "dns feed",
    "tls feed",
    "feed",
    "dns broker",
    "broker",
    "home assistant",
]
Break = Callable[[SimulatedCloud, dict[str, Any]], object]


@pytest.fixture
def cloud() -> Iterator[SimulatedCloud]:
    with SimulatedCloud(BuiltInHouse(seed=1), speed=5) as cloud:
        yield cloud


def verdicts(ended: Ended) -> dict[str, str]:
    return {name: told.partition(" ")[0] for name, told in ended.lines.items()}


def secrets_of(cloud: SimulatedCloud) -> list[str]:
    return [cloud.email, cloud.password, cloud.totp_secret]


def test_all_is_well_and_a_second_check_spends_no_login(cloud: SimulatedCloud, broker_port: int, tmp_path: Path):
    file = write_config(tmp_path, configure(cloud, broker_port))
    first, second = run_command(file, "check"), run_command(file, "check")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.err == second.err == ""
    assert list(first.lines) == list(second.lines) == NAMES
    assert set(verdicts(second).values()) == {"ok"}
    assert "logged in with sense.email" in first.lines["login"]
    assert "no login was made" in second.lines["login"]
    assert second.lines["monitors"] == "ok 900101, firmware 1.100.3-4a5ddd65-release, with solar"
    assert second.lines["feed"] == "ok 900101: a frame came by websocket"
    assert (cloud.records.counts.logins, cloud.records.counts.sockets_most) == (1, 1)
    assert [secret for secret in secrets_of(cloud) if secret in first.out + second.out] == []


def test_beside_a_running_bridge_no_second_websocket_is_opened(cloud: SimulatedCloud, broker_port: int, tmp_path: Path):
    with Listener(broker_port) as listener, BridgeProcess(tmp_path, configure(cloud, broker_port)) as bridge:
        listener.wait_for_payload("sense/900101/availability", "online")
        ended = run_command(bridge.config_file, "check")
        assert (ended.exit_code, ended.err) == (0, "")
        assert ended.lines["feed"] == "ok 900101: a running bridge holds it, so no second one was opened"
        assert "no login was made" in ended.lines["login"]
        assert bridge.stop() == 0
    assert (cloud.records.counts.sockets_opened, cloud.records.counts.logins) == (1, 1)
    assert not [heard for heard in listener.messages("sense/bridge/state") if heard.payload == "offline"][1:]


def unplug_api(_cloud: SimulatedCloud, config: dict[str, Any]) -> None:
    config["sense"]["api_url"] = f"http://127.0.0.1:{free_port()}/api"


def change(section: str, key: str, value: object) -> Break:
    return lambda _, config: config[section].update({key: value})


def misbehave(claim: Callable[[SimulatedCloud], object]) -> Break:
    return lambda cloud, _: claim(cloud)


BROKEN = [
    pytest.param(
        lambda _, config: config["mqtt"].update(port=free_port()),
        "broker",
        1,
        "check mqtt.host and mqtt.port",
        id="the broker's port",
    ),
    pytest.param(
        change("mqtt", "tls", {"enabled": True}),
        "broker",
        1,
        "mqtt.tls",
        id="TLS where there is none",
    ),
    pytest.param(
        change("sense", "password", "wrong, wrong"), "login", 3, "check e-mail and password", id="the password"
    ),
    pytest.param(unplug_api, "tls api", 1, "check network, firewall and proxy", id="Sense's port"),
    pytest.param(
        change("sense", "monitors", [5]), "monitors", 2, "has no monitor 5, but 900101", id="the monitor's id"
    ),
    pytest.param(
        misbehave(lambda cloud: setattr(cloud.faults, "offline", True)),
        "monitors",
        1,
        "900101 is offline; check its power",
        id="the monitor is offline",
    ),
    pytest.param(
        misbehave(lambda cloud: cloud.faults.refuse(429, path="realtimefeed")),
        "feed",
        1,
        "the feed refused the connection (HTTP 429)",
        id="the feed is refused",
    ),
    pytest.param(
        misbehave(lambda cloud: setattr(cloud.rules, "mfa", True)),
        "login",
        3,
        "run `sense-mqtt login`",
        id="a code is asked for",
    ),
    pytest.param(
        misbehave(lambda cloud: cloud.faults.refuse(503, path="authenticate")),
        "login",
        1,
        "has an outage (HTTP 503",
        id="an outage",
    ),
    pytest.param(
        change("sense", "ca_file", "no-such-file.pem"), "config", 2, "sense.ca_file", id="a file that is not there"
    ),
]
NEEDED_BY = {
    "config": NAMES[1:],
    "tls api": ["login", "monitors", "feed"],
    "login": ["monitors", "feed"],
    "monitors": ["feed"],
    "feed": [],
    "broker": ["home assistant"],
}


@pytest.mark.parametrize(("broken", "name", "exit_code", "told"), BROKEN)
def test_what_is_broken_is_named_with_what_to_do(
    broken: Break, name: str, exit_code: int, told: str, cloud: SimulatedCloud, broker_port: int, tmp_path: Path
):
    config = configure(cloud, broker_port)
    broken(cloud, config)
    ended = run_command(write_config(tmp_path, config), "check")
    assert ended.exit_code == exit_code
    assert told in ended.lines[name]
    expected = dict.fromkeys(NAMES, "ok") | {name: "FAIL"} | dict.fromkeys(NEEDED_BY[name], "skip")
    assert verdicts(ended) == expected
    assert [secret for secret in secrets_of(cloud) if secret in ended.out + ended.err] == []


def test_an_interposed_authority_is_named_and_trusted_once_it_is_in_ca_file(broker_port: int, tmp_path: Path):
    firewall = authority("Example Firewall")
    with SimulatedCloud(BuiltInHouse(seed=1), speed=5, tls=server(firewall).context(tmp_path)) as cloud:
        config = configure(cloud, broker_port)
        refused = run_command(write_config(tmp_path, config), "check")
        (tmp_path / "firewall.pem").write_bytes(firewall.pem)
        config["sense"]["ca_file"] = str(tmp_path / "firewall.pem")
        trusted = run_command(write_config(tmp_path, config), "check")
    assert refused.exit_code == 1
    for name in ("tls api", "tls feed"):
        assert refused.lines[name].startswith("FAIL the certificate of 127.0.0.1 is not trusted")
        for words in ("CN=api.sense.example", "CN=Example Firewall", "sense.ca_file"):
            assert words in refused.lines[name]
    assert trusted.exit_code == 0
    assert "issued by 'O=Beispiel & Söhne, CN=Example Firewall'" in trusted.lines["tls api"]


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
    assert verdicts(ended) == dict.fromkeys(NAMES, "ok") | {"broker": "FAIL", "home assistant": "skip"}


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
    assert (ended.exit_code, ended.err, set(verdicts(ended).values())) == (0, "", {"ok"})
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
    assert verdicts(ended)[name] == verdict
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
