"""The two clocks: wall time for what happened, monotonic time for waiting. Passed in, never imported elsewhere."""

import time
from typing import Protocol

from sense_mqtt.core.timestamps import Moment

__all__ = ["Clock", "Moment", "SystemClock"]


class Clock(Protocol):
    """Source of wall and monotonic time."""

    def now(self) -> Moment: ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> Moment:
        return Moment(time.time(), time.monotonic())
