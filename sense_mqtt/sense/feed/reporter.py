"""What a feed tells: items for the bridge, lines for the log; what repeats itself is told once."""

import logging

from sense_mqtt.inbox import Inbox
from sense_mqtt.items import FeedChanged, FeedEnded, FeedLimited, FeedOpened, Transport

logger = logging.getLogger(__name__)


class FeedReporter:
    """For the thread of the feeds; `changed` for any."""

    def __init__(self, monitor: int, inbox: Inbox) -> None:
        self._monitor = monitor
        self._inbox = inbox
        self._open: Transport | None = None  # by which frames come at present
        self._failures = 0  # told of once, then counted

    def opened(self, transport: Transport) -> None:
        """Frames come now."""
        if self._open == transport:
            return
        self.ended(f"on to {transport}")
        self._open = transport
        logger.debug("feed of monitor %d: open (%s)", self._monitor, transport)
        self._inbox.put(FeedOpened(self._monitor, transport))

    def ended(self, why: str) -> None:
        """Frames come no more."""
        if self._open:
            self._open = None
            logger.debug("feed of monitor %d: ended: %s", self._monitor, why)
            self._inbox.put(FeedEnded(self._monitor, why))

    def changed(self, transport: Transport, why: str) -> None:
        """Frames come by another transport."""
        logger.info("feed of monitor %d: switched to %s: %s", self._monitor, transport, why)
        self._inbox.put(FeedChanged(self._monitor, transport, why))

    def limited(self, why: str, retry_after_s: float) -> None:
        """Sense finds that we ask too much (HTTP 429)."""
        self._inbox.put(FeedLimited(self._monitor, why, retry_after_s))

    def failed(self, why: str) -> None:
        """An attempt came to nothing."""
        level = logging.DEBUG if self._failures else logging.WARNING
        self._failures += 1
        logger.log(level, "feed of monitor %d: %s; trying again", self._monitor, why)

    def recovered(self) -> None:
        """The feed holds."""
        if self._failures:
            logger.info("feed of monitor %d: back after %d failed attempts", self._monitor, self._failures)
        self._failures = 0
