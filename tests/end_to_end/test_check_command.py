"""`sense-mqtt check`, as people run it: all well, and each thing broken in turn."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.certificates import authority, server
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import free_port
from tests.support.processes.bridge_config import configure
from tests.support.processes.bridge_process import BridgeProcess
from tests.support.processes.command_line import CHECKS, run_command, write_config

Break = Callable[[SimulatedCloud, dict[str, Any]], object]


@pytest.fixture
def cloud() -> Iterator[SimulatedCloud]:
    with SimulatedCloud(BuiltInHouse(seed=1), speed=5) as cloud:
        yield cloud


def secrets_of(cloud: SimulatedCloud) -> list[str]:
    return [cloud.email, cloud.password, cloud.totp_secret]


def test_all_is_well_and_a_second_check_spends_no_login(cloud: SimulatedCloud, broker_port: int, tmp_path: Path):
    file = write_config(tmp_path, configure(cloud, broker_port))
    first, second = run_command(file, "check"), run_command(file, "check")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.err == second.err == ""
    assert list(first.lines) == list(second.lines) == CHECKS
    assert set(second.verdicts.values()) == {"ok"}
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
    "config": CHECKS[1:],
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
    expected = dict.fromkeys(CHECKS, "ok") | {name: "FAIL"} | dict.fromkeys(NEEDED_BY[name], "skip")
    assert ended.verdicts == expected
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
