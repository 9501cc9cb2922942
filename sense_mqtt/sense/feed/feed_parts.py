"""What belongs to one monitor's feed for as long as it runs, and how the outcome of an attempt is told and counted."""

import contextlib
import logging
from collections.abc import Iterator

from msgspec import Struct

from sense_mqtt.clock import Clock
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import Transport
from sense_mqtt.sense.feed.attempts import Attempts
from sense_mqtt.sense.feed.fallback import Outcome, Rejected, Success
from sense_mqtt.sense.feed.reporter import FeedReporter
from sense_mqtt.sense.feed.settings import FeedSettings

logger = logging.getLogger(__name__)


class FeedParts(Struct, frozen=True):
    """For the loop's thread."""

    monitor: int
    settings: FeedSettings
    attempts: Attempts
    reporter: FeedReporter
    inbox: Inbox
    clock: Clock

    @property
    def transport(self) -> Transport:
        """By which transport the next attempt is made, a pause aside."""
        return self.attempts.fallback.transport

    def now(self) -> float:
        """Return the time, monotonic, s."""
        return self.clock.now().monotonic

    def retry_stream(self) -> None:
        """Choose the websocket again if its cool-down is over, and tell of it."""
        with self._reporting_transport("the cool-down is over: trying the websocket again"):
            self.attempts.retry_stream()

    def finish(self, outcome: Outcome) -> None:
        """Tell of the outcome of an attempt, and count it."""
        if isinstance(outcome, Success):
            self.reporter.recovered()
        else:
            self.reporter.failed(outcome.reason)
            if isinstance(outcome, Rejected) and outcome.is_rate_limit:
                self.reporter.limited(outcome.reason, outcome.retry_after_s)
        if self.transport == "stream" or not isinstance(outcome, Success):
            self.reporter.ended(outcome.reason)
        with self._reporting_transport(outcome.reason):
            self.attempts.finish(outcome)
        wait_s = self.attempts.fallback.next_at - self.now()
        logger.debug(
            "feed of monitor %d: %s; next attempt (%s) in %.1f s", self.monitor, outcome, self.transport, wait_s
        )

    @contextlib.contextmanager
    def _reporting_transport(self, reason: str) -> Iterator[None]:
        """Report the transport if the block changes it."""
        before = self.transport
        yield
        if self.transport != before:
            self.reporter.changed(self.transport, reason)
