"""`run --record`, `record` and `replay`, with a real process, the simulated cloud and a real broker."""

import gzip
import json
import time
import zipfile
from pathlib import Path
from typing import Any

from sense_mqtt.cli.report import ABOUT
from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.payloads.rest import serial
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.listener import Listener
from tests.support.processes.bridge_config import configure
from tests.support.processes.bridge_process import BridgeProcess
from tests.support.processes.command_line import run_command, run_words

ENOUGH = 3  # events; how soon they come depends on the time of day
EVENTS = ("sense/+/device/+/event", "sense/+/event")


class RecordingBridge(BridgeProcess):
    """`run --record FILE`."""

    def _program(self) -> tuple[Any, ...]:
        program, words = super()._program()
        return program, [*words, "--record", str(self.config_file.with_name("recording.jsonl.gz"))]


def test_what_run_records_replays_to_the_events_that_it_told(broker_port: int, tmp_path: Path):
    with (
        SimulatedCloud(BuiltInHouse(1, begins=time.time()), speed=60) as cloud,
        Listener(broker_port, *EVENTS) as listener,
        RecordingBridge(tmp_path, configure(cloud, broker_port)) as bridge,
    ):
        listener.wait_for(lambda heard: len(heard) >= ENOUGH, f"{ENOUGH} events", 100)
        cloud.drop_sockets()
        listener.wait_for(lambda heard: len(heard) >= 2 * ENOUGH, f"{2 * ENOUGH} events", 100)
        assert bridge.stop() == 0
        told = [heard.payload for heard in listener.messages()]
    replayed = run_words(["replay", str(tmp_path / "recording.jsonl.gz")]).out.splitlines()
    custom = {json.loads(payload)["device"] for payload in told if "Grandma" in payload}  # no name of Sense's
    assert len(replayed) == len(told)
    assert sorted(without(replayed, custom)) == sorted(without(told, custom))  # MQTT has an order for each topic only
    recorded = gzip.decompress((tmp_path / "recording.jsonl.gz").read_bytes()).decode()
    for secret in (cloud.email, cloud.password, serial(900101), "Grandma"):
        assert secret not in recorded


def without(payloads: list[str], devices: set[str]) -> list[str]:
    return [payload for payload in payloads if json.loads(payload).get("device") not in devices]


def test_record_needs_no_broker_and_leaves_nothing_for_the_next_run(tmp_path: Path):
    with SimulatedCloud(BuiltInHouse(1, begins=time.time()), speed=60) as cloud:
        config = {"state_dir": str(tmp_path / "state"), **configure(cloud, 1)}
        (tmp_path / "command.yaml").write_text(json.dumps(config))
        ended = run_command(tmp_path / "command.yaml", "record", str(tmp_path / "r.gz"), "--minutes", "0.1")
    assert (ended.exit_code, ended.err.count("\n")) == (0, 1)  # the file is readable by others
    assert "names and addresses are replaced" in ended.out
    assert len(gzip.decompress((tmp_path / "r.gz").read_bytes()).splitlines()) > 5
    assert not (tmp_path / "state" / "journal.sqlite3").exists()
    assert run_words(["replay", str(tmp_path / "r.gz"), "--speed", "100"]).exit_code == 0


def test_a_report_holds_what_a_running_bridge_knows_and_no_name_or_secret(broker_port: int, tmp_path: Path):
    with (
        SimulatedCloud(BuiltInHouse(1, begins=time.time()), speed=60) as cloud,
        Listener(broker_port, *EVENTS) as listener,
        BridgeProcess(tmp_path, configure(cloud, broker_port)) as bridge,
    ):
        listener.wait_for(lambda heard: len(heard) >= ENOUGH, f"{ENOUGH} events", 100)
        refused = run_command(bridge.config_file, "record", str(tmp_path / "r.gz"))
        assert (refused.exit_code, (tmp_path / "r.gz").exists()) == (1, False)
        ended = run_command(bridge.config_file, "report", str(tmp_path / "report.zip"), "--yes")
        secrets = [cloud.email, cloud.password, serial(900101), "Grandma", *_tokens(tmp_path)]
    assert ended.exit_code == 0
    assert "there is no" not in ended.out
    files = {name: (zipped := zipfile.ZipFile(tmp_path / "report.zip")).read(name) for name in ABOUT}
    assert zipped.namelist() == list(ABOUT)
    recorded = gzip.decompress(files["recording.jsonl.gz"])
    for name, content in {**files, "recording.jsonl.gz": recorded}.items():
        for secret in secrets:
            assert secret.encode() not in content, f"a secret of {len(secret)} characters is in {name}"
    assert json.loads(files["health.json"])["frames"] > 5
    assert b"Sense login ok" in files["log.txt"]
    (tmp_path / "recording").write_bytes(files["recording.jsonl.gz"])
    assert len(run_words(["replay", str(tmp_path / "recording")]).out.splitlines()) >= ENOUGH


def _tokens(folder: Path) -> list[str]:
    session = json.loads((folder / "state" / "session.json").read_text())
    return [value for key, value in session.items() if "token" in key and isinstance(value, str)]
