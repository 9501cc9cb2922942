"""Run a handler; log its exception once, count it, continue."""

import logging
import traceback
from collections.abc import Callable
from typing import ParamSpec

from sense_mqtt.bridge.health import Counters
from sense_mqtt.logs.repeat_log import RepeatLog

P = ParamSpec("P")

logger = logging.getLogger(__name__)


class ErrorGuard:
    """The loop's one `except Exception`; safe because `observe` returns a new Home. For the bridge's thread only."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._log = RepeatLog(logger)  # bounded by the lines of code that can fail

    def attempt(self, what: str, do: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Call `do`; an exception is logged with a traceback once for each place in the code that raises."""
        try:
            do(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the one place: one bad item must not end the bridge
            self._count(what, error)

    def _count(self, what: str, error: Exception) -> None:
        self._counters.errors += 1
        place = traceback.extract_tb(error.__traceback__)[-1]
        fault = (what, place.filename, place.lineno)
        text = "unexpected error in %s; item skipped, repeats are only counted"
        self._log.log(fault, text, what, level=logging.ERROR, exc_info=error)
