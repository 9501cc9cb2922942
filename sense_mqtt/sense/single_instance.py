"""A lock that lets only one bridge use a state directory."""

import contextlib
import logging
from pathlib import Path
from types import TracebackType
from typing import Self

from sense_mqtt.clock import Moment
from sense_mqtt.errors import StateError
from sense_mqtt.sense.state_file import StateFile
from sense_mqtt.store.state_directory import Identity

logger = logging.getLogger(__name__)


class SingleInstanceLock:
    """Within the block a second bridge is refused; `login`, `check` and `lookup` are not."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._file = StateFile(state_dir / "bridge.json")  # only its lock file exists
        self._path = state_dir / "bridge.lock"
        self._held = contextlib.ExitStack()
        self._identity: Identity | None = None  # of the locked file; None if it could not be locked

    def __enter__(self) -> Self:
        if not self._take():
            self._held.close()
            raise StateError(
                f"{self._state_dir}: another sense-mqtt works there; stop it, or give this one a state_dir of its own"
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()

    def maintain(self, _now: Moment) -> None:
        """Lock again if the lock file was removed, or could not be locked. Call it once a second."""
        if self._identity is not None and self._identify() == self._identity:
            return
        if self._identity is not None:
            logger.error("%s was removed while we run; it is made again with all that we know", self._state_dir)
        self._held.close()
        if not self._take():
            logger.error("%s: another sense-mqtt works there now; stop one of both", self._state_dir)

    def _take(self) -> bool:
        is_ours = self._held.enter_context(self._file.exclusive_lock())
        self._identity = self._identify()
        return is_ours

    def _identify(self) -> Identity | None:
        try:
            status = self._path.lstat()
        except OSError:
            return None
        return status.st_dev, status.st_ino
