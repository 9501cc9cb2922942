"""What cannot be dealt with ends nothing: it is passed over, told once and counted."""

import logging
import traceback
from collections.abc import Callable
from typing import ParamSpec

from sense_mqtt.bridge.health import Counters

P = ParamSpec("P")

logger = logging.getLogger(__name__)


class ErrorGuard:
    """The loop's one `except Exception`; safe because `observe` returns a new Home. For the bridge's thread only."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._told: set[tuple[str, str, int | None]] = set()  # bounded by the lines of code that can fail

    def attempt(self, what: str, do: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Do it; where that raises, go on."""
        try:
            do(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the one place: an item that cannot be dealt with ends nothing
            self._count(what, error)

    def _count(self, what: str, error: Exception) -> None:
        self._counters.errors += 1
        place = traceback.extract_tb(error.__traceback__)[-1]
        fault = (what, place.filename, place.lineno)
        if fault not in self._told:
            self._told.add(fault)
            logger.error("%s could not be processed and is skipped; repeats are only counted", what, exc_info=error)
