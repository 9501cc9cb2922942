"""The pause of one feed: begun and ended by a person, or over by itself; it survives a restart."""

import logging
import threading
from dataclasses import dataclass

from sense_mqtt.clock import Clock
from sense_mqtt.errors import StateError
from sense_mqtt.items import Transport
from sense_mqtt.sense.feed.reporter import FeedReporter
from sense_mqtt.sense.state_file import StateFile
from sense_mqtt.sense.state_model import StateModel

logger = logging.getLogger(__name__)

PAUSE_MAX_S = 86_400.0  # what a request may ask for; a file that asks for more is wrong


@dataclass(frozen=True, slots=True)
class Pause:
    """Sense's connection is let go of, until `until` (monotonic)."""

    until: float
    silent: bool  # nor are frames asked for by REST


class SavedPause(StateModel):
    """Times are wall clock, s. Empty if there is no pause."""

    begun: float | None = None
    until: float | None = None
    silent: bool = False


class PauseControl:
    """At most one at a time. For any thread."""

    def __init__(self, reporter: FeedReporter, file: StateFile, clock: Clock) -> None:
        self._reporter = reporter
        self._file = file
        self._clock = clock
        self._changing = threading.Lock()
        self.current: Pause | None = self._load()

    def begin(self, seconds: float, *, silent: bool) -> None:
        """Begin one, in place of any other."""
        with self._changing:
            now = self._clock.now()
            self._save(SavedPause(begun=now.wall, until=now.wall + seconds, silent=silent))
            self.current = Pause(now.monotonic + seconds, silent)
            self._reporter.changed("paused", f"for {seconds:.0f} s{', silently' if silent else ''}")

    def end(self, why: str, transport: Transport, *, only: Pause | None = None) -> None:
        """End the present one; with `only`, that one, and not one that has begun since."""
        with self._changing:
            if self.current is not None and only in (None, self.current):
                self.current = None
                self._save(SavedPause())
                self._reporter.changed(transport, why)

    def _save(self, pause: SavedPause) -> None:
        try:
            pause.save(self._file)
        except StateError as error:
            logger.warning("the pause cannot be stored, so a restart does not know it: %s", error)

    def _load(self) -> Pause | None:
        """Return the pause of the process before, unless it is over."""
        try:
            saved = SavedPause.load(self._file)
        except StateError as error:
            logger.warning("a pause from before the restart cannot be read: %s", error)
            return None
        now = self._clock.now()
        if saved.begun is None or saved.until is None:
            return None
        left_s = min(saved.until - now.wall, saved.until - saved.begun, PAUSE_MAX_S)  # the clock may have been set
        return Pause(now.monotonic + left_s, saved.silent) if left_s > 0 else None
