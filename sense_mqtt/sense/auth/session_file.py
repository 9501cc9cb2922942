"""session.json, and with it the device id: both are needed for a session that outlives the process."""

import contextlib
import logging
from pathlib import Path
from typing import Any

from sense_mqtt.errors import StateError
from sense_mqtt.sense.device_id import store_device_id
from sense_mqtt.sense.state_file import StateFile

logger = logging.getLogger(__name__)


class SessionFile(StateFile):
    """session.json, and with it the id by which Sense knows us; where it cannot be written, the session goes on."""

    def __init__(self, state_dir: Path, known_id: str) -> None:
        super().__init__(state_dir / "session.json")
        self._state_dir, self._known_id = state_dir, known_id

    def store(self, content: dict[str, Any]) -> None:
        """Store the session, and the id where that is not stored."""
        try:
            self.save(content)
        except StateError as error:  # without its traceback, which tells nothing more
            logger.log(logging.ERROR, "the session could not be stored, so a restart must log in anew: %s", error)
        else:
            with contextlib.suppress(StateError):  # `device_id` has said so
                store_device_id(self._state_dir, self._known_id)
