"""What a feed does next: a state machine without a clock, thread or socket of its own."""

import functools
import logging
import threading
from collections.abc import Callable, Hashable

from sense_mqtt.errors import LoginRefused, SenseMqttError
from sense_mqtt.items import UpdatePolled
from sense_mqtt.sense.feed.fallback import Locked, Outcome, Success
from sense_mqtt.sense.feed.feed_loop import FeedLoop
from sense_mqtt.sense.feed.feed_parts import FeedParts
from sense_mqtt.sense.feed.outcomes import outcome_of_error
from sense_mqtt.sense.feed.pause import Pause, PauseControl
from sense_mqtt.sense.feed.polling import Poller, PollingUnsupported
from sense_mqtt.sense.feed.stream import Stream
from sense_mqtt.sense.feed.websocket_connection import FeedConnection

logger = logging.getLogger(__name__)


class FeedMachine:
    """For the loop's thread; `closing` is set by any, and `closed` once the feed has ended.

    At any time one of these is under way: a wait (`FeedLoop.wake_at`), work on another thread (`_is_working`), a polled
    frame that waits for room in the inbox (`_held`), a websocket that is opened or read (`_stream`). What ends calls
    `_go_on`, which begins the next.
    """

    def __init__(
        self, parts: FeedParts, account: Hashable, pauses: PauseControl, poller: Poller, loop: FeedLoop
    ) -> None:
        self.closing = False
        self.closed = threading.Event()
        self._parts = parts
        self._account = account  # work that may block is done one after the other for each account
        self._pauses = pauses
        self._poller = poller
        self._loop = loop
        self._settings = parts.settings
        self._attempts = parts.attempts
        self._reporter = parts.reporter
        self._poll_at = parts.now()  # no poll before, pause or not
        self._pause: Pause | None = None  # the one that has begun
        self._may_poll_in_pause = False
        self._is_working = False
        self._held: tuple[UpdatePolled, Callable[[], None]] | None = None  # and what to do once it is delivered
        self._stream: Stream | None = None

    @property
    def is_opening(self) -> bool:
        """Whether the websocket is still being opened."""
        return self._stream is not None and not self._stream.is_open

    # --- what the loop calls

    def begin(self) -> None:
        self.reconsider()

    def on_ready(self) -> None:
        self._drive(Stream.on_ready)

    def on_due(self) -> None:
        if self._stream is not None:
            self._drive(Stream.on_due)
        else:
            self.reconsider()

    def on_room(self) -> None:
        if self._stream is not None:
            self._drive(Stream.on_room)
        elif self._held is not None:
            (item, then), self._held = self._held, None
            self._deliver(item, then)

    # --- what is next

    def interrupt(self) -> None:
        """Let go of the websocket: a pause begins, or the end."""
        self._held = None
        if self._stream is not None:
            self._drop_stream()
            self._attempts.wait(self._settings.spacing_s)
        if self.closing:
            self._end()
        else:
            self.reconsider()

    def reconsider(self) -> None:
        """Go on, if nothing is under way but a wait."""
        if self._stream is None and self._held is None and not self._is_working and not self.closed.is_set():
            self._go_on()

    def _go_on(self) -> None:
        pause = self._pauses.current
        if self.closing:
            self._end()
        elif pause:
            self._run_pause(pause)
        elif self._next_attempt_at() > self._parts.now():
            self._pause = None
            self._loop.wake_at(self, self._next_attempt_at())
        else:
            self._pause = None
            self._try()

    def _next_attempt_at(self) -> float:
        next_at = self._attempts.fallback.next_at
        return max(next_at, self._poll_at) if self._parts.transport == "poll" else next_at

    def _try(self) -> None:
        self._parts.retry_stream()
        if self._parts.transport == "poll":
            self._poll(self._on_polled)
        else:
            self._work("feed", self._attempts.begin_locked, self._on_begun)

    def _finish(self, outcome: Outcome) -> None:
        self._parts.finish(outcome)
        self._go_on()

    def _after_interruption(self) -> None:
        self._attempts.wait(self._settings.spacing_s)
        self._go_on()

    def _on_failed(self, error: SenseMqttError) -> None:
        """An attempt came to nothing."""
        if isinstance(error, LoginRefused):  # the session has said so; it costs nothing to look again soon
            self._reporter.ended("waiting for a login")
            self._attempts.wait(self._settings.login_check_s)
            self._go_on()
        elif self._is_interrupted():
            self._after_interruption()
        else:
            self._finish(outcome_of_error(error))

    def _end(self) -> None:
        if not self.closed.is_set():
            self._reporter.ended("stopping")
            self._loop.remove(self)
            self.closed.set()

    # --- the websocket

    def _on_begun(self, begun: FeedConnection | SenseMqttError | None) -> None:
        if isinstance(begun, SenseMqttError):
            self._on_failed(begun)
        elif begun is None:
            self._finish(Locked("another sense-mqtt holds the feed of this monitor"))
        elif self._is_interrupted():
            begun.close()
            self._after_interruption()
        else:
            self._stream = Stream(self._parts, begun)
            self._drive(Stream.on_ready)

    def _drive(self, step: Callable[[Stream], Outcome | None]) -> None:
        """Let the websocket go on; what it ends with is looked into."""
        stream = self._stream
        if stream is None:
            return
        try:
            outcome = step(stream)
        except SenseMqttError as error:
            self._drop_stream()
            self._work("feed", functools.partial(self._attempts.explain, error, stream.token), self._on_failed)
            return
        if outcome is None:
            stream.arrange(self, self._loop)
        else:
            self._drop_stream()
            self._finish(outcome)

    def _drop_stream(self) -> None:
        if self._stream is not None:
            self._loop.unwatch(self)
            self._stream.close()
            self._stream = None

    # --- polling

    def _poll(self, done: Callable[[UpdatePolled | SenseMqttError], None]) -> None:
        self._poll_at = self._parts.now() + self._settings.poll_interval_s
        self._work("poll", self._poller.poll, done)

    def _on_polled(self, result: UpdatePolled | SenseMqttError) -> None:
        if isinstance(result, SenseMqttError):
            self._on_failed(result)
        else:
            self._reporter.opened("poll")
            self._deliver(result, self._after_poll)

    def _after_poll(self) -> None:
        if self._is_interrupted():
            self._after_interruption()
        else:
            self._finish(Success("polled"))

    def _deliver(self, item: UpdatePolled, then: Callable[[], None]) -> None:
        """Put a frame into the inbox, once it has room."""
        if self._parts.inbox.put_frame(item):
            then()
        else:
            self._held = (item, then)
            self._loop.wait_for_room(self, self._parts.monitor)

    def _run_pause(self, pause: Pause) -> None:
        """Poll slowly, where polling is possible and wanted, until the pause is over or interrupted."""
        now = self._parts.now()
        if pause is not self._pause:
            logger.info("feed of monitor %d: paused for %.0f s more", self._parts.monitor, pause.until - now)
            self._reporter.ended("paused")
            self._pause, self._may_poll_in_pause = pause, not pause.silent
        if now >= pause.until:
            self._pauses.end("the pause is over", self._parts.transport, only=pause)
            self._go_on()
        elif self._may_poll_in_pause and now >= self._poll_at:
            self._poll(self._on_polled_in_pause)
        else:
            self._loop.wake_at(self, min(self._poll_at, pause.until) if self._may_poll_in_pause else pause.until)

    def _on_polled_in_pause(self, result: UpdatePolled | SenseMqttError) -> None:
        if isinstance(result, UpdatePolled):
            self._reporter.opened("paused")
            self._deliver(result, self._go_on)
            return
        if isinstance(result, PollingUnsupported):
            logger.debug("polling unavailable; no data until the pause ends: %s", result)
            self._may_poll_in_pause = False
        else:
            self._reporter.ended(str(result))
        self._go_on()

    # --- helpers

    def _work(self, kind: str, work: Callable[[], object], done: Callable[..., None]) -> None:
        """Do what may block elsewhere; of each account one of a kind at a time."""

        def finish(result: object) -> None:
            self._is_working = False
            if not self.closed.is_set():
                done(result)
            elif isinstance(result, FeedConnection):  # it came too late
                result.close()

        self._is_working = True
        self._loop.run((kind, self._account), work, finish)

    def _is_interrupted(self) -> bool:
        return self.closing or self._pauses.current is not None
