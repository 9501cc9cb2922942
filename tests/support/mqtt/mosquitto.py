"""A real Mosquitto on a free port, that can be killed, stopped and started again."""

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from tests.support.checkout import skip_unless_in_ci

HOW_TO_GET_IT = (
    "mosquitto is not installed: `sudo apt-get install mosquitto` (Debian, Ubuntu), `brew install mosquitto`"
)
START_TIMEOUT_S = 10.0


def find_mosquitto() -> str | None:
    """Return where Mosquitto is; Debian keeps it out of a user's path."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def make_mosquitto(folder: Path, extra: str = "") -> "Mosquitto":
    """Return a real Mosquitto with more lines in its configuration; skips the test where none is installed."""
    if find_mosquitto() is None:
        skip_unless_in_ci(HOW_TO_GET_IT)
    return Mosquitto(folder, extra)


class Mosquitto:
    """One broker; `stop` and `start` keep the port."""

    def __init__(self, folder: Path, extra: str = "") -> None:
        self.port = free_port()
        self._config = folder / f"mosquitto-{self.port}.conf"
        anonymous = "" if "password_file" in extra else "allow_anonymous true"
        self._config.write_text(f"listener {self.port} 127.0.0.1\n{anonymous}\n{extra}\n")
        self._log = folder / f"mosquitto-{self.port}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        program = find_mosquitto()
        assert program is not None, HOW_TO_GET_IT
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([program, "-c", str(self._config)], stdout=log, stderr=log)
        wait_for_port(self.port, START_TIMEOUT_S)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Let it keep its sockets and do nothing; without effect where it was killed, as `thaw` is."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port: int, timeout_s: float) -> None:
    """Return once somebody listens there."""
    ends = time.monotonic() + timeout_s
    while time.monotonic() < ends:
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise TimeoutError(f"nobody listens on port {port}")
