"""A bridge whose loop stands still no longer speaks to systemd, which then kills it (WatchdogSec of the unit)."""

import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sense_mqtt.assembly.assemble import Factories
from sense_mqtt.cli.run import read_config, run
from sense_mqtt.logs.redaction import Redactor
from sense_mqtt.mqtt.client import MqttClient
from tests.support.processes.bridge_process import TIMING, BridgeProcess

UNREACHABLE = {"sense": {"api_url": "http://127.0.0.1:1/"}, "mqtt": {"host": "127.0.0.1", "port": 1}}
PATIENCE_S = 60.0
WATCHDOG_S = 1.0  # ten turns of a loop that ticks each 0.1 s; the unit says 60 s


class StallingClient(MqttClient):
    """Does not come back once a file says so: a call of the loop that should never wait, and does."""

    stall_file: Path

    def maintain(self) -> None:
        if self.stall_file.exists():
            threading.Event().wait()
        super().maintain()


def run_stalling(config_file: Path) -> int:
    StallingClient.stall_file = config_file.parent / "stall"
    redactor = Redactor()
    factories = Factories(broker=StallingClient)
    return run(read_config(config_file, {}, redactor), redactor, timing=TIMING, factories=factories)


class StallingBridge(BridgeProcess):
    """As systemd starts it: with a socket to speak to."""

    def __init__(self, folder: Path, address: str) -> None:
        super().__init__(folder, UNREACHABLE)
        self._notify = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6))}

    def _environ(self) -> dict[str, str]:
        return {**super()._environ(), **self._notify}

    def _program(self) -> tuple[Any, ...]:
        return run_stalling, self.config_file


@pytest.fixture
def notify_socket(tmp_path_factory) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path_factory.mktemp("s") / "n"))
        yield receiver


def receive(manager: socket.socket, timeout_s: float) -> str | None:
    """Return the next datagram; None where there was none in time."""
    manager.settimeout(timeout_s)
    try:
        return manager.recv(4096).decode()
    except TimeoutError:
        return None


def test_a_loop_that_stands_still_is_noticed_and_the_bridge_is_killed(tmp_path, notify_socket):
    with StallingBridge(tmp_path, notify_socket.getsockname()) as bridge:
        first = receive(notify_socket, PATIENCE_S)
        assert first is not None
        assert first.startswith("READY=1\n")
        for _ in range(2):
            following = receive(notify_socket, PATIENCE_S)
            assert following is not None
            assert "WATCHDOG=1" in following
        (tmp_path / "stall").touch()
        ends = time.monotonic() + PATIENCE_S
        while receive(notify_socket, WATCHDOG_S) is not None:
            assert time.monotonic() < ends
        assert bridge.kill() == -signal.SIGKILL
