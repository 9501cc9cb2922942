"""Two Sense accounts in one bridge, of which Sense refuses one."""

from pathlib import Path
from typing import Any

import pytest

from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.listener import Listener
from tests.support.processes.bridge_process import QuickBridge
from tests.support.processes.command_line import run_command


@pytest.fixture
def cloud():
    with SimulatedCloud(BuiltInHouse(seed=1), speed=120) as cloud:
        yield cloud


def two_accounts(cloud: SimulatedCloud, broker_port: int) -> dict[str, Any]:
    urls = {"email": cloud.email, "api_url": cloud.api_url, "feed_url": cloud.feed_url}
    home = {"name": "home", "password": cloud.password, **urls}
    cabin = {"name": "cabin", "password": "not the password", **urls}
    return {"accounts": [cabin, home], "mqtt": {"host": "127.0.0.1", "port": broker_port}}


def test_an_account_that_sense_refuses_harms_no_other(broker_port: int, cloud: SimulatedCloud, tmp_path: Path):
    with Listener(broker_port) as listener, QuickBridge(tmp_path, two_accounts(cloud, broker_port)) as bridge:
        listener.wait_for_payload("sense/900101/availability", "online")
        listener.wait_for_payload("sense/bridge/state", "online")
        listener.wait_for(lambda _: len(listener.events()) > 2, "events of the account that Sense accepts")
        listener.wait_for(lambda _: bool(listener.messages("bridge/event")), "that the other needs a login")
        told = [heard.document for heard in listener.messages("bridge/event")]
        assert [(event["event_type"], event["account"]) for event in told] == [("auth_required", "cabin")]
        accounts = listener.messages("bridge/health")[-1].document["accounts"]
        assert {name: (about["auth"], about["monitors"]) for name, about in accounts.items()} == {
            "cabin": ("auth_required", []),
            "home": ("ok", [900101]),
        }
        assert bridge.stop() == 0
    assert "Sense login of account cabin auth_required" in bridge.log
    assert (tmp_path / "state/account-home/session.json").exists()
    assert not (tmp_path / "state/account-cabin/session.json").exists()
    assert not (tmp_path / "state/session.json").exists()


def test_the_commands_of_the_terminal_ask_which_account_is_meant(cloud: SimulatedCloud, tmp_path: Path):
    config_file = QuickBridge(tmp_path, two_accounts(cloud, 1)).config_file
    assert run_command(config_file, "login", "--account", "home").exit_code == 0
    refused = run_command(config_file, "login", "--account", "cabin")
    assert (refused.exit_code, refused.out) == (3, "")
    ambiguous = run_command(config_file, "lookup", "status")
    assert ambiguous.exit_code == 2
    assert "give --account; there are: cabin, home" in ambiguous.err
    assert "monitor_info" in run_command(config_file, "lookup", "status", "--account", "home").out
    checked = run_command(config_file, "check").out.splitlines()
    assert [line.split(": ")[0] for line in checked if line.startswith("ok   login")] == ["ok   login of account home"]
    assert [line.split(": ")[0] for line in checked if line.startswith("FAIL login")] == ["FAIL login of account cabin"]
    assert len([line for line in checked if "dns broker" in line]) == 1
