"""A state directory that is missing, or goes away, as a bridge in a process of its own meets it."""

import shutil
from pathlib import Path

from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.listener import Listener
from tests.support.processes.bridge_config import configure
from tests.support.processes.bridge_process import BridgeProcess
from tests.support.processes.command_line import run_command


def test_a_link_that_leads_nowhere_is_reported_and_once_it_leads_somewhere_data_comes(broker_port: int, tmp_path: Path):
    (tmp_path / "state").symlink_to(tmp_path / "disk")
    with (
        SimulatedCloud(BuiltInHouse(seed=1)) as cloud,
        Listener(broker_port) as listener,
        BridgeProcess(tmp_path, configure(cloud, broker_port)) as bridge,
    ):
        listener.wait_for_payload("sense/bridge/state", "online")
        assert "is a link that leads nowhere; make that directory, or set state_dir to one" in bridge.log
        assert cloud.records.counts.logins == 0
        (tmp_path / "disk").mkdir(mode=0o700)
        listener.wait_for_payload("sense/900101/availability", "online")
        assert bridge.stop() == 0


def test_what_is_removed_while_we_run_is_made_again_and_locked_again(broker_port: int, tmp_path: Path):
    with (
        SimulatedCloud(BuiltInHouse(seed=1)) as cloud,
        Listener(broker_port) as listener,
        BridgeProcess(tmp_path, configure(cloud, broker_port)) as bridge,
    ):
        listener.wait_for_payload("sense/900101/availability", "online")
        shutil.rmtree(tmp_path / "state")
        listener.wait_for(lambda _: (tmp_path / "state" / "bridge.lock").exists(), "the state directory")
        second = run_command(bridge.config_file, "run")
        assert (second.exit_code, "another sense-mqtt works there" in second.err) == (1, True)
        assert "was removed while we run; it is made again with all that we know" in bridge.log
