"""The realtime feed of one monitor, on a thread of its own: connects, listens or polls, and brings all to the inbox."""

import logging
import threading
from dataclasses import replace
from random import Random

from sense_mqtt.clock import Clock
from sense_mqtt.errors import LoginRefused, SenseMqttError, TokenRefused
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import FrameArrived, Transport, UpdatePolled
from sense_mqtt.sense.auth.session import Session
from sense_mqtt.sense.feed.fallback import (
    Fallback,
    Locked,
    Outcome,
    Rejected,
    Success,
    attempt_finished,
    attempt_started,
    reset,
    retry_stream,
)
from sense_mqtt.sense.feed.frame_type import is_token_error, is_update
from sense_mqtt.sense.feed.outcomes import outcome_of_close, outcome_of_error
from sense_mqtt.sense.feed.pause import Pause, PauseControl
from sense_mqtt.sense.feed.polling import Poller, PollingUnsupported
from sense_mqtt.sense.feed.reporter import FeedReporter
from sense_mqtt.sense.feed.saved_state import FeedStateFile
from sense_mqtt.sense.feed.settings import FeedSettings
from sense_mqtt.sense.feed.websocket_connection import ConnectionClosed, FeedConnection, HandshakeRejected
from sense_mqtt.sense.net.tls import tls_context
from sense_mqtt.sense.state_file import StateFile

__all__ = ["Feed", "FeedSettings"]

logger = logging.getLogger(__name__)

CLOSE_S = 2.0  # that the thread gets to end


class Feed:
    """Never two websockets for one monitor. `start` once; `close`, `pause` and `resume` may come from any thread."""

    def __init__(
        self, monitor: int, session: Session, inbox: Inbox, settings: FeedSettings, *, clock: Clock, random: Random
    ) -> None:
        self._monitor = monitor
        self._session = session
        self._settings = settings
        self._rules = settings.rules()
        self._clock = clock
        self._uniform = random.uniform
        self._context = tls_context(settings.ca_file)
        self._state_file = FeedStateFile(settings.state_dir, monitor)
        self._poller = Poller(monitor, session)
        self._reporter = FeedReporter(monitor, inbox)
        self._fallback = self._state_file.load(self._rules, clock.now())
        self._poll_at = self._now()  # no poll before, pause or not
        self._bad_tokens = 0  # refused in a row
        self._connection: FeedConnection | None = None
        self._pauses = PauseControl(self._reporter, StateFile(settings.state_dir / f"pause-{monitor}.json"), clock)
        self._closing = threading.Event()
        self._wake = threading.Event()  # wakes the thread: closing, pause or resume
        self._thread = threading.Thread(target=self._run, name=f"sense-feed-{monitor}", daemon=True)

    @property
    def transport(self) -> Transport:
        """How frames come at present, or will."""
        return "paused" if self._pauses.current else self._fallback.transport

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End the feed; returns within two seconds or so, whatever the network does."""
        self._closing.set()
        self._interrupt()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    def pause(self, seconds: float, *, silent: bool) -> None:
        """Let go of Sense's connection for so long; meanwhile poll, unless `silent`. Ends by itself."""
        self._pauses.begin(seconds, silent=silent)
        self._interrupt()

    def resume(self) -> None:
        """End a pause; without one, nothing happens."""
        self._pauses.end("resumed", self._fallback.transport)
        self._wake.set()

    # --- on the thread

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.clear()
            pause = self._pauses.current
            if pause:
                self._run_pause(pause)
            elif not self._closing.is_set() and not self._wait_until(self._due_at()):
                self._try()
        self._reporter.ended("stopping")

    def _try(self) -> None:
        self._move(
            retry_stream(self._fallback, self._rules, self._now()), "the cool-down is over: trying the websocket again"
        )
        try:
            outcome = self._attempt()
        except LoginRefused:  # the session has said so; it costs nothing to look again soon
            self._reporter.ended("waiting for a login")
            self._fallback = replace(self._fallback, next_at=self._now() + self._settings.login_check_s)
            return
        except SenseMqttError as error:
            outcome = outcome_of_error(error)
        if self._is_interrupted():
            self._fallback = replace(self._fallback, next_at=self._now() + self._rules.spacing_s)
        elif outcome:
            self._learn(outcome)

    def _due_at(self) -> float:
        return (
            max(self._fallback.next_at, self._poll_at) if self._fallback.transport == "poll" else self._fallback.next_at
        )

    def _attempt(self) -> Outcome | None:
        if self._fallback.transport == "poll":
            return self._poll("poll")
        with self._state_file.exclusive_lock() as is_ours:
            return self._connect() if is_ours else Locked("another sense-mqtt holds the feed of this monitor")

    def _poll(self, transport: Transport) -> Outcome:
        asked = self._clock.now()
        self._poll_at = asked.monotonic + self._rules.poll_interval_s
        payload = self._poller.poll()
        self._reporter.opened(transport)
        self._reporter.deliver(UpdatePolled(self._monitor, payload, asked), lambda: not self._closing.is_set())
        return Success("polled")

    def _connect(self) -> Outcome | None:
        token = self._session.token()
        with FeedConnection(self._settings.connection(self._monitor), self._context, self._clock) as connection:
            self._connection = connection
            try:
                return None if self._is_interrupted() else self._listen(connection, token)
            except TokenRefused as error:
                self._session.token_refused(token)
                self._bad_tokens += 1
                if self._bad_tokens > 1:  # the last one was fresh
                    raise HandshakeRejected(f"{error}, though it is fresh") from error
                raise
            finally:
                self._connection = None

    def _listen(self, connection: FeedConnection, token: str) -> Outcome | None:
        """Bring what comes until the line ends, or is not needed any more; None where something else came up."""
        now = self._clock.now()  # a crash from here on does not forget that we tried
        self._state_file.save(attempt_started(self._fallback, self._rules, now.monotonic, self._uniform), now)
        self._reporter.connecting(self._settings.url)
        connection.open(token)
        self._reporter.opened(self._fallback.transport)
        began, messages, is_stable = self._now(), 0, False
        try:
            while not self._is_interrupted():
                raw = connection.receive()
                if raw is None:
                    continue
                self._deliver(raw, connection)
                messages += 1
                if self._fallback.transport == "snapshot" and is_update(raw):
                    return Success("one frame")
                if not is_stable and self._settings.is_stable(self._now() - began, messages):
                    is_stable = True
                    self._settle()
        except ConnectionClosed as end:
            lived_s = self._now() - began
            logger.debug("feed of monitor %d: %d messages in %.1f s, then %s", self._monitor, messages, lived_s, end)
            return Success(str(end)) if is_stable else outcome_of_close(end, lived_s, messages, self._settings)
        return None

    def _deliver(self, raw: str | bytes, connection: FeedConnection) -> None:
        if is_token_error(raw):
            raise TokenRefused("the feed refused the access token")
        if self._bad_tokens and is_update(raw):  # Sense greets before it looks at the token
            self._bad_tokens = 0

        def may_wait() -> bool:
            connection.extend_silence()  # the silence is ours
            return not self._is_interrupted()

        self._reporter.deliver(FrameArrived(self._monitor, raw), may_wait)

    def _settle(self) -> None:
        """The websocket holds; what is remembered of failures is forgotten, also on disk."""
        self._reporter.recovered()
        self._fallback = replace(reset(self._fallback), next_at=self._now() + self._rules.spacing_s)
        self._state_file.save(self._fallback, self._clock.now())

    def _learn(self, outcome: Outcome) -> None:
        if isinstance(outcome, Success):
            self._reporter.recovered()
        else:
            self._reporter.failed(outcome.reason)
            if isinstance(outcome, Rejected) and outcome.is_rate_limit:
                self._reporter.limited(outcome.reason, outcome.retry_after_s)
        if self._fallback.transport == "stream" or not isinstance(outcome, Success):
            self._reporter.ended(outcome.reason)
        self._move(attempt_finished(self._fallback, outcome, self._rules, self._now(), self._uniform), outcome.reason)
        wait_s = self._due_at() - self._now()
        logger.debug(
            "feed of monitor %d: %s; next attempt (%s) in %.1f s", self._monitor, outcome, self.transport, wait_s
        )
        self._state_file.save(self._fallback, self._clock.now())

    def _move(self, fallback: Fallback, why: str) -> None:
        before, self._fallback = self._fallback, fallback
        if fallback.transport != before.transport:
            self._reporter.changed(fallback.transport, why)

    # --- pause

    def _run_pause(self, pause: Pause) -> None:
        """Poll slowly, where polling is possible and wanted, until the pause is over or something else comes up."""
        logger.info("feed of monitor %d: paused for %.0f s more", self._monitor, pause.until - self._now())
        self._reporter.ended("paused")
        may_poll = not pause.silent
        while not self._wait_until(min(self._poll_at, pause.until) if may_poll else pause.until):
            if self._now() >= pause.until:
                self._pauses.end("the pause is over", self._fallback.transport, only=pause)
                return
            may_poll = may_poll and self._poll_in_pause()

    def _poll_in_pause(self) -> bool:
        """Poll once; return whether to go on."""
        try:
            self._poll("paused")
        except PollingUnsupported as error:
            logger.debug("nothing until the pause is over: %s", error)
            return False
        except SenseMqttError as error:
            self._reporter.ended(str(error))
        return True

    # --- waiting

    def _interrupt(self) -> None:
        self._wake.set()
        connection = self._connection
        if connection:
            connection.abort()

    def _is_interrupted(self) -> bool:
        return self._closing.is_set() or self._pauses.current is not None

    def _wait_until(self, moment: float) -> bool:
        """Wait; True where something else came up meanwhile."""
        return self._wake.wait(max(moment - self._now(), 0.0))

    def _now(self) -> float:
        return self._clock.now().monotonic
