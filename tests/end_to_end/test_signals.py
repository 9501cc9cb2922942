"""What signals do to a running bridge."""

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


def test_a_hang_up_of_the_terminal_is_logged_and_ends_nothing(tmp_path):
    with BridgeProcess(tmp_path, UNREACHABLE) as bridge:
        wait_for(bridge, "starts")
        os.kill(bridge.pid, signal.SIGHUP)
        wait_for(bridge, "SIGHUP is ignored; restart sense-mqtt to read a changed configuration")
        assert bridge.stop() == 0
