"""A real Home Assistant: where it is, the script that asks it what it shows, and one that a test starts and stops."""

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.support.checkout import ROOT, SHARED
from tests.support.mqtt.listener import Listener
from tests.support.processes.home_assistant_api import HomeAssistantApi

PROBE = SHARED / "tools" / "ha_probe.py"
FAKE_TIME = Path(os.environ.get("LIBFAKETIME", "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"))
PYTHON = Path(os.environ.get("HOME_ASSISTANT_VENV", "nowhere")) / "bin/python"
MAIN = ROOT / "tests/support/processes/home_assistant_main.py"
START_TIMEOUT_S = 240.0
STOP_TIMEOUT_S = 60.0


class HomeAssistant:
    """Home Assistant with one configuration and one broker; what it remembers stays from one start to the next."""

    def __init__(
        self, config: Path, listener: Listener, broker_port: int, environ: Mapping[str, str] | None = None
    ) -> None:
        """`environ` is what its environment has beside that of the test."""
        self._config, self._listener, self._port = config, listener, broker_port
        self._environ = {**os.environ, **(environ or {})}
        self._output = config / "warnings.txt"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Return once it has subscribed at the broker, after which it says that it is there."""
        births = self.births
        with self._output.open("ab") as output, (self._config / "console.txt").open("ab") as console:
            command = [PYTHON, MAIN, self._config, str(self._port)]
            self._process = subprocess.Popen(command, stdout=output, stderr=console, env=self._environ)
        self.wait_for_birth(births)

    def wait_for_birth(self, seen: int) -> None:
        """Return once it has said more than `seen` times that it is there."""
        self._listener.wait_for(lambda _: self.births > seen, "Home Assistant's birth", START_TIMEOUT_S)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(STOP_TIMEOUT_S)
            self._process = None

    def api(self, port: int) -> HomeAssistantApi:
        """Return a new session at the port that its configuration gives to `http`."""
        return HomeAssistantApi(port, (self._config / "token").read_text())

    @property
    def complaints(self) -> list[str]:
        """Its warnings and errors, of all its lives."""
        return self._output.read_text().splitlines()

    @property
    def births(self) -> int:
        """How many times it has said that it is there."""
        return sum(said.payload == "online" for said in self._listener.messages("homeassistant/status"))
