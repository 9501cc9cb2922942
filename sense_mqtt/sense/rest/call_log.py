"""Log each REST call at debug: method, path, status, ms; no parameters and forms, which may hold secrets."""

import contextlib
import logging
from collections.abc import Iterator

from sense_mqtt.clock import Clock

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def log_call(method: str, path: str, clock: Clock) -> Iterator[list[int]]:
    """Log the call that is made within the block, however it ends; the caller appends the HTTP status."""
    began, status = clock.now().monotonic, list[int]()
    why = ""
    try:
        yield status
    except Exception as error:
        why = f": {error}"
        raise
    finally:
        ms = 1000 * (clock.now().monotonic - began)
        logger.debug("%s %s: %s in %.0f ms%s", method, path, f"HTTP {status[0]}" if status else "no answer", ms, why)
