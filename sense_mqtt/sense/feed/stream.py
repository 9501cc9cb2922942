"""One websocket of one feed: from the first step of its opening to its end."""

import logging
import selectors

from sense_mqtt.items import FrameArrived, Transport
from sense_mqtt.sense.feed.connection_errors import ConnectionClosed
from sense_mqtt.sense.feed.fallback import Outcome, Success
from sense_mqtt.sense.feed.feed_loop import FeedLoop, LoopFeed
from sense_mqtt.sense.feed.feed_parts import FeedParts
from sense_mqtt.sense.feed.frame_type import is_update
from sense_mqtt.sense.feed.outcomes import outcome_of_close
from sense_mqtt.sense.feed.websocket_connection import FeedConnection

logger = logging.getLogger(__name__)

MESSAGES_A_TURN = 16  # then the other feeds come first


class Stream:
    """Delivers messages until the websocket closes or is no longer needed; on the loop's thread.

    Each step returns the outcome of the attempt, or None while it goes on; it raises the `SenseMqttError` that ended an
    attempt which brought nothing.
    """

    def __init__(self, parts: FeedParts, connection: FeedConnection) -> None:
        self._parts = parts
        self._connection = connection
        self._transport: Transport = parts.transport
        self._events: int | None = None  # what the socket has to be ready for, while it is opened
        self._held: str | bytes | None = None  # a message for which the inbox has no room
        self._opened_at, self._messages, self._is_stable = 0.0, 0, False

    @property
    def is_open(self) -> bool:
        return self._connection.is_open

    @property
    def token(self) -> str:
        return self._connection.token

    def close(self) -> None:
        """Let go of socket and lock."""
        self._connection.close()

    def on_ready(self) -> Outcome | None:
        """Go on opening, or take what has come."""
        if not self._connection.is_open:
            self._events = self._connection.advance()
            if not self._connection.is_open:
                return None
            self._parts.reporter.opened(self._transport)
            self._opened_at = self._parts.now()
        return self._listen(read=not self._connection.is_behind)

    def on_due(self) -> Outcome | None:
        """See to what time alone changes."""
        if not self._connection.is_open:
            return self.on_ready()
        if self._held is not None:
            self._connection.extend_silence()  # it is we who are slow, not Sense
        try:
            self._connection.on_time()
        except ConnectionClosed as end:
            return self._outcome(end)
        return None

    def on_room(self) -> Outcome | None:
        """Try again to deliver what is held."""
        if self._held is None:
            return None
        raw, self._held = self._held, None
        self._connection.extend_silence()
        return self._deliver(raw) or (self._listen(read=False) if self._held is None else None)

    def arrange(self, feed: LoopFeed, loop: FeedLoop) -> None:
        """Tell the loop what this websocket waits for."""
        if self._held is not None:
            loop.unwatch(feed)
            loop.wait_for_room(feed, self._parts.monitor)
        elif self._connection.fileno >= 0:
            loop.watch(feed, self._connection.fileno, selectors.EVENT_READ if self._events is None else self._events)
            if self._connection.is_behind:
                loop.again(feed)
        loop.wake_at(feed, self._connection.due)

    def _listen(self, *, read: bool) -> Outcome | None:
        try:
            if read:
                self._connection.read()
            for _ in range(MESSAGES_A_TURN):
                raw = self._connection.next_message()
                if raw is None:
                    return None
                self._parts.attempts.check_message(raw)
                outcome = self._deliver(raw)
                if outcome is not None or self._held is not None:
                    return outcome
            self._connection.is_behind = True
        except ConnectionClosed as end:
            return self._outcome(end)
        return None

    def _deliver(self, raw: str | bytes) -> Outcome | None:
        parts = self._parts
        if not parts.inbox.put_frame(FrameArrived(parts.monitor, raw)):
            self._held = raw
            return None
        self._messages += 1
        if self._transport == "snapshot" and is_update(raw):
            return Success("one frame")
        if not self._is_stable and parts.settings.is_stable(parts.now() - self._opened_at, self._messages):
            self._is_stable = True
            parts.reporter.recovered()
            parts.attempts.forget_failures()
        return None

    def _outcome(self, end: ConnectionClosed) -> Outcome:
        open_s = self._parts.now() - self._opened_at
        monitor, messages = self._parts.monitor, self._messages
        logger.debug("feed of monitor %d: %d messages in %.1f s, then %s", monitor, messages, open_s, end)
        if self._is_stable:
            return Success(str(end))
        return outcome_of_close(end, open_s, messages, self._parts.settings)
