"""A small disk that can be filled: a tmpfs where we may mount one, else a limit on the size of files."""

import contextlib
import resource
import subprocess
from pathlib import Path
from typing import Self

SIZE_MB = 8


class SmallDisk:
    """The folder `path`, for the bridge's state."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"
        self._is_mounted = False

    def __enter__(self) -> Self:
        self.path.mkdir(mode=0o700)
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m,mode=0700", "none", str(self.path)]
        with contextlib.suppress(OSError):
            self._is_mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_mounted:
            subprocess.run(["umount", "-l", str(self.path)], capture_output=True, check=False)

    def fill(self, pid: int) -> None:
        """Let no byte more be written by this process."""
        if not self._is_mounted:
            _limit(pid, 0)
            return
        with contextlib.suppress(OSError), self._filler.open("ab", buffering=0) as file:
            for size in (65_536, 4_096, 1):
                with contextlib.suppress(OSError):
                    while file.write(bytes(size)):
                        pass

    def clear(self, pid: int) -> None:
        """Give the room back."""
        if self._is_mounted:
            self._filler.unlink(missing_ok=True)
        else:
            _limit(pid, resource.RLIM_INFINITY)


def _limit(pid: int, size: int) -> None:
    # Only the soft limit: without root what was lowered for good stays low.
    with contextlib.suppress(ProcessLookupError):
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if size == resource.RLIM_INFINITY else size, hard))
