"""The pause of one feed: begun and ended by a person, or over by itself."""

import threading
from dataclasses import dataclass

from sense_mqtt.inbox import Rung
from sense_mqtt.sense.voice import Voice


@dataclass(frozen=True, slots=True)
class Pause:
    """Sense's connection is let go of, until `until` (monotonic)."""

    until: float
    silent: bool  # nor are frames asked for by REST


class Pauses:
    """At most one at a time. For any thread."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._changing = threading.Lock()
        self.present: Pause | None = None

    def begin(self, now: float, seconds: float, *, silent: bool) -> None:
        """Begin one, in place of any other."""
        with self._changing:
            self.present = Pause(now + seconds, silent)
            self._voice.changed("paused", f"for {seconds:.0f} s{', silently' if silent else ''}", silent=silent)

    def end(self, why: str, rung: Rung, *, only: Pause | None = None) -> None:
        """End the present one; with `only`, that one, and not one that has begun since."""
        with self._changing:
            if self.present is not None and only in (None, self.present):
                self.present = None
                self._voice.changed(rung, why)
