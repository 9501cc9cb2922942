"""The process of the bridge under test: started, killed, made to crash, started again."""

import io
import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from sense_mqtt.assembly.sense_client import connect_sense
from sense_mqtt.bridge.health import read_rss_mb
from sense_mqtt.config import load
from sense_mqtt.inbox import Inbox
from sense_mqtt.logs.redaction import Redactor
from tests.support.faults import fast_bridge_main
from tests.support.faults.shared_clock import SharedClock
from tests.support.processes.forked_process import ForkedProcess

END_TIMEOUT_S = 10.0


@dataclass(slots=True)
class ProcessRun:
    """One process, and the memory it used: once it worked, and last."""

    started: float  # monotonic
    first_mb: float | None = None
    last_mb: float | None = None


class BridgeUnderTest:
    """One bridge after the other, with one state directory."""

    def __init__(self, folder: Path, config: dict[str, Any], clock: Path, shorter: dict[str, Any]) -> None:
        """`shorter`: waits by section and key that go below what people may set."""
        self._config, self._settings, self._clock = folder / "config.yaml", folder / "settings.json", clock
        self._config.write_text(json.dumps(config))  # JSON is YAML
        self._config.chmod(0o600)
        settings = {"config": str(self._config), "clock": str(clock), "shorter": shorter, "log_level": "DEBUG"}
        self._settings.write_text(json.dumps(settings))
        self.log_file = folder / "bridge.log"
        self._orders_file = folder / "orders"
        self._orders: BinaryIO = io.BytesIO()
        self._process: ForkedProcess | None = None
        self.runs: list[ProcessRun] = []
        self.exits: list[int] = []

    def log_in(self) -> None:
        """Store a session, as `sense-mqtt login` does: a machine too busy for its one login would end the schedule."""
        config = load(self._config, {}, self._config.parent)
        connect_sense(config, Inbox().put, Redactor(), SharedClock(self._clock)).session.account()

    def start(self) -> None:
        """Harmless where it runs already: two faults of one step may both have ended it."""
        if self.is_alive:
            return
        self._orders.close()
        self._orders_file.unlink(missing_ok=True)
        os.mkfifo(self._orders_file)
        self._orders = os.fdopen(os.open(self._orders_file, os.O_RDWR), "wb", buffering=0)
        streams = (self._orders_file, self.log_file, self.log_file)
        self._process = ForkedProcess(fast_bridge_main.main, [str(self._settings)], os.environ, streams)
        self.runs.append(ProcessRun(time.monotonic()))

    def arm(self, moment: str, number: int) -> None:
        """Let it crash at the `number`-th such moment from now on (crash_points.py)."""
        self._orders.write(f"{moment} {number}\n".encode())  # into a pipe; where it has ended, nobody reads it

    def kill(self) -> None:
        """As `kill -9`; harmless where it has ended already."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """As a host that sleeps; harmless where it has ended, as `thaw` is."""
        self._alive().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._alive().send_signal(signal.SIGCONT)

    def stop(self) -> int:
        """Ask it to stop and return its exit code."""
        return self._end(signal.SIGTERM)

    def wait_for_exit(self, timeout_s: float) -> bool:
        try:
            self._alive().wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._alive().pid

    def measure_memory(self) -> None:
        """Note how much memory the process uses now."""
        if self.is_alive:
            run = self.runs[-1]
            run.last_mb = read_rss_mb(Path(f"/proc/{self.pid}/status"))
            run.first_mb = run.first_mb or run.last_mb

    def _alive(self) -> ForkedProcess:
        assert self._process is not None, "start() it first"
        return self._process

    def _end(self, number: signal.Signals) -> int:
        process = self._alive()
        self.measure_memory()
        process.send_signal(number)
        try:
            code = process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            code = process.wait()
        self.exits.append(code)
        return code
