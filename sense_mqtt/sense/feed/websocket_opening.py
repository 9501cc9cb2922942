"""How a websocket is opened: TCP, a proxy's tunnel, TLS and the handshake, over a socket that never blocks."""

import base64
import contextlib
import errno
import os
import socket
import ssl
from collections.abc import Generator, Iterator
from selectors import EVENT_READ, EVENT_WRITE
from urllib.parse import urlsplit

from msgspec import Struct

from sense_mqtt import __version__
from sense_mqtt.clock import Clock
from sense_mqtt.errors import SenseUnavailable, TokenRefused
from sense_mqtt.net.http_times import http_time, retry_after_s
from sense_mqtt.sense.feed.connection_errors import HandshakeRejected
from sense_mqtt.sense.feed.route import Address, Route
from sense_mqtt.sense.feed.websocket_protocol import Head, HeadReader, ProtocolError, tunnel_request, upgrade_request

CHUNK_BYTES = 65_536  # read at once
OUTAGES = frozenset({500, 502, 504})  # at the handshake; any other status is a refusal
WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class ConnectionSettings(Struct, frozen=True):
    """What a websocket needs to know."""

    url: str
    device_id: str
    timeout_s: float  # to open it, all in all
    silence_timeout_s: float  # without a message, before it is dropped
    ping_interval_s: float
    max_message_bytes: int


class WebsocketOpening:
    """Opens one websocket. For one thread at a time."""

    def __init__(
        self, settings: ConnectionSettings, route: Route, token: str, context: ssl.SSLContext, clock: Clock
    ) -> None:
        self.socket: socket.socket | None = None
        self.first_bytes = b""  # what came right after the handshake
        self.next_address_at = self.ends_at = clock.now().monotonic + settings.timeout_s
        self._settings = settings
        self._route = route
        self._token = token
        self._context = context
        self._clock = clock

    def steps(self) -> Iterator[int]:
        """Yield what the socket has to be ready for (selectors.EVENT_*) before the next step; at the end it is open.

        Raises `TokenRefused`, `HandshakeRejected`, `SenseUnavailable`, or OSError, ValueError, `ProtocolError`.
        """
        url = self._settings.url
        yield from self._connect()
        if self._route.proxy is not None:
            head, _ = yield from self._ask(tunnel_request(url, self._route.proxy.login))
            if head.status != 200:
                raise ProtocolError(f"the proxy answered HTTP {head.status}")
        if urlsplit(url).scheme == "wss":
            yield from self._encrypt()
        key = base64.b64encode(os.urandom(16)).decode()
        head, rest = yield from self._ask(upgrade_request(url, _headers(self._token, self._settings.device_id), key))
        if head.status != 101:
            raise self._refused_status(head)
        if not head.accepts(key):
            raise ProtocolError("its answer opens no websocket")
        self.first_bytes = rest

    def close(self) -> None:
        """Let go of the socket."""
        if self.socket is not None:
            with contextlib.suppress(OSError):
                self.socket.close()
            self.socket = None

    def _connect(self) -> Iterator[int]:
        """Try one address after the other; each has an equal share of the time."""
        share_s = self._settings.timeout_s / max(len(self._route.addresses), 1)
        failure: OSError = OSError(errno.EHOSTUNREACH, "no address")
        for address in self._route.addresses:
            self.next_address_at = self._now() + share_s
            try:
                yield from self._connect_to(address)
            except OSError as error:
                failure = error
            else:
                self.next_address_at = self.ends_at
                return
        raise failure

    def _connect_to(self, address: Address) -> Iterator[int]:
        self.close()
        self.socket = made = socket.socket(address.family, socket.SOCK_STREAM)
        made.settimeout(0.0)
        with contextlib.suppress(OSError):
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        failed = made.connect_ex(address.sockaddr)
        while failed in (errno.EINPROGRESS, errno.EAGAIN, errno.EALREADY):
            yield EVENT_WRITE
            if self._now() >= self.next_address_at:
                raise TimeoutError(errno.ETIMEDOUT, "connection timed out")
            failed = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) or _not_connected(made)
        if failed:
            raise OSError(failed, os.strerror(failed))

    def _encrypt(self) -> Iterator[int]:
        host = urlsplit(self._settings.url).hostname
        encrypted = self._context.wrap_socket(self.connected, server_hostname=host, do_handshake_on_connect=False)
        self.socket = encrypted
        while True:
            try:
                encrypted.do_handshake()
            except ssl.SSLWantReadError:
                yield EVENT_READ
            except ssl.SSLWantWriteError:
                yield EVENT_WRITE
            else:
                return

    def _ask(self, request: bytes) -> Generator[int, None, tuple[Head, bytes]]:
        """Send an HTTP request; return the head of the answer, and what came after it."""
        made = self.connected
        while request:
            try:
                request = request[made.send(request) :]
            except WOULD_BLOCK:
                yield EVENT_WRITE
        reader = HeadReader()
        while True:
            data = receive(made)
            if data is None:
                yield EVENT_READ
            elif (answer := reader.feed(data)) is not None:
                return answer

    def _refused_status(self, head: Head) -> SenseUnavailable | TokenRefused:
        if head.status == 401:
            return TokenRefused("the feed refused the access token (HTTP 401)")
        if head.status in OUTAGES:
            return SenseUnavailable(f"the feed is not well (HTTP {head.status})")
        told = http_time(head.headers.get("date"))
        wait_s = retry_after_s(head.headers.get("retry-after"), self._clock.now().wall if told is None else told)
        until = f", asking us to wait {wait_s:.0f} s" if wait_s else ""
        message = f"the feed refused the connection (HTTP {head.status}{until})"
        return HandshakeRejected(message, wait_s, is_rate_limit=head.status == 429)

    @property
    def connected(self) -> socket.socket:
        """The socket. Raises OSError where there is none."""
        if self.socket is None:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        return self.socket

    def _now(self) -> float:
        return self._clock.now().monotonic


def receive(connected: socket.socket) -> bytes | None:
    """Return what has come, None where nothing has. Raises OSError, and `ProtocolError` where the peer closed."""
    try:
        data = connected.recv(CHUNK_BYTES)
    except WOULD_BLOCK:
        return None
    if not data:
        raise ProtocolError("connection lost")
    return data


def _not_connected(made: socket.socket) -> int:
    try:
        made.getpeername()
    except OSError:
        return errno.EINPROGRESS
    return 0


def _headers(token: str, device_id: str) -> list[str]:
    """The token goes into a header: addresses get logged. `Accept` asks for msgpack (SE#80)."""
    return [
        f"Authorization: bearer {token}",
        "Accept: application/x-msgpack",
        f"User-Agent: sense-mqtt/{__version__} (Sense to MQTT bridge)",
        *([f"x-sense-device-id: {device_id}"] if device_id else []),
    ]
