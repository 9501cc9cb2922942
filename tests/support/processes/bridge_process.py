"""The bridge as people run it: `sense-mqtt run` in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

END_TIMEOUT_S = 15.0


def _own_environment() -> dict[str, str]:
    """Return the environment without settings: the configuration file alone says what the bridge does."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SENSE_MQTT_")}


class BridgeProcess:
    """Started with a configuration file; stopped, killed and started again at will."""

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        self.config_file = folder / "config.yaml"
        self.config_file.write_text(json.dumps({"state_dir": str(folder / "state"), **config}))  # JSON is YAML
        self.config_file.chmod(0o600)
        self.log_file = folder / "bridge.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()

    def start(self) -> None:
        command = [sys.executable, "-m", "sense_mqtt", "run", "--config", str(self.config_file)]
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=_own_environment())

    def stop(self) -> int:
        """Ask it to stop and return its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        return self._end(signal.SIGKILL)

    def wait(self, timeout_s: float = END_TIMEOUT_S) -> int:
        assert self._process is not None
        return self._process.wait(timeout_s)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(END_TIMEOUT_S)
