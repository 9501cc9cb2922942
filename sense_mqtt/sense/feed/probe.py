"""One frame of a monitor, for whoever asks whether they come; as polite as the feed itself, and never beside it."""

from collections.abc import Callable
from dataclasses import replace

from sense_mqtt.clock import Clock
from sense_mqtt.core.backoff import Uniform
from sense_mqtt.errors import SenseMqttError, SenseUnavailable, TokenRefused
from sense_mqtt.sense.auth.session import Session
from sense_mqtt.sense.feed.fallback import Fallback, attempt_finished, attempt_started, retry_stream
from sense_mqtt.sense.feed.frame_type import is_token_error, is_update
from sense_mqtt.sense.feed.outcomes import outcome_of_error
from sense_mqtt.sense.feed.polling import Poller, PollingUnsupported
from sense_mqtt.sense.feed.saved_state import FeedStateFile
from sense_mqtt.sense.feed.settings import FeedSettings
from sense_mqtt.sense.feed.websocket_connection import FeedConnection
from sense_mqtt.sense.net.tls import tls_context

MAX_WAIT_S = 10.0  # a rest that is over sooner is waited for


class FeedProbe:
    """Looks at the feed of one monitor, once. Raises what the feed would meet, a `SenseMqttError`."""

    def __init__(
        self, monitor: int, session: Session, settings: FeedSettings, *, clock: Clock, uniform: Uniform
    ) -> None:
        self._monitor = monitor
        self._session = session
        self._settings = settings
        self._rules = settings.rules()
        self._clock = clock
        self._uniform = uniform
        self._state_file = FeedStateFile(settings.state_dir, monitor)

    def run(self, wait: Callable[[float], object]) -> str:
        """Return in words how a frame came, or why none was asked for; `wait` takes seconds."""
        with self._state_file.exclusive_lock() as is_ours:
            if not is_ours:
                return "a running bridge holds it, so no second one was opened"
            fallback = retry_stream(self._state_file.load(self._rules, self._clock.now()), self._rules, self._now())
            rest_s = fallback.next_at - self._now()
            if fallback.transport == "poll" or rest_s > MAX_WAIT_S:
                return self._poll(fallback, rest_s)
            wait(max(rest_s, 0.0))
            return self._listen(fallback)

    def _poll(self, fallback: Fallback, rest_s: float) -> str:
        """Ask by REST, which does not disturb a websocket that rests."""
        try:
            Poller(self._monitor, self._session).poll()
        except PollingUnsupported:
            if self._rules.mode == "poll":
                raise
            if not fallback.failures:
                return f"the bridge asks again in {max(rest_s, 0.0):.0f} s; this firmware cannot be asked in between"
            message = (
                f"it failed {fallback.failures} times in a row and rests for {rest_s:.0f} s; check again after that"
            )
            raise SenseUnavailable(message) from None
        return (
            "a frame came by polling, as the websocket rests"
            if fallback.transport != "poll"
            else "a frame came by polling"
        )

    def _listen(self, fallback: Fallback) -> str:
        """Open the websocket for one frame. A failure counts as one of the feed's; a frame proves nothing to it."""
        token = self._session.token()
        self._remember(
            attempt_started(fallback, self._rules, self._now(), self._uniform)
        )  # also where we are killed from here on
        try:
            self._receive(token)
        except SenseMqttError as error:
            self._remember(attempt_finished(fallback, outcome_of_error(error), self._rules, self._now(), self._uniform))
            raise
        self._remember(replace(fallback, next_at=self._now() + self._rules.spacing_s))
        return "a frame came by websocket"

    def _receive(self, token: str) -> None:
        ends_at = self._now() + self._settings.silence_timeout_s
        with FeedConnection(
            self._settings.connection(self._monitor), tls_context(self._settings.ca_file), self._clock
        ) as connection:
            connection.open(token)
            while self._now() < ends_at:
                raw = connection.receive()
                if raw is not None and is_token_error(raw):
                    raise TokenRefused("the feed refused the access token")
                if raw is not None and is_update(raw):
                    return
        raise SenseUnavailable(f"no frame came within {self._settings.silence_timeout_s:g} s")

    def _remember(self, fallback: Fallback) -> None:
        self._state_file.save(fallback, self._clock.now())

    def _now(self) -> float:
        return self._clock.now().monotonic
