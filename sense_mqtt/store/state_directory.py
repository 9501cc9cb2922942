"""Files in the state directory, by descriptor: never through a link, and given away only where we have just made them.

Root runs `sense-mqtt login` over a directory that belongs to the service's user, who may put anything under any name
there, at any moment. So no name is trusted: it is opened without following links, and what was opened is looked at.
"""

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from sense_mqtt.errors import StateError

Chown = Callable[[int, int, int], None]  # descriptor, user, group
Identity = tuple[int, int]  # of a file or directory, whatever its name

FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a FIFO in place of a file must not make us wait
NOT_WRITABLE = (errno.EROFS, errno.EACCES, errno.EPERM)


def chown_of_root() -> Chown | None:
    """Return how we give files away; None where we are not root, and what we make is the bridge's already."""
    return os.fchown if os.geteuid() == 0 else None


class StateDirectory:
    """The directory, held open; names are those of files in it. All of it may raise OSError or StateError."""

    def __init__(self, path: Path, descriptor: int, chown: Chown | None) -> None:
        self._path = path
        self._descriptor = descriptor
        self._chown = chown
        self._status = os.fstat(descriptor)

    @property
    def identity(self) -> Identity:
        return self._status.st_dev, self._status.st_ino

    def status(self, name: str) -> os.stat_result | None:
        """Return what is there under this name, be it a link; None where nothing is."""
        try:
            return os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def read(self, name: str) -> bytes:
        """Return what a file holds. Raises FileNotFoundError."""
        with os.fdopen(self._open(name, os.O_RDONLY), "rb") as file:
            return file.read()

    def replace(self, name: str, content: bytes, *, durable: bool) -> None:
        """Put a new file under this name in one step; what was there is not touched, only no longer there."""
        temporary = f".{name}.{secrets.token_hex(8)}"
        descriptor = self._create(temporary)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                if durable:
                    os.fsync(descriptor)
            self.rename(temporary, name)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=self._descriptor)
            raise
        if durable:
            os.fsync(self._descriptor)

    def rename(self, name: str, other: str) -> None:
        descriptor = self._descriptor
        os.rename(name, other, src_dir_fd=descriptor, dst_dir_fd=descriptor)

    def open_lock(self, name: str) -> int:
        """Return the descriptor of a file to lock, made where it is missing."""
        while True:
            with contextlib.suppress(FileExistsError):  # another process made it in between
                try:
                    return self._open(name, os.O_RDWR)
                except FileNotFoundError:
                    return self._create(name)
                except OSError as error:
                    if error.errno not in NOT_WRITABLE:
                        raise
                    return self._open(name, os.O_RDONLY)  # on a read-only disk it can be locked all the same

    def make_private(self, name: str) -> None:
        """Let nobody else read a file that others open by name. Raises StateError where it is no plain file."""
        status = self.status(name)
        if status is None:
            return
        self._refuse_unless_plain(name, status)
        if stat.S_IMODE(status.st_mode) & 0o077:
            with contextlib.suppress(OSError):  # another user's: its mode is theirs to change
                descriptor = self._open(name, os.O_RDONLY)
                try:
                    os.fchmod(descriptor, 0o600)
                finally:
                    os.close(descriptor)

    def create_private(self, name: str) -> None:
        """Make an empty file that nobody else can read, unless there is a file."""
        if self.status(name) is None:
            with contextlib.suppress(FileExistsError):
                os.close(self._create(name))

    def _create(self, name: str) -> int:
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | FLAGS, 0o600, dir_fd=self._descriptor)
        if self._chown:
            with contextlib.suppress(OSError):  # a root without that right
                self._chown(descriptor, self._status.st_uid, self._status.st_gid)
        return descriptor

    def _open(self, name: str, how: int) -> int:
        try:
            descriptor = os.open(name, how | FLAGS, dir_fd=self._descriptor)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):  # a link, a directory, a FIFO
                raise self._not_plain(name) from error
            raise
        try:
            self._refuse_unless_plain(name, os.fstat(descriptor))
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _refuse_unless_plain(self, name: str, status: os.stat_result) -> None:
        """Refuse what is no file, and another user's file that has a name elsewhere too (a hard link)."""
        is_foreign = status.st_nlink > 1 and status.st_uid != self._status.st_uid
        if not stat.S_ISREG(status.st_mode) or is_foreign:
            raise self._not_plain(name)

    def _not_plain(self, name: str) -> StateError:
        return StateError(f"{self._path / name}: is a link, or no plain file, and was left alone; remove it")


@contextlib.contextmanager
def open_directory(path: Path, *, make: bool = False, chown: Chown | None = None) -> Iterator[StateDirectory]:
    """Open the state directory, made where wanted. Raises StateError, or OSError."""
    if make:
        _make(path)
    named = path.lstat()
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        directory = StateDirectory(path, descriptor, chown)
        if named.st_uid not in (0, os.geteuid(), os.fstat(descriptor).st_uid):
            raise StateError(f"{path}: another user's link leads there; set state_dir to the directory itself")
        yield directory
    finally:
        os.close(descriptor)


def _make(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError as error:
        what = "is a link that leads nowhere" if path.is_symlink() else "is no directory"
        raise StateError(f"{path}: {what}; make that directory, or set state_dir to one") from error
