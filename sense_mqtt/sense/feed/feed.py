"""The realtime feed of one monitor: a thread that streams or polls, and puts what comes into the inbox."""

import contextlib
import logging
import threading
from collections.abc import Iterator
from random import Random

from sense_mqtt.clock import Clock
from sense_mqtt.errors import LoginRefused, SenseMqttError
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import FrameArrived, Transport, UpdatePolled
from sense_mqtt.sense.auth.session import Session
from sense_mqtt.sense.feed.attempts import Attempts
from sense_mqtt.sense.feed.fallback import Locked, Outcome, Rejected, Success
from sense_mqtt.sense.feed.frame_type import is_update
from sense_mqtt.sense.feed.outcomes import outcome_of_close, outcome_of_error
from sense_mqtt.sense.feed.pause import Pause, PauseControl
from sense_mqtt.sense.feed.polling import Poller, PollingUnsupported
from sense_mqtt.sense.feed.reporter import FeedReporter
from sense_mqtt.sense.feed.settings import FeedSettings
from sense_mqtt.sense.feed.websocket_connection import ConnectionClosed, FeedConnection
from sense_mqtt.sense.state_file import StateFile

logger = logging.getLogger(__name__)

CLOSE_S = 2.0  # how long `close` waits for the thread


class Feed:
    """Never two websockets for one monitor. `start` once; `close`, `pause` and `resume` may come from any thread."""

    def __init__(
        self, monitor: int, session: Session, inbox: Inbox, settings: FeedSettings, *, clock: Clock, random: Random
    ) -> None:
        self._monitor = monitor
        self._settings = settings
        self._clock = clock
        self._attempts = Attempts(monitor, session, settings, clock=clock, uniform=random.uniform)
        self._poller = Poller(monitor, session)
        self._reporter = FeedReporter(monitor, inbox)
        self._poll_at = self._now()  # no poll before, pause or not
        self._pauses = PauseControl(self._reporter, StateFile(settings.state_dir / f"pause-{monitor}.json"), clock)
        self._closing = threading.Event()
        self._wake = threading.Event()  # wakes the thread: closing, pause or resume
        self._thread = threading.Thread(target=self._run, name=f"sense-feed-{monitor}", daemon=True)

    @property
    def transport(self) -> Transport:
        """How frames come at present, or will."""
        return "paused" if self._pauses.current else self._attempts.fallback.transport

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End the feed; returns within two seconds or so, whatever the network does."""
        self._closing.set()
        self._interrupt()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    def pause(self, seconds: float, *, silent: bool) -> None:
        """Close the websocket for so many seconds; meanwhile poll, unless `silent`."""
        self._pauses.begin(seconds, silent=silent)
        self._interrupt()

    def resume(self) -> None:
        """End a pause; without one, nothing happens."""
        self._pauses.end("resumed", self._attempts.fallback.transport)
        self._wake.set()

    # --- on the thread

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.clear()
            pause = self._pauses.current
            if pause:
                self._run_pause(pause)
            elif not self._closing.is_set() and not self._wait_until(self._next_attempt_at()):
                self._try()
        self._reporter.ended("stopping")

    def _try(self) -> None:
        with self._reporting_transport("the cool-down is over: trying the websocket again"):
            self._attempts.retry_stream()
        try:
            outcome = self._attempt()
        except LoginRefused:  # the session has said so; it costs nothing to look again soon
            self._reporter.ended("waiting for a login")
            self._attempts.wait(self._settings.login_check_s)
            return
        except SenseMqttError as error:
            outcome = outcome_of_error(error)
        if self._is_interrupted():
            self._attempts.wait(self._settings.spacing_s)
        elif outcome:
            self._finish(outcome)

    def _next_attempt_at(self) -> float:
        fallback = self._attempts.fallback
        return max(fallback.next_at, self._poll_at) if fallback.transport == "poll" else fallback.next_at

    def _attempt(self) -> Outcome | None:
        if self._attempts.fallback.transport == "poll":
            return self._poll("poll")
        with self._attempts.exclusive_lock() as is_ours:
            if not is_ours:
                return Locked("another sense-mqtt holds the feed of this monitor")
            return self._attempts.run(self._listen, self._is_interrupted)

    def _poll(self, transport: Transport) -> Outcome:
        asked = self._clock.now()
        self._poll_at = asked.monotonic + self._settings.poll_interval_s
        payload = self._poller.poll()
        self._reporter.opened(transport)
        self._reporter.deliver(UpdatePolled(self._monitor, payload, asked), lambda: not self._closing.is_set())
        return Success("polled")

    def _listen(self, connection: FeedConnection) -> Outcome | None:
        """Deliver messages until the websocket closes or is no longer needed; None if interrupted."""
        transport = self._attempts.fallback.transport
        self._reporter.opened(transport)
        opened_at, messages, is_stable = self._now(), 0, False
        try:
            while not self._is_interrupted():
                raw = connection.receive()
                if raw is None:
                    continue
                self._deliver(raw, connection)
                messages += 1
                if transport == "snapshot" and is_update(raw):
                    return Success("one frame")
                if not is_stable and self._settings.is_stable(self._now() - opened_at, messages):
                    is_stable = True
                    self._reporter.recovered()
                    self._attempts.forget_failures()
        except ConnectionClosed as end:
            open_s = self._now() - opened_at
            logger.debug("feed of monitor %d: %d messages in %.1f s, then %s", self._monitor, messages, open_s, end)
            return Success(str(end)) if is_stable else outcome_of_close(end, open_s, messages, self._settings)
        return None

    def _deliver(self, raw: str | bytes, connection: FeedConnection) -> None:
        self._attempts.check_message(raw)

        def may_wait() -> bool:
            connection.extend_silence()  # it is we who are slow, not Sense
            return not self._is_interrupted()

        self._reporter.deliver(FrameArrived(self._monitor, raw), may_wait)

    def _finish(self, outcome: Outcome) -> None:
        if isinstance(outcome, Success):
            self._reporter.recovered()
        else:
            self._reporter.failed(outcome.reason)
            if isinstance(outcome, Rejected) and outcome.is_rate_limit:
                self._reporter.limited(outcome.reason, outcome.retry_after_s)
        if self._attempts.fallback.transport == "stream" or not isinstance(outcome, Success):
            self._reporter.ended(outcome.reason)
        with self._reporting_transport(outcome.reason):
            self._attempts.finish(outcome)
        wait_s = self._next_attempt_at() - self._now()
        logger.debug(
            "feed of monitor %d: %s; next attempt (%s) in %.1f s", self._monitor, outcome, self.transport, wait_s
        )

    @contextlib.contextmanager
    def _reporting_transport(self, reason: str) -> Iterator[None]:
        """Report the transport if the block changes it."""
        before = self._attempts.fallback.transport
        yield
        after = self._attempts.fallback.transport
        if after != before:
            self._reporter.changed(after, reason)

    # --- pause

    def _run_pause(self, pause: Pause) -> None:
        """Poll slowly, where polling is possible and wanted, until the pause is over or interrupted."""
        logger.info("feed of monitor %d: paused for %.0f s more", self._monitor, pause.until - self._now())
        self._reporter.ended("paused")
        may_poll = not pause.silent
        while not self._wait_until(min(self._poll_at, pause.until) if may_poll else pause.until):
            if self._now() >= pause.until:
                self._pauses.end("the pause is over", self._attempts.fallback.transport, only=pause)
                return
            may_poll = may_poll and self._poll_in_pause()

    def _poll_in_pause(self) -> bool:
        """Poll once; return whether to go on."""
        try:
            self._poll("paused")
        except PollingUnsupported as error:
            logger.debug("polling unavailable; no data until the pause ends: %s", error)
            return False
        except SenseMqttError as error:
            self._reporter.ended(str(error))
        return True

    # --- waiting

    def _interrupt(self) -> None:
        self._wake.set()
        self._attempts.abort()

    def _is_interrupted(self) -> bool:
        return self._closing.is_set() or self._pauses.current is not None

    def _wait_until(self, moment: float) -> bool:
        """Wait until a monotonic time; True if woken before."""
        return self._wake.wait(max(moment - self._now(), 0.0))

    def _now(self) -> float:
        return self._clock.now().monotonic
