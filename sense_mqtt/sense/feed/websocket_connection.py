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
from sense_mqtt.sense.net.tls import certificate_error, find_certificate_error
from sense_mqtt.sense.proxy import find_proxy
from sense_mqtt.sense.rest.responses import http_time, retry_after_s

RECEIVE_TIMEOUT_S = 0.5  # so often the listener looks up, however silent the feed
MAX_HANDSHAKE_BYTES = 16_384  # of its answer; web servers take 8 kB
ABORT_S = 1.0  # what a listener gets to end in good order
OUTAGES = frozenset({500, 502, 504})  # at the handshake; any other status is a refusal (facts 2.6, 4.8)

# What websocket-client raises: its own, the system's, and those of its parsing of a damaged handshake
CONNECTION_ERRORS = (websocket.WebSocketException, OSError, ValueError, IndexError, TypeError)


class HandshakeRejected(SenseUnavailable):
    """Sense answers, but does not want this websocket; `retry_after_s` is 0 where it does not say until when."""

    def __init__(self, message: str, retry_after_s: float = 0.0, *, is_rate_limit: bool = False) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.is_rate_limit = is_rate_limit  # HTTP 429


class ConnectionClosed(SenseUnavailable):
    """The websocket is no more; `by_peer` where the other side ended it."""

    def __init__(self, message: str, *, by_peer: bool) -> None:
        super().__init__(message)
        self.by_peer = by_peer


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """What a websocket needs to know."""

    url: str
    device_id: str
    timeout_s: float  # to open it, all in all
    silence_timeout_s: float  # without a message, before it is dropped
    ping_interval_s: float
    max_message_bytes: int


class FeedConnection:
    """A websocket within a `with` block; one thread opens and receives, any thread may `abort`."""

    def __init__(self, settings: ConnectionSettings, context: ssl.SSLContext, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._socket = _SizeLimitedWebSocket(context)
        self._deadline = Deadline(settings.timeout_s, self._socket.system_socket, clock)
        self._ping_at = 0.0

    def __enter__(self) -> Self:
        self._deadline.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(*CONNECTION_ERRORS):
            if self._socket.connected:
                self._socket.send_close()  # and no waiting for the answer
        self._socket.shutdown()  # type: ignore[no-untyped-call]
        self._deadline.__exit__()

    def open(self, token: str) -> None:
        """Connect. Raises `TokenRefused`, `HandshakeRejected`, or `SenseUnavailable` for the network and TLS."""
        settings = self._settings
        try:
            self._connect(token)
        except CONNECTION_ERRORS as error:
            raise self._refusal(error) from error
        if self._socket.getstatus() != 101:  # before 1.9 a redirect that is not followed counts as connected
            raise HandshakeRejected(f"the feed answered HTTP {self._socket.getstatus()}")
        self._socket.start_message(settings.max_message_bytes)
        self._socket.settimeout(RECEIVE_TIMEOUT_S)
        self._ping_at = self._now() + settings.ping_interval_s
        self.extend_silence()

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
        """Return the next message; None where none came for a moment. Raises `ConnectionClosed`."""
        try:
            self._ping_if_due()
            code, message = self._socket.recv_data()
        except websocket.WebSocketTimeoutException:
            if self._deadline.expired:
                raise self._silent() from None
            return None
        except CONNECTION_ERRORS as error:
            raise self._end(error) from error
        self._socket.start_message(self._settings.max_message_bytes)
        if code == ABNF.OPCODE_CLOSE:
            raise ConnectionClosed(f"closed by Sense{_close_code(message)}", by_peer=True)
        self.extend_silence()
        return message.decode("utf-8", "replace") if code == ABNF.OPCODE_TEXT else bytes(message)

    def extend_silence(self) -> None:
        """Start the silence anew: a message came, or the listener itself is slow."""
        self._deadline.extend(self._settings.silence_timeout_s)

    def abort(self) -> None:
        """End it soon, from any thread: the listener gets a moment, then the socket is shut under it."""
        self._deadline.shorten(ABORT_S)

    def _end(self, error: Exception) -> ConnectionClosed:
        if self._deadline.expired:
            return self._silent()
        if isinstance(error, _MessageTooLarge):
            return ConnectionClosed(str(error), by_peer=True)
        why = "connection lost" if _is_closed(error) else root_reason(error)
        return ConnectionClosed(f"{why} without a close frame", by_peer=True)

    def _silent(self) -> ConnectionClosed:
        return ConnectionClosed(f"silent for {self._settings.silence_timeout_s:g} s", by_peer=False)

    def _ping_if_due(self) -> None:
        if self._now() >= self._ping_at:
            self._ping_at = self._now() + self._settings.ping_interval_s
            self._socket.ping()

    def _refusal(self, error: Exception) -> SenseUnavailable | TokenRefused:
        refused = find_certificate_error(error)
        if refused is not None:
            return certificate_error(self._settings.url, refused)
        if isinstance(error, websocket.WebSocketBadStatusException):
            return self._refused_status(error)
        if self._deadline.expired:
            return SenseUnavailable(f"the feed did not open within {self._settings.timeout_s:g} s")
        if isinstance(error, _MessageTooLarge):
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
        return HandshakeRejected(message, wait_s, is_rate_limit=status == 429)

    def _now(self) -> float:
        return self._clock.now().monotonic


class _MessageTooLarge(websocket.WebSocketException):
    """The peer sent more than is taken at once."""


class _SizeLimitedWebSocket(WebSocket):
    """websocket-client takes handshakes and frames of any size; this one does not."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._counted: _SizeLimitedSocket | None = None
        super().__init__(sslopt={"context": context}, skip_utf8_validation=True)  # 30 times the speed (facts 5.3)

    @property
    def sock(self) -> Any:
        """What websocket-client reads from; set by it."""
        return self._counted

    @sock.setter
    def sock(self, sock: Any) -> None:
        self._counted = None if sock is None else _SizeLimitedSocket(sock)

    def system_socket(self) -> socket.socket | None:
        """Return the system's socket, so that a deadline can shut it."""
        return self._counted.own if self._counted else None

    def start_message(self, most_bytes: int) -> None:
        """The handshake, or a message, is over: the next one begins."""
        if self._counted is not None:
            self._counted.most_bytes, self._counted.taken = most_bytes, 0


class _SizeLimitedSocket:
    """A socket that gives no more than so many bytes of one handshake, or of one message."""

    def __init__(self, own: Any) -> None:
        self.own = own
        self.most_bytes = MAX_HANDSHAKE_BYTES
        self.taken = 0

    def recv(self, bufsize: int) -> Any:
        received = self.own.recv(bufsize)
        self.taken += len(received)
        if self.taken > self.most_bytes:
            raise _MessageTooLarge(f"more than {self.most_bytes} bytes at once")
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
