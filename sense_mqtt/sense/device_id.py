"""The id by which Sense knows this installation, in device.json."""

import logging
import uuid
from collections.abc import Callable
from pathlib import Path

from sense_mqtt.errors import StateError
from sense_mqtt.sense.state_file import StateFile
from sense_mqtt.sense.state_model import StateModel

logger = logging.getLogger(__name__)

_temporary_ids: dict[Path, str] = {}  # of state directories that cannot be used, as long as the process runs


class SavedDevice(StateModel):
    """The content of device.json."""

    device_id: str = ""


def device_id(state_dir: Path, make: Callable[[], str] = lambda: uuid.uuid4().hex) -> str:
    """Return the id by which Sense knows this installation; made once, then stored: tokens may depend on it.

    If it cannot be stored at present, it lasts as long as the process.
    """
    try:
        stored = _stored_id(state_dir)
        made = stored or _temporary_ids.get(state_dir) or make()
        if stored is None:
            store_device_id(state_dir, made)
    except StateError as error:
        if state_dir not in _temporary_ids:
            logger.warning("after a restart Sense will take us for another installation: %s", error)
        return _temporary_ids.setdefault(state_dir, make())
    return made


def store_device_id(state_dir: Path, known: str) -> None:
    """Store the id by which Sense knows us, unless one is stored."""
    if _stored_id(state_dir) is None:
        SavedDevice(device_id=known).save(_file(state_dir))


def _stored_id(state_dir: Path) -> str | None:
    stored = SavedDevice.load(_file(state_dir)).device_id
    return stored if stored.isalnum() else None


def _file(state_dir: Path) -> StateFile:
    return StateFile(state_dir / "device.json")
