"""`sense-mqtt health` and `sense-mqtt watch` beside a running bridge, as containers and people run them."""

from pathlib import Path

from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import free_port
from tests.support.processes.bridge_config import configure
from tests.support.processes.bridge_process import BridgeProcess
from tests.support.processes.command_line import run_command, run_words


def test_health_follows_the_bridge(broker_port: int, tmp_path: Path):
    with (
        Listener(broker_port) as listener,
        SimulatedCloud(BuiltInHouse(seed=1), speed=20) as cloud,
        BridgeProcess(tmp_path, configure(cloud, broker_port)) as bridge,
    ):
        listener.wait_for(
            lambda heard: any(h.topic == "sense/bridge/health" and '"900101":"stream"' in h.payload for h in heard),
            "frames",
        )
        listener.wait_for_payload("sense/bridge/state", "online")
        well = run_command(bridge.config_file, "health")
        shown = run_command(bridge.config_file, "watch", "--seconds", "1", "--svg", str(tmp_path / "home.svg"))
        bridge.stop()
        stopped = run_command(bridge.config_file, "health")
    assert (well.exit_code, well.out) == (0, "frames come, or are paused as asked: 900101 stream\n")
    assert (shown.exit_code, shown.err) == (0, "")
    assert "House" in shown.out
    assert "Always" in (tmp_path / "home.svg").read_text()
    assert stopped.exit_code == 1
    assert stopped.out.startswith("the bridge is offline")


def test_a_broker_that_is_not_there_is_named_by_its_failure():
    ended = run_words(["health", "--host", "127.0.0.1", "--port", str(free_port())])
    assert ended.exit_code == 1
    assert ended.out.startswith("no connection to the MQTT broker: ")
