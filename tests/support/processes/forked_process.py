"""Our programs in processes of their own, forked from a server that has imported them: starting costs no imports.

Most of a short command's time is importing what it is made of, which each test would pay anew. What is forked is an
ordinary process otherwise: own streams, environment, signals and exit code. That a fresh interpreter does the same is
claimed by `tests/cli/test_main.py`, `test_run_is_lean.py` and the demo's tests.
"""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["sense_mqtt.cli.main", "sense_mqtt.assembly.assemble"])


class ForkedProcess:
    """A running program. The names are those of `subprocess.Popen`."""

    def __init__(
        self,
        program: Callable[..., int],
        arguments: Iterable[object],
        environ: Mapping[str, str],
        files: tuple[Path, Path, Path],
    ) -> None:
        """`program` takes the arguments, returns an exit code; `files`: standard streams, read or appended to."""
        given = (program, tuple(arguments), dict(environ), files)
        self._process = _context.Process(target=_become, args=given)
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """Return the exit code, the number of a signal as a negative one; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout_s: float | None = None) -> int:
        """Return the exit code. Raises subprocess.TimeoutExpired."""
        self._process.join(timeout_s)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("sense-mqtt", timeout_s or 0.0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Harmless where it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


def _become(
    program: Callable[..., int], arguments: tuple[object, ...], environ: dict[str, str], files: tuple[Path, Path, Path]
) -> None:
    os.environ.clear()
    os.environ.update(environ)
    modes = (os.O_RDONLY, *2 * (os.O_WRONLY | os.O_CREAT | os.O_APPEND,))
    for descriptor, (file, mode) in enumerate(zip(files, modes, strict=True)):
        opened = os.open(file, mode, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.stdin = os.fdopen(0, encoding="utf-8")
    sys.stdout = os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1)
    sys.exit(program(*arguments))
