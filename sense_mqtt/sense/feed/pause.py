"""The pause of one feed: ends on request or after its time; kept over restarts."""

import logging
import threading

from msgspec import Struct

from sense_mqtt.clock import Clock
from sense_mqtt.errors import StateError
from sense_mqtt.items import Transport
from sense_mqtt.sense.feed.reporter import FeedReporter
from sense_mqtt.sense.state_file import StateFile
from sense_mqtt.sense.state_model import StateModel

logger = logging.getLogger(__name__)

PAUSE_MAX_S = 86_400.0  # longest pause that a request may ask for


class Pause(Struct, frozen=True):
    """The websocket is closed until `until` (monotonic, s)."""

    until: float
    silent: bool  # no polling either


class SavedPause(StateModel):
    """Times are wall clock, s. Empty if there is no pause."""

    begun: float | None = None
    until: float | None = None
    silent: bool = False


class PauseControl:
    """At most one pause at a time. Thread-safe."""

    def __init__(self, reporter: FeedReporter, file: StateFile, clock: Clock) -> None:
        self._reporter = reporter
        self._file = file
        self._clock = clock
        self._changing = threading.Lock()
        self.current: Pause | None = self._load()

    def begin(self, seconds: float, *, silent: bool) -> None:
        """Begin a pause of so many seconds; it replaces any other."""
        with self._changing:
            now = self._clock.now()
            self._save(SavedPause(begun=now.wall, until=now.wall + seconds, silent=silent))
            self._reporter.changed("paused", f"for {seconds:.0f} s{', silently' if silent else ''}")
            self.current = Pause(now.monotonic + seconds, silent)  # last: from here on the feed's thread acts on it

    def end(self, why: str, transport: Transport, *, only: Pause | None = None) -> None:
        """End the current pause; with `only`, not if another one has begun since."""
        with self._changing:
            if self.current is not None and only in (None, self.current):
                self._save(SavedPause())
                self._reporter.changed(transport, why)
                self.current = None

    def _save(self, pause: SavedPause) -> None:
        try:
            pause.save(self._file)
        except StateError as error:
            logger.warning("the pause cannot be stored, so it ends at a restart: %s", error)

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
