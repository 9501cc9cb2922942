"""Commands as people and scripts run them: `sense-mqtt login`, `check` and the like, each in a process of its own."""

import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sense_mqtt.cli.main import main
from tests.support.processes.forked_process import ForkedProcess

END_TIMEOUT_S = 60.0
CHECKS = [
    "config",
    "dns api",
    "tls api",
    "login",
    "monitors",
    "dns feed",
    "tls feed",
    "feed",
    "dns broker",
    "broker",
    "home assistant",
    "webhooks",
    "page",
]


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a command."""

    exit_code: int
    out: str
    err: str

    @property
    def lines(self) -> dict[str, str]:
        """What `check` found, by the name of the check: `ok`, `FAIL` or `skip`, and what was told."""
        found = (line.partition(": ") for line in self.out.splitlines())
        return {head[5:]: f"{head[:4].strip()} {told}" for head, _, told in found}

    @property
    def verdicts(self) -> dict[str, str]:
        """What `check` found, by the name of the check: `ok`, `FAIL` or `skip`."""
        return {name: told.partition(" ")[0] for name, told in self.lines.items()}


def command(config_file: Path, name: str, *arguments: str) -> list[str]:
    """Return the words of a command line."""
    return [sys.executable, "-m", "sense_mqtt", name, "--config", str(config_file), *arguments]


def write_config(folder: Path, config: Mapping[str, Any]) -> Path:
    file = folder / "command.yaml"
    file.write_text(json.dumps({"state_dir": str(folder / "state"), **config}))  # JSON is YAML
    file.chmod(0o600)
    return file


def run_command(config_file: Path, name: str, *arguments: str, lines: str = "", **environ: str) -> Ended:
    """Run a command to its end, with these lines as standard input."""
    return run_words([name, "--config", str(config_file), *arguments], lines.encode(), **environ)


def run_words(words: Sequence[str], typed: bytes = b"", **environ: str) -> Ended:
    """Run `sense-mqtt` with these words to its end, with `typed` as standard input."""
    with tempfile.TemporaryDirectory() as folder:
        typed_file, out, err = (Path(folder) / name for name in ("in", "out", "err"))
        typed_file.write_bytes(typed)
        exit_code = ForkedProcess(main, [words], {**os.environ, **environ}, (typed_file, out, err)).wait(END_TIMEOUT_S)
        return Ended(exit_code, out.read_text(), err.read_text())
