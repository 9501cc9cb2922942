"""Small JSON files in the state directory: written whole or not at all, readable by nobody else."""

import contextlib
import fcntl
import json
import logging
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sense_mqtt.errors import ConfigError

log = logging.getLogger(__name__)

Stamp = tuple[int, int, int]  # tells one version of a file from another


class StateFile:
    """One JSON object in a file of mode 0600."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_damaged = False  # and that was logged; until it can be read again

    def load(self) -> dict[str, Any] | None:
        """Return what is stored; None where there is nothing, or nothing that can be read."""
        try:
            content = json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError(
                f"{self._path}: cannot be read ({error.strerror}); give it to the user we run as"
            ) from error
        except ValueError:
            content = None
        was_damaged, self._is_damaged = self._is_damaged, not isinstance(content, dict)
        if isinstance(content, dict):
            return content
        if not was_damaged:
            log.warning("%s holds no JSON object; going on as if it were not there", self._path)
        return None

    def save(self, content: dict[str, Any], *, durable: bool = True) -> None:
        """Replace the file in one step; once this returns, not even a power cut brings the old content back."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _replace(self._path, json.dumps(content, indent=1).encode(), durable=durable)
        except OSError as error:
            message = f"{self._path}: cannot be written ({error.strerror}); set state_dir to a directory of our own"
            raise ConfigError(message) from error

    def stamp(self) -> Stamp | None:
        """Return what changes whenever the file does."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    def warn_if_shared(self) -> None:
        """Say so where others may read the file."""
        with contextlib.suppress(OSError):
            if self._path.stat().st_mode & 0o077:
                log.warning("%s can be read by others; do `chmod 600 %s`", self._path, self._path)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out; they wait."""
        with _lock_file(self._path) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def claimed(self) -> Iterator[bool]:
        """Keep other processes out, or yield False at once where one keeps us out."""
        with _lock_file(self._path) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True


def device_id(state_dir: Path, make: Callable[[], str] = lambda: uuid.uuid4().hex) -> str:
    """Return the id by which Sense knows this installation; made once, then kept: tokens may hang on it (facts 1)."""
    file = StateFile(state_dir / "device.json")
    stored = (file.load() or {}).get("device_id")
    if isinstance(stored, str) and stored.isalnum():
        return stored
    made = make()
    file.save({"device_id": made})
    return made


@contextlib.contextmanager
def _lock_file(path: Path) -> Iterator[int]:
    """A file beside the real one, since that is replaced at each writing; the lock ends with the descriptor."""
    lock_path = path.with_suffix(".lock")
    try:
        lock_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _give_away(lock, lock_path.parent)
    except OSError as error:
        message = f"{lock_path}: cannot be opened ({error.strerror}); set state_dir to a directory of our own"
        raise ConfigError(message) from error
    try:
        yield lock
    finally:
        os.close(lock)


def _replace(path: Path, content: bytes, *, durable: bool) -> None:
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600 from birth
    try:
        with os.fdopen(handle, "wb") as file:
            _give_away(handle, path.parent)
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
    if durable:
        _sync_directory(path.parent)


def _give_away(descriptor: int, directory: Path) -> None:
    """As root (`sudo sense-mqtt login`), give the file to the directory's owner: the bridge must be able to read it."""
    if os.geteuid() == 0:
        with contextlib.suppress(OSError):  # a root without that right
            owner = directory.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _sync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
