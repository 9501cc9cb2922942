"""Ask for one frame of a monitor, for `check`: with the waits and the lock of the feed, never beside it."""

import selectors
from collections.abc import Callable

from sense_mqtt.clock import Clock
from sense_mqtt.core.backoff import Uniform
from sense_mqtt.errors import SenseMqttError, SenseUnavailable, TokenRefused
from sense_mqtt.sense.auth.session import Session
from sense_mqtt.sense.feed.attempts import Attempts
from sense_mqtt.sense.feed.frame_type import is_update
from sense_mqtt.sense.feed.outcomes import outcome_of_error
from sense_mqtt.sense.feed.polling import Poller, PollingUnsupported
from sense_mqtt.sense.feed.settings import FeedSettings
from sense_mqtt.sense.feed.websocket_connection import FeedConnection

MAX_WAIT_S = 10.0  # the longest wait for the next attempt; while it is longer, a frame is polled

Wait = Callable[[float], object]  # seconds


class FeedProbe:
    """Asks one monitor for one frame. Raises the `SenseMqttError` that the feed would meet."""

    def __init__(
        self, monitor: int, session: Session, settings: FeedSettings, *, clock: Clock, uniform: Uniform
    ) -> None:
        self._monitor = monitor
        self._session = session
        self._settings = settings
        self._clock = clock
        self._attempts = Attempts(monitor, session, settings, clock=clock, uniform=uniform)

    def run(self, wait: Wait) -> str:
        """Return in words how a frame came, or why none was asked for."""
        attempts = self._attempts
        with attempts.exclusive_lock() as is_ours:
            if not is_ours:
                return "a running bridge holds it, so no second one was opened"
            attempts.reload()
            attempts.retry_stream()
            wait_s = self._next_attempt_s()
            if attempts.fallback.transport == "poll" or wait_s > MAX_WAIT_S:
                return self._poll(wait_s)
            return self._stream(wait)

    def _poll(self, wait_s: float) -> str:
        """Ask by REST, which does not disturb the wait before the next websocket."""
        fallback = self._attempts.fallback
        try:
            Poller(self._monitor, self._session, self._clock, self._settings.mode).poll()
        except PollingUnsupported:
            if self._settings.mode == "poll":
                raise
            if not fallback.failures:
                return f"the bridge asks again in {max(wait_s, 0.0):.0f} s; this firmware cannot be asked in between"
            raise SenseUnavailable(
                f"it failed {fallback.failures} times in a row and rests for {wait_s:.0f} s; check again after that"
            ) from None
        if fallback.transport == "poll":
            return "a frame came by polling"
        return "a frame came by polling, as the websocket rests"

    def _stream(self, wait: Wait) -> str:
        """Open the websocket for one frame; with a renewed token once more if Sense refuses the first one."""
        try:
            return self._attempt(wait)
        except TokenRefused:
            self._session.token()  # renews and stores it, for whoever tries next
            if self._attempts.fallback.transport == "poll" or self._next_attempt_s() > MAX_WAIT_S:
                raise
            return self._attempt(wait)

    def _attempt(self, wait: Wait) -> str:
        """Make one attempt. A failure is added to the feed's backoff; a success changes only the time of the next."""
        wait(max(self._next_attempt_s(), 0.0))
        self._session.token()  # a login that fails is no failure of the feed
        connection = self._attempts.begin()
        try:
            self._take_frame(connection)
        except SenseMqttError as error:
            explained = self._attempts.explain(error, connection.token)
            self._attempts.finish(outcome_of_error(explained))
            raise explained from error
        finally:
            connection.close()
        self._attempts.wait(self._attempts.rules.spacing_s)
        self._attempts.save()
        return "a frame came by websocket"

    def _take_frame(self, connection: FeedConnection) -> None:
        """Open the websocket and wait for one frame."""
        wait_until_open(connection, self._clock)
        ends_at = self._now() + self._settings.silence_timeout_s
        while self._now() < ends_at:
            if self._has_frame(connection):
                return
            _wait_for(connection, selectors.EVENT_READ, min(connection.due, ends_at) - self._now())
            connection.on_time()
            connection.read()
        raise SenseUnavailable(f"no frame came within {self._settings.silence_timeout_s:g} s")

    def _has_frame(self, connection: FeedConnection) -> bool:
        """Look through what was read."""
        while (raw := connection.next_message()) is not None or connection.is_behind:
            if raw is not None:
                self._attempts.check_message(raw)
                if is_update(raw):
                    return True
        return False

    def _next_attempt_s(self) -> float:
        return self._attempts.fallback.next_at - self._now()

    def _now(self) -> float:
        return self._clock.now().monotonic


def wait_until_open(connection: FeedConnection, clock: Clock) -> None:
    """Open a websocket. Raises what `FeedConnection.advance` raises."""
    while (events := connection.advance()) is not None:
        _wait_for(connection, events, connection.due - clock.now().monotonic)


def _wait_for(connection: FeedConnection, events: int, seconds: float) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(connection.fileno, events)
        selector.select(max(seconds, 0.0))
