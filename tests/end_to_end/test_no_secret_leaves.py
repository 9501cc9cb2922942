"""No secret leaves: not in the log at DEBUG, not on MQTT, not in the list of processes."""

import getpass
import json
import subprocess
import time
from pathlib import Path

import pytest

from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.payloads.rest import serial
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import Mosquitto
from tests.support.processes.bridge_config import configure
from tests.support.processes.bridge_process import QuickBridge

MQTT_USER, MQTT_PASSWORD = "sense-user-of-mqtt", "an mqtt & password"
RENEWALS = 4
ASKED = {
    "status": {},
    "overview": {},
    "devices": {},
    "timeline": {},
    "health": {},
    "energy": {},
    "get": {"path": "app/monitors/{monitor}/overview"},
    "device": {"id": "nobody"},
}


@pytest.fixture
def guarded(tmp_path: Path, mosquitto: Mosquitto) -> Mosquitto:  # noqa: ARG001 - it skips where there is none
    """A broker that asks for user and password."""
    passwords = tmp_path / "passwords"
    subprocess.run(
        ["mosquitto_passwd", "-c", "-b", str(passwords), MQTT_USER, MQTT_PASSWORD], check=True, capture_output=True
    )
    passwords.chmod(0o644)
    return Mosquitto(tmp_path, f"password_file {passwords}\nuser {getpass.getuser()}")


def test_no_secret_leaves(guarded: Mosquitto, tmp_path: Path):
    with (
        guarded,
        SimulatedCloud(BuiltInHouse(1, begins=time.time()), speed=20, mfa=True) as cloud,
        QuickBridge(tmp_path, _config(cloud, guarded)) as bridge,
        Listener(guarded.port, user=(MQTT_USER, MQTT_PASSWORD)) as listener,
    ):
        listener.wait_for_payload("sense/900101/availability", "online")
        cmdline = Path(f"/proc/{bridge.pid}/cmdline").read_text()
        _ask_for_everything(cloud, listener)
        granted = _renew(cloud)
        cloud.account.expire_refresh_tokens()  # the renewal is refused, and the next login too
        cloud.account.password = "another one"
        cloud.drop_sockets()
        listener.wait_for(lambda heard: any("auth_required" in h.payload for h in heard), "auth_required", 60)
        said = "\n".join(f"{heard.topic} {heard.payload}" for heard in listener.messages())
    secrets = {cloud.email, "a made-up password & more+%", cloud.totp_secret, MQTT_PASSWORD, serial(900101), *granted}
    assert len(granted) > RENEWALS  # a refresh token each, and access tokens: one a second at most
    assert "DEBUG" in bridge.log
    for secret in secrets:
        for place, text in {"the log": bridge.log, "MQTT": said, "the list of processes": cmdline}.items():
            assert secret not in text, f"a secret of {len(secret)} characters is in {place}"


def _ask_for_everything(cloud: SimulatedCloud, listener: Listener) -> None:
    for name, arguments in ASKED.items():
        listener.ask(name, timeout_s=60, **arguments)
    told = f"{cloud.email}, {cloud.totp_secret}, monitor {serial(900101)}"  # Sense repeats what it should not
    cloud.faults.refuse(400, path="rate_zones", body=json.dumps({"status": "error", "error_reason": told}))
    assert listener.ask("rate_zones", timeout_s=60)["error"].count("***") == 3
    cloud.faults.send_malformed("not_json", "wrong_types")


def _renew(cloud: SimulatedCloud) -> set[str]:
    """Let the bridge renew its tokens some times; return all that it was given."""
    granted = _granted(cloud)
    for _ in range(RENEWALS):
        renewals = cloud.records.counts.renews
        cloud.account.expire_access_tokens()
        cloud.drop_sockets()
        assert cloud.records.wait(lambda counts, before=renewals: counts.renews > before)
        granted |= _granted(cloud)
    return granted


def _granted(cloud: SimulatedCloud) -> set[str]:
    """Return the tokens that the account holds good at present."""
    account = cloud.account
    return {*account._tokens, *(session.present for session in account._sessions)}


def _config(cloud: SimulatedCloud, broker: Mosquitto) -> dict:
    config = configure(cloud, broker.port, log_level="debug", sense={"totp_secret": cloud.totp_secret})
    return {**config, "mqtt": {**config["mqtt"], "username": MQTT_USER, "password": MQTT_PASSWORD}}
