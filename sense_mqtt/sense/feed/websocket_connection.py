"""One websocket to Sense's realtime feed: opened, listened to, dropped. The door to `websocket`."""

import contextlib
import socket
import ssl
from dataclasses import dataclass
from typing import Any, Self

import websocket
from websocket import ABNF, WebSocket

from sense_mqtt import __version__
from sense_mqtt.clock import Clock
from sense_mqtt.errors import SenseUnavailable, TokenRefused
from sense_mqtt.sense.net.deadline import Deadline
from sense_mqtt.sense.net.error_causes import root_reason
from sense_mqtt.sense.net.tls import explain, refused_certificate
from sense_mqtt.sense.proxy import find_proxy
from sense_mqtt.sense.rest.responses import http_time, retry_after_s

WAKE_S = 0.5  # so often the listener looks up, however silent the feed
HANDSHAKE_MOST_BYTES = 16_384  # of its answer; web servers take 8 kB
ABORT_S = 1.0  # what a listener gets to end in good order
OUTAGES = frozenset({500, 502, 504})  # at the handshake; any other status is a refusal (facts 2.6, 4.8)

# What websocket-client raises: its own, the system's, and those of its parsing of a damaged handshake
Trouble = (websocket.WebSocketException, OSError, ValueError, IndexError, TypeError)


class HandshakeRefused(SenseUnavailable):
    """Sense answers, but does not want this websocket; `retry_after_s` is 0 where it does not say until when."""

    def __init__(self, message: str, retry_after_s: float = 0.0, *, limits: bool = False) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.limits = limits  # HTTP 429


class LineEnded(SenseUnavailable):
    """The websocket is no more; `by_peer` where the other side ended it."""

    def __init__(self, message: str, *, by_peer: bool) -> None:
        super().__init__(message)
        self.by_peer = by_peer


@dataclass(frozen=True, slots=True)
class LineSettings:
    """What a websocket needs to know."""

    url: str
    device_id: str
    timeout_s: float  # to open it, all in all
    silence_timeout_s: float  # without a message, before it is dropped
    ping_interval_s: float
    message_most_bytes: int


class Line:
    """A websocket within a `with` block; one thread opens and receives, any thread may `abort`."""

    def __init__(self, settings: LineSettings, context: ssl.SSLContext, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._socket = _Capped(context)
        self._deadline = Deadline(settings.timeout_s, self._socket.find_own, clock)
        self._ping_at = 0.0

    def __enter__(self) -> Self:
        self._deadline.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(*Trouble):
            if self._socket.connected:
                self._socket.send_close()  # and no waiting for the answer
        self._socket.shutdown()  # type: ignore[no-untyped-call]
        self._deadline.__exit__()

    def open(self, token: str) -> None:
        """Connect. Raises `TokenRefused`, `HandshakeRefused`, or `SenseUnavailable` for the network and TLS."""
        settings = self._settings
        try:
            self._connect(token)
        except Trouble as error:
            raise self._refusal(error) from error
        if self._socket.getstatus() != 101:  # before 1.9 a redirect that is not followed counts as connected
            raise HandshakeRefused(f"the feed answered HTTP {self._socket.getstatus()}")
        self._socket.expect_messages(settings.message_most_bytes)
        self._socket.settimeout(WAKE_S)
        self._ping_at = self._now() + settings.ping_interval_s
        self.keep()

    def _connect(self, token: str) -> None:
        url, header = self._settings.url, _headers(token, self._settings.device_id)
        self._socket.connect(  # type: ignore[no-untyped-call]
            url,
            header=header,
            timeout=self._settings.timeout_s,
            suppress_origin=True,
            redirect_limit=0,
            **_proxy_options(url),
        )

    def receive(self) -> str | bytes | None:
        """Return the next message; None where none came for a moment. Raises `LineEnded`."""
        try:
            self._ping_if_due()
            code, message = self._socket.recv_data()
        except websocket.WebSocketTimeoutException:
            if self._deadline.passed:
                raise self._silent() from None
            return None
        except Trouble as error:
            raise self._end(error) from error
        self._socket.expect_messages(self._settings.message_most_bytes)
        if code == ABNF.OPCODE_CLOSE:
            raise LineEnded(f"closed by Sense{_close_code(message)}", by_peer=True)
        self.keep()
        return message.decode("utf-8", "replace") if code == ABNF.OPCODE_TEXT else bytes(message)

    def keep(self) -> None:
        """Start the silence anew: a message came, or the listener itself is slow."""
        self._deadline.extend(self._settings.silence_timeout_s)

    def abort(self) -> None:
        """End it soon, from any thread: the listener gets a moment, then the socket is shut under it."""
        self._deadline.shorten(ABORT_S)

    def _end(self, error: Exception) -> LineEnded:
        if self._deadline.passed:
            return self._silent()
        if isinstance(error, _TooLarge):
            return LineEnded(str(error), by_peer=True)
        why = "connection lost" if _is_closed(error) else root_reason(error)
        return LineEnded(f"{why} without a close frame", by_peer=True)

    def _silent(self) -> LineEnded:
        return LineEnded(f"silent for {self._settings.silence_timeout_s:g} s", by_peer=False)

    def _ping_if_due(self) -> None:
        if self._now() >= self._ping_at:
            self._ping_at = self._now() + self._settings.ping_interval_s
            self._socket.ping()

    def _refusal(self, error: Exception) -> SenseUnavailable | TokenRefused:
        refused = refused_certificate(error)
        if refused is not None:
            return explain(self._settings.url, refused)
        if isinstance(error, websocket.WebSocketBadStatusException):
            return self._refused_status(error)
        if self._deadline.passed:
            return SenseUnavailable(f"the feed did not open within {self._settings.timeout_s:g} s")
        if isinstance(error, _TooLarge):
            return SenseUnavailable(f"the feed's handshake: {error}")
        return SenseUnavailable(f"the feed cannot be reached ({root_reason(error)})")

    def _refused_status(self, error: websocket.WebSocketBadStatusException) -> SenseUnavailable | TokenRefused:
        status = error.status_code
        if status == 401:
            return TokenRefused("the feed refused the access token (HTTP 401)")
        if status in OUTAGES:
            return SenseUnavailable(f"the feed is not well (HTTP {status})")
        headers: dict[str, str] = error.resp_headers or {}
        told = http_time(headers.get("date"))
        wait_s = retry_after_s(headers.get("retry-after"), self._clock.now().wall if told is None else told)
        until = f", asking us to wait {wait_s:.0f} s" if wait_s else ""
        message = f"the feed refused the connection (HTTP {status}{until})"
        return HandshakeRefused(message, wait_s, limits=status == 429)

    def _now(self) -> float:
        return self._clock.now().monotonic


class _TooLarge(websocket.WebSocketException):
    """The peer sent more than is taken at once."""


class _Capped(WebSocket):
    """websocket-client takes handshakes and frames of any size; this one does not."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._counted: _Counted | None = None
        super().__init__(sslopt={"context": context}, skip_utf8_validation=True)  # 30 times the speed (facts 5.3)

    @property
    def sock(self) -> Any:
        """What websocket-client reads from; set by it."""
        return self._counted

    @sock.setter
    def sock(self, sock: Any) -> None:
        self._counted = None if sock is None else _Counted(sock)

    def find_own(self) -> socket.socket | None:
        """Return the system's socket, so that a deadline can shut it."""
        return self._counted.own if self._counted else None

    def expect_messages(self, most_bytes: int) -> None:
        """The handshake, or a message, is over: the next one begins."""
        if self._counted is not None:
            self._counted.most_bytes, self._counted.taken = most_bytes, 0


class _Counted:
    """A socket that gives no more than so many bytes of one handshake, or of one message."""

    def __init__(self, own: Any) -> None:
        self.own = own
        self.most_bytes = HANDSHAKE_MOST_BYTES
        self.taken = 0

    def recv(self, bufsize: int) -> Any:
        received = self.own.recv(bufsize)
        self.taken += len(received)
        if self.taken > self.most_bytes:
            raise _TooLarge(f"more than {self.most_bytes} bytes at once")
        return received

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own, name)


def _headers(token: str, device_id: str) -> list[str]:
    """The token goes into a header: addresses get logged. `Accept` asks for msgpack (SE#80)."""
    return [
        f"Authorization: bearer {token}",
        "Accept: application/x-msgpack",
        f"User-Agent: sense-mqtt/{__version__} (Sense to MQTT bridge)",
        *([f"x-sense-device-id: {device_id}"] if device_id else []),
    ]


def _proxy_options(url: str) -> dict[str, Any]:
    """Say how to connect, so that websocket-client does not ask the environment itself."""
    proxy = find_proxy(url)
    if proxy is None:
        return {"http_proxy_host": "none", "http_no_proxy": ["*"]}
    login = {"http_proxy_auth": proxy.login} if proxy.login else {}
    return {"http_proxy_host": proxy.host, "http_proxy_port": proxy.port, "http_no_proxy": ["none.invalid"], **login}


def _is_closed(error: Exception) -> bool:
    return isinstance(error, websocket.WebSocketConnectionClosedException)


def _close_code(message: bytes) -> str:
    return f" with code {int.from_bytes(message[:2])}" if len(message) >= 2 else ""
