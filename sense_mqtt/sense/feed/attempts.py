"""Attempts at the websocket of one monitor, made and counted in one way for the feed and for `check`."""

import logging
from contextlib import AbstractContextManager, ExitStack

from msgspec.structs import replace

from sense_mqtt.clock import Clock
from sense_mqtt.core.backoff import Uniform
from sense_mqtt.errors import SenseMqttError, TokenRefused
from sense_mqtt.net.tls import certificate_error, shared_tls_context
from sense_mqtt.sense.auth.session import Session
from sense_mqtt.sense.feed.connection_errors import CertificateNotTrusted, HandshakeRejected
from sense_mqtt.sense.feed.fallback import Outcome, attempt_finished, attempt_started, reset, retry_stream
from sense_mqtt.sense.feed.frame_type import is_token_error, is_update
from sense_mqtt.sense.feed.route import find_route
from sense_mqtt.sense.feed.saved_state import FeedStateFile
from sense_mqtt.sense.feed.settings import FeedSettings
from sense_mqtt.sense.feed.websocket_connection import FeedConnection

logger = logging.getLogger(__name__)


class Attempts:
    """Knows the fallback state, on disk too. For one thread at a time; what may block says so."""

    def __init__(
        self, monitor: int, session: Session, settings: FeedSettings, *, clock: Clock, uniform: Uniform
    ) -> None:
        self._monitor = monitor
        self._session = session
        self._settings = settings.connection(monitor)
        self.rules = settings.rules()
        self._clock = clock
        self._uniform = uniform
        self._context = shared_tls_context(settings.ca_file, "feed")
        self._state_file = FeedStateFile(settings.state_dir, monitor)
        self._tokens_refused = 0  # in a row
        self.fallback = self._state_file.load(self.rules, clock.now())

    def exclusive_lock(self) -> AbstractContextManager[bool]:
        """Within the block no other process may open this monitor's websocket; False where one has it open."""
        return self._state_file.exclusive_lock()

    def reload(self) -> None:
        """Read the state again: another process may have tried meanwhile."""
        self.fallback = self._state_file.load(self.rules, self._clock.now())

    def retry_stream(self) -> None:
        """Choose the websocket again if its cool-down is over."""
        self.fallback = retry_stream(self.fallback, self.rules, self._now())

    def begin(self) -> FeedConnection:
        """Return a connection that is still to be opened. May block. Raises `SenseMqttError`.

        Call it with the exclusive lock held. A refused token is renewed by the next attempt.
        """
        token, route = self._session.token(), find_route(self._settings.url)
        self._save_started()
        logger.debug("feed of monitor %d: connecting to %s", self._monitor, self._settings.url)
        return FeedConnection(self._settings, route, token, self._context, self._clock)

    def begin_locked(self) -> FeedConnection | None:
        """Do the same with the lock, which the connection then holds; None where another process has it."""
        with ExitStack() as lock:
            if not lock.enter_context(self.exclusive_lock()):
                return None
            connection = self.begin()
            connection.lock = lock.pop_all()
            return connection

    def explain(self, error: SenseMqttError, token: str) -> SenseMqttError:
        """Return what an error of a connection comes to, once it is looked into. May block."""
        match error:
            case TokenRefused():
                self._session.token_refused(token)
                self._tokens_refused += 1
                is_fresh = self._tokens_refused > 1
                return HandshakeRejected(f"{error}, though it is fresh") if is_fresh else error
            case CertificateNotTrusted():
                return certificate_error(self._settings.url, error.cause)
        return error

    def check_message(self, raw: str | bytes) -> None:
        """Note what a message says about our token. Raises `TokenRefused`."""
        if is_token_error(raw):
            raise TokenRefused("the feed refused the access token")
        if self._tokens_refused and is_update(raw):  # Sense greets before it looks at the token
            self._tokens_refused = 0

    def finish(self, outcome: Outcome) -> None:
        """Count the outcome of an attempt, on disk too."""
        self.fallback = attempt_finished(self.fallback, outcome, self.rules, self._now(), self._uniform)
        self.save()

    def forget_failures(self) -> None:
        """Forget failures, on disk too: the websocket is stable."""
        self.fallback = reset(self.fallback)
        self.wait(self.rules.spacing_s)
        self.save()

    def wait(self, seconds: float) -> None:
        """Let the next attempt be made in `seconds`."""
        self.fallback = replace(self.fallback, next_at=self._now() + seconds)

    def save(self) -> None:
        self._state_file.save(self.fallback, self._clock.now())

    def _save_started(self) -> None:
        """Save the state as if the attempt failed: a crash from here on does not forget that we tried."""
        now = self._clock.now()
        self._state_file.save(attempt_started(self.fallback, self.rules, now.monotonic, self._uniform), now)

    def _now(self) -> float:
        return self._clock.now().monotonic
