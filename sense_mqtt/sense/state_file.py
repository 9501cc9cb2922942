"""Small JSON files in the state directory: replaced in one step, mode 0600."""

import contextlib
import fcntl
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sense_mqtt.errors import StateError
from sense_mqtt.store.state_directory import Chown, Identity, StateDirectory, chown_of_root, open_directory

logger = logging.getLogger(__name__)

Stamp = tuple[int, int, int]  # changes with each version of a file


class StateFile:
    """One JSON object in a file of mode 0600. Raises StateError if its directory cannot be used."""

    def __init__(self, path: Path, chown: Chown | None = None) -> None:
        self._path = path
        self._is_damaged = False  # and that was logged
        self._chown = chown or chown_of_root()
        self._directory: Identity | None = None  # where the file was last read or written
        self._warned = False  # that locking failed

    def load(self) -> dict[str, Any] | None:
        """Return the content; None if there is no file, or it is damaged (logged once)."""
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
            logger.warning("%s holds no JSON object and is ignored", self._path)
        return None

    def save(self, content: dict[str, Any], *, durable: bool = True) -> None:
        """Replace the file in one step; if `durable` it is on the disk when this returns."""
        raw = json.dumps(content, indent=1).encode()
        with self._opened("cannot be written", make=True) as directory:
            directory.replace(self._path.name, raw, durable=durable)
            self._directory = directory.identity

    def stamp(self) -> Stamp | None:
        """Return a value that changes whenever the file does; None if there is no file."""
        try:
            status = self._path.lstat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    def directory_was_replaced(self) -> bool:
        """True once after the directory of the file was removed or replaced."""
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
        """Log a warning if other users can read the file."""
        with contextlib.suppress(OSError):
            if self._path.stat().st_mode & 0o077:
                logger.warning("%s can be read by others; do `chmod 600 %s`", self._path, self._path)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock; other processes wait. If locking fails, log it once and continue without."""
        with self._lock(fcntl.LOCK_EX):
            yield

    @contextlib.contextmanager
    def exclusive_lock(self) -> Iterator[bool]:
        """Hold the lock, or yield False at once if another process holds it. If locking fails: as `locked`."""
        with self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB) as is_ours:
            yield is_ours

    @contextlib.contextmanager
    def _lock(self, how: int) -> Iterator[bool]:
        """Lock a file beside the real one, which is replaced at each write; closing the descriptor unlocks."""
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
        """Return the descriptor of the lock file."""
        path = self._path.with_suffix(".lock")
        with _opened(path, "cannot be opened", self._chown, make=True) as directory:
            return directory.open_lock(path.name)

    def _warn_once(self, error: StateError | OSError) -> None:
        if not self._warned:
            logger.warning("%s: continuing without a lock against other processes: %s", self._path, error)
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
