"""The bridge as people run it: `sense-mqtt run` in a process of its own."""

import json
import os
import signal
from pathlib import Path
from typing import Any, Self

from sense_mqtt.assembly.timing import Timing
from sense_mqtt.cli.main import main
from sense_mqtt.cli.run import read_config, run
from sense_mqtt.core.backoff import Backoff
from sense_mqtt.logs.redaction import Redactor
from tests.support.processes.forked_process import ForkedProcess

END_TIMEOUT_S = 15.0


class BridgeProcess:
    """Started with a configuration file; stopped, killed and started again at will."""

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        self.config_file = folder / "config.yaml"
        self.config_file.write_text(json.dumps({"state_dir": str(folder / "state"), **config}))  # JSON is YAML
        self.config_file.chmod(0o600)
        self.log_file = folder / "bridge.log"
        self._process: ForkedProcess | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()

    def start(self) -> None:
        self.log_file.touch()
        program, *arguments = self._program()
        streams = (Path(os.devnull), self.log_file, self.log_file)
        self._process = ForkedProcess(program, arguments, self._environ(), streams)

    def _environ(self) -> dict[str, str]:
        """Return the environment without settings: the configuration file alone says what the bridge does."""
        return {name: value for name, value in os.environ.items() if not name.startswith("SENSE_MQTT_")}

    def _program(self) -> tuple[Any, ...]:
        """Return what runs, and its arguments."""
        return main, ["run", "--config", str(self.config_file)]

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


class QuickBridge(BridgeProcess):
    """Asks Sense without the second between two calls, and tries again soon: for tests of many calls or attempts."""

    def _program(self) -> tuple[Any, ...]:
        return run_quickly, self.config_file


RETRY = Backoff(first_s=0.1, most_s=0.4, least_s=0.02)
TIMING = Timing(rest_spacing_s=0.0, feed_spacing_s=0.02, feed=RETRY, broker=RETRY, scheduler=RETRY, tick_s=0.1)


def run_quickly(config_file: Path) -> int:
    redactor = Redactor()
    return run(read_config(config_file, {}, redactor), redactor, timing=TIMING)
