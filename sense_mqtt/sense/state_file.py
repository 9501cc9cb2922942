"""Small JSON files in the state directory: written whole or not at all, readable by nobody else."""

import contextlib
import fcntl
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sense_mqtt.errors import StateError
from sense_mqtt.state_directory import Chown, Identity, StateDirectory, chown_of_root, open_directory

logger = logging.getLogger(__name__)

Stamp = tuple[int, int, int]  # tells one version of a file from another


class StateFile:
    """One JSON object in a file of mode 0600. Raises StateError where its directory cannot be used."""

    def __init__(self, path: Path, chown: Chown | None = None) -> None:
        self._path = path
        self._is_damaged = False  # and that was logged; until it can be read again
        self._chown = chown or chown_of_root()
        self._directory: Identity | None = None  # in which the file was last read or written
        self._warned = False  # that there is no lock

    def load(self) -> dict[str, Any] | None:
        """Return what is stored; None where there is nothing, or nothing that can be read."""
        try:
            with self._opened("cannot be read") as directory:
                raw = directory.read(self._path.name)
                self._directory = directory.identity
            content = json.loads(raw.decode())
        except FileNotFoundError:
            return None
        except (ValueError, RecursionError):
            content = None
        was_damaged, self._is_damaged = self._is_damaged, not isinstance(content, dict)
        if isinstance(content, dict):
            return content
        if not was_damaged:
            logger.warning("%s holds no JSON object; going on as if it were not there", self._path)
        return None

    def save(self, content: dict[str, Any], *, durable: bool = True) -> None:
        """Replace the file in one step; once this returns, not even a power cut brings the old content back."""
        raw = json.dumps(content, indent=1).encode()
        with self._opened("cannot be written", make=True) as directory:
            directory.replace(self._path.name, raw, durable=durable)
            self._directory = directory.identity

    def stamp(self) -> Stamp | None:
        """Return what changes whenever the file does."""
        try:
            status = self._path.lstat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    def directory_was_replaced(self) -> bool:
        """Say whether the directory in which the file was is gone, or another one now; once for each directory."""
        if self._directory is None:
            return False
        try:
            status = self._path.parent.stat()
            is_lost = (status.st_dev, status.st_ino) != self._directory
        except FileNotFoundError:
            is_lost = True
        except OSError:
            is_lost = False
        if is_lost:
            self._directory = None
        return is_lost

    def warn_if_readable_by_others(self) -> None:
        """Say so where others may read the file."""
        with contextlib.suppress(OSError):
            if self._path.stat().st_mode & 0o077:
                logger.warning("%s can be read by others; do `chmod 600 %s`", self._path, self._path)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out; they wait. Where there can be no lock, say so once and go on without."""
        with self._lock(fcntl.LOCK_EX):
            yield

    @contextlib.contextmanager
    def exclusive_lock(self) -> Iterator[bool]:
        """Keep other processes out, or yield False at once where one keeps us out. Without a lock as `locked`."""
        with self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB) as is_ours:
            yield is_ours

    @contextlib.contextmanager
    def _lock(self, how: int) -> Iterator[bool]:
        """A file beside the real one, since that is replaced at each writing; the lock ends with the descriptor."""
        descriptor, is_ours = None, True
        try:
            descriptor = self.open_lock()
            fcntl.flock(descriptor, how)
        except BlockingIOError:
            is_ours = False
        except (StateError, OSError) as error:
            self._warn_once(error)
        try:
            yield is_ours
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def open_lock(self) -> int:
        """Return the descriptor of the file that is locked in place of this one."""
        path = self._path.with_suffix(".lock")
        with _opened(path, "cannot be opened", self._chown, make=True) as directory:
            return directory.open_lock(path.name)

    def _warn_once(self, error: StateError | OSError) -> None:
        if not self._warned:
            logger.warning("%s: going on without keeping other processes out: %s", self._path, error)
        self._warned = True

    def _opened(self, what: str, *, make: bool = False) -> contextlib.AbstractContextManager[StateDirectory]:
        return _opened(self._path, what, self._chown, make=make)


@contextlib.contextmanager
def _opened(path: Path, what: str, chown: Chown | None, *, make: bool) -> Iterator[StateDirectory]:
    try:
        with open_directory(path.parent, make=make, chown=chown) as directory:
            yield directory
    except FileNotFoundError:
        if make:
            raise StateError(f"{path}: {what} (its directory went away)") from None
        raise
    except OSError as error:
        message = f"{path}: {what} ({error.strerror}); make state_dir a directory of the user we run as, with room"
        raise StateError(message) from error
