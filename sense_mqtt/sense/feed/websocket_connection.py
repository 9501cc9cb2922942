"""One websocket to Sense's realtime feed, over a socket that never blocks: opened, read from, dropped."""

import contextlib
import os
import ssl

from sense_mqtt.clock import Clock
from sense_mqtt.errors import SenseUnavailable
from sense_mqtt.net.error_causes import root_reason
from sense_mqtt.net.tls import find_certificate_error
from sense_mqtt.sense.feed.connection_errors import CertificateNotTrusted, ConnectionClosed
from sense_mqtt.sense.feed.route import Route
from sense_mqtt.sense.feed.websocket_opening import WOULD_BLOCK, ConnectionSettings, WebsocketOpening, receive
from sense_mqtt.sense.feed.websocket_protocol import (
    CLOSE,
    PING,
    PONG,
    TEXT,
    FrameReader,
    ProtocolError,
    WebsocketFrame,
    control_frame,
)

MAX_FRAMES = 64  # looked at, at once, to find a message
NORMAL_CLOSURE = (1000).to_bytes(2)


class FeedConnection:
    """For one thread at a time; no method waits.

    Call `advance` until the websocket is open, whenever the socket is ready for what it returned and at `due`; then
    `read` when the socket is readable, `next_message` until it returns None, and `on_time` at `due`.
    """

    def __init__(
        self, settings: ConnectionSettings, route: Route, token: str, context: ssl.SSLContext, clock: Clock
    ) -> None:
        self.token = token
        self.lock = contextlib.ExitStack()  # what is let go of together with the socket
        self.is_open = False
        self.is_behind = False  # frames wait in memory: call `next_message` again before `read`
        self._settings = settings
        self._clock = clock
        self._opening = WebsocketOpening(settings, route, token, context, clock)
        self._steps = self._opening.steps()
        self._reader = FrameReader(settings.max_message_bytes)
        self._dies_at = self._opening.ends_at
        self._ping_at = 0.0

    @property
    def fileno(self) -> int:
        """The descriptor of the socket; it may change while the websocket is opened. -1: there is none."""
        return -1 if self._opening.socket is None else self._opening.socket.fileno()

    @property
    def due(self) -> float:
        """When (monotonic) to call `advance` or `on_time` at the latest."""
        return min(self._dies_at, self._ping_at if self.is_open else self._opening.next_address_at)

    def close(self) -> None:
        """Let go of socket and lock."""
        if self.is_open:
            with contextlib.suppress(OSError, ProtocolError):
                self._send(CLOSE, NORMAL_CLOSURE)  # and no waiting for the answer
        self._opening.close()
        self.lock.close()

    def advance(self) -> int | None:
        """Go on opening; return what the socket has to be ready for (selectors.EVENT_*), None once it is open.

        Raises `TokenRefused`, `HandshakeRejected`, `CertificateNotTrusted`, or `SenseUnavailable` for the network.
        """
        if self._now() >= self._dies_at:
            raise SenseUnavailable(f"the feed did not open within {self._settings.timeout_s:g} s")
        try:
            return next(self._steps)
        except StopIteration:
            self._begin()
            return None
        except ProtocolError as error:
            raise SenseUnavailable(f"the feed cannot be reached ({error})") from error
        except (OSError, ValueError) as error:
            untrusted = find_certificate_error(error)
            if untrusted is not None:
                raise CertificateNotTrusted(untrusted) from error
            raise SenseUnavailable(f"the feed cannot be reached ({root_reason(error)})") from error

    def _begin(self) -> None:
        self.is_open = True
        self._ping_at = self._now() + self._settings.ping_interval_s
        self.extend_silence()
        self._reader.feed(self._opening.first_bytes)
        self.is_behind = bool(self._opening.first_bytes)

    # --- once it is open

    def read(self) -> None:
        """Take what has come, a part of it where that is much. Raises `ConnectionClosed`."""
        try:
            self._reader.feed(receive(self._opening.connected) or b"")
        except (OSError, ProtocolError) as error:
            raise _ended(error) from error

    def next_message(self) -> str | bytes | None:
        """Return the next message of what was read, None where there is none. Raises `ConnectionClosed`."""
        try:
            frame, self.is_behind = self._reader.take(MAX_FRAMES)
            return None if frame is None else self._use(frame)
        except (OSError, ProtocolError) as error:
            raise _ended(error) from error

    def _use(self, frame: WebsocketFrame) -> str | bytes | None:
        if frame.opcode == CLOSE:
            code = "" if frame.close_code is None else f" with code {frame.close_code}"
            raise ConnectionClosed(f"closed by Sense{code}", by_peer=True)
        if frame.opcode in (PING, PONG):
            self.is_behind = True
            if frame.opcode == PING:
                self._send(PONG, frame.data)
            return None
        self.extend_silence()
        return frame.data.decode("utf-8", "replace") if frame.opcode == TEXT else frame.data

    def on_time(self) -> None:
        """Ping where that is due. Raises `ConnectionClosed` where nothing came for too long."""
        now = self._now()
        if now >= self._dies_at:
            raise ConnectionClosed(f"silent for {self._settings.silence_timeout_s:g} s", by_peer=False)
        if now >= self._ping_at:
            self._ping_at = now + self._settings.ping_interval_s
            try:
                self._send(PING, b"")
            except (OSError, ProtocolError) as error:
                raise _ended(error) from error

    def extend_silence(self) -> None:
        """Start the silence anew: a message came, or the listener itself is slow."""
        self._dies_at = self._now() + self._settings.silence_timeout_s

    def _send(self, opcode: int, data: bytes) -> None:
        """Send a control frame; a peer that does not even take that is gone."""
        frame = control_frame(opcode, data, os.urandom(4))
        try:
            sent = self._opening.connected.send(frame)
        except WOULD_BLOCK:
            sent = 0
        if sent < len(frame):
            raise ProtocolError("the peer does not read: the send buffer is full")

    def _now(self) -> float:
        return self._clock.now().monotonic


def _ended(error: Exception) -> ConnectionClosed:
    why = str(error) if isinstance(error, ProtocolError) else root_reason(error)
    return ConnectionClosed(f"{why} without a close frame", by_peer=True)
