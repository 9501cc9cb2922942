"""What signals do to a running bridge."""

import json
import os
import signal
import threading
import time

from tests.support.processes.bridge_process import BridgeProcess

PATIENCE_S = 60.0
UNREACHABLE = {"sense": {"api_url": "http://127.0.0.1:1/"}, "mqtt": {"host": "127.0.0.1", "port": 1}}


def wait_for(bridge: BridgeProcess, text: str) -> None:
    ends = time.monotonic() + PATIENCE_S
    while text not in bridge.log:
        assert time.monotonic() < ends, bridge.log
        threading.Event().wait(0.05)


def test_a_hang_up_reads_the_configuration_again_and_a_fault_in_it_ends_nothing(tmp_path):
    with BridgeProcess(tmp_path, UNREACHABLE) as bridge:
        wait_for(bridge, "starts")
        bridge.config_file.write_text(json.dumps({**UNREACHABLE, "state_dir": str(tmp_path / "other")}))
        os.kill(bridge.pid, signal.SIGHUP)
        wait_for(bridge, "these changes take effect once sense-mqtt is started again: state_dir")
        wait_for(bridge, "the configuration was read again")
        bridge.config_file.write_text("mqtt: {prot: 1}")
        os.kill(bridge.pid, signal.SIGHUP)
        wait_for(bridge, "the new configuration has a mistake, the old one stays in force")
        wait_for(bridge, "mqtt.prot")
        assert bridge.stop() == 0
