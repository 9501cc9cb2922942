"""Which version of MQTT the next attempt speaks where mqtt.protocol is `auto`, and what was learnt of it.

A broker that does not know MQTT 5 says so, hangs up, or never answers. Hanging up may also mean that it is
just starting. So after a hang-up MQTT 3.1.1 is not kept before MQTT 5 was tried once more, while the broker is
known to run.
"""

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from sense_mqtt.errors import StateError
from sense_mqtt.store.state_directory import chown_of_root, open_directory

logger = logging.getLogger(__name__)

Version = Literal["5", "3.1.1"]

FILE = "broker.json"
REMEMBERED_S = 7 * 86400.0  # after so long MQTT 5 is tried again


class ProtocolMemory:
    """That a broker speaks MQTT 3.1.1 only; kept over restarts, where there is a state directory."""

    def __init__(self, broker: str, state_dir: Path | None = None, now: Callable[[], float] = time.time) -> None:
        """`broker` is where it is: of another one nothing was learnt."""
        self._broker, self._state_dir, self._now = broker, state_dir, now
        self._since: float | None = self._load()  # seconds UTC

    def is_3_1_1_only(self) -> bool:
        """Say whether it speaks MQTT 3.1.1 only, as was learnt not longer than REMEMBERED_S ago."""
        return self._since is not None and 0 <= self._now() - self._since < REMEMBERED_S

    def remember(self, *, older: bool) -> None:
        """Keep that it speaks MQTT 3.1.1 only, or that it does not."""
        before, self._since = self._since, self._now() if older else None
        if self._state_dir is None or (self._since is None and before is None):
            return
        content = json.dumps({"broker": self._broker, "mqtt_3_1_1_only_since": self._since}).encode()
        try:
            with open_directory(self._state_dir, make=True, chown=chown_of_root()) as directory:
                directory.replace(FILE, content, durable=False)
        except (OSError, StateError) as error:
            logger.warning("%s: cannot be written (%s); it only saves time at the next start", FILE, error)

    def _load(self) -> float | None:
        if self._state_dir is None:
            return None
        try:
            with open_directory(self._state_dir) as directory:
                content: Any = json.loads(directory.read(FILE))
        except (OSError, StateError, ValueError, RecursionError):
            return None
        learnt = content.get("mqtt_3_1_1_only_since") if isinstance(content, dict) else None
        is_usable = isinstance(learnt, int | float) and content.get("broker") == self._broker
        return learnt if is_usable else None


class ProtocolChoice:
    """The version that is spoken. Called for the present attempt or connection only."""

    def __init__(self, wanted: Literal["auto", "5", "3.1.1"], memory: ProtocolMemory) -> None:
        self._is_auto = wanted == "auto"
        self._memory = memory
        self._took_5 = False
        self._is_second_try = False  # of MQTT 5, with a broker that has just taken 3.1.1
        self.version: Version = "3.1.1" if wanted == "3.1.1" or (self._is_auto and memory.is_3_1_1_only()) else "5"

    def refused(self) -> bool:
        """The broker said that it does not know this version; say whether the other one is tried now."""
        if not self._is_auto:
            return False
        older = self.version == "5"
        self._took_5 = self._is_second_try = False
        self._memory.remember(older=older)
        self.version = "3.1.1" if older else "5"
        return older

    def unanswered(self, *, silent: bool) -> bool:
        """The broker hung up before it answered, or never answered; say whether the other version is tried now."""
        if not self._is_auto or self._took_5:
            return False
        if self.version == "3.1.1":
            self.version = "3.1.1" if self._memory.is_3_1_1_only() else "5"
            return False
        if silent or self._is_second_try:
            self._memory.remember(older=True)
        self.version, self._is_second_try = "3.1.1", False
        return True

    def taken(self) -> bool:
        """The broker took us; say whether the connection is kept, or else MQTT 5 is tried once more at once."""
        if self.version == "5":
            self._took_5, self._is_second_try = True, False
            self._memory.remember(older=False)
        elif self._is_auto and not self._memory.is_3_1_1_only():
            self.version, self._is_second_try = "5", True
            return False
        return True
