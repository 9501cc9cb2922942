"""A client's side of the websocket protocol (RFC 6455), without a socket: bytes in, frames out. Pure.

Our own, because websocket-client reads from a socket that may block, and takes frames of any size.
"""

import base64
import hashlib
from collections.abc import Iterable
from urllib.parse import urlsplit

from msgspec import Struct

MAX_HANDSHAKE_BYTES = 16_384  # of an answer's head; web servers take 8 kB
DEFAULT_PORTS = {"ws": 80, "wss": 443}

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
MESSAGES = frozenset({CONTINUATION, TEXT, BINARY})
CONTROL = frozenset({CLOSE, PING, PONG})
MAX_CONTROL_BYTES = 125
FIN, RESERVED, OPCODE, MASKED = 0x80, 0x70, 0x0F, 0x80

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 1.3


class ProtocolError(Exception):
    """The peer does not keep to the protocol."""


class MessageTooLarge(ProtocolError):
    """The peer sent more than is taken at once."""


def upgrade_request(url: str, headers: Iterable[str], key: str) -> bytes:
    """Return the request that asks for a websocket; `key`: base64 of 16 random bytes."""
    parts = urlsplit(url)
    resource = parts.path + (f"?{parts.query}" if parts.query else "") or "/"
    lines = [
        f"GET {resource} HTTP/1.1",
        f"Host: {_host(url)}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def tunnel_request(url: str, login: tuple[str, str] | None) -> bytes:
    """Return the request that asks a proxy for a connection to this address; `login`: user and password."""
    parts = urlsplit(url)
    target = f"{_bracketed(parts.hostname or '')}:{parts.port or DEFAULT_PORTS[parts.scheme]}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if login is not None:
        lines.append("Proxy-Authorization: Basic " + base64.b64encode(":".join(login).encode()).decode())
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _host(url: str) -> str:
    parts = urlsplit(url)
    host, default = _bracketed(parts.hostname or ""), DEFAULT_PORTS[parts.scheme]
    return host if parts.port in (None, default) else f"{host}:{parts.port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


class Head(Struct, frozen=True):
    """Status and headers of an HTTP answer; names are in lower case, and of a repeated one the last counts."""

    status: int
    headers: dict[str, str]

    def accepts(self, key: str) -> bool:
        """Whether this answer opens the websocket that was asked for with this key."""
        digest = hashlib.sha1(key.encode() + _GUID).digest()  # noqa: S324 - as the standard has it
        upgrades = [each.strip().lower() for each in self.headers.get("connection", "").split(",")]
        return (
            self.headers.get("sec-websocket-accept", "") == base64.b64encode(digest).decode()
            and self.headers.get("upgrade", "").lower() == "websocket"
            and "upgrade" in upgrades
        )


class HeadReader:
    """Collects the head of an HTTP answer."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> tuple[Head, bytes] | None:
        """Return the head and what follows it, once it is whole. Raises `ProtocolError`."""
        searched = max(len(self._buffer) - 3, 0)
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n", searched)
        if max(end, 0) > MAX_HANDSHAKE_BYTES or (end < 0 and len(self._buffer) > MAX_HANDSHAKE_BYTES):
            raise MessageTooLarge(f"more than {MAX_HANDSHAKE_BYTES} bytes at once")
        if end < 0:
            return None
        return _read_head(self._buffer[:end].decode("latin-1")), bytes(self._buffer[end + 4 :])


def _read_head(text: str) -> Head:
    first, *lines = text.split("\r\n")
    version, _, rest = first.partition(" ")
    status = rest[:3]
    if not version.startswith("HTTP/1.") or not (status.isascii() and status.isdecimal() and len(status) == 3):
        raise ProtocolError("the answer is not HTTP")
    pairs = (line.partition(":") for line in lines)
    return Head(int(status), {name.strip().lower(): value.strip() for name, _, value in pairs})


class WebsocketFrame(Struct, frozen=True):
    """A whole message (TEXT, BINARY), or a control frame (CLOSE, PING, PONG)."""

    opcode: int
    data: bytes

    @property
    def close_code(self) -> int | None:
        """Why the peer closes, where it says so."""
        return int.from_bytes(self.data[:2]) if len(self.data) >= 2 else None


class FrameReader:
    """Takes bytes as they come, and puts fragments together; the work for a byte is bounded."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes  # of one message
        self._buffer = bytearray()
        self._fragments = bytearray()
        self._opcode: int | None = None  # of the message whose fragments are collected

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def take(self, most_frames: int) -> tuple[WebsocketFrame | None, bool]:
        """Return the next frame, None where none is whole, and whether `most_frames` were read without finding one.

        Raises `ProtocolError`.
        """
        for _ in range(most_frames):
            size = self._whole_size()
            if size is None:
                return None, False
            frame = self._take_one(*size)
            if frame is not None:
                return frame, False
        return None, True

    def _whole_size(self) -> tuple[int, int] | None:
        """Return where the payload of the first frame begins and ends; None where it is not there yet."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        first, size, begin = buffer[0], buffer[1], 2
        if size & MASKED or first & RESERVED or first & OPCODE not in MESSAGES | CONTROL:
            raise ProtocolError("a frame that the protocol does not know")
        if first & OPCODE in CONTROL and (size > MAX_CONTROL_BYTES or not first & FIN):
            raise ProtocolError("a control frame that is too long")
        if size > MAX_CONTROL_BYTES:
            begin = 4 if size == 126 else 10
            if len(buffer) < begin:
                return None
            size = int.from_bytes(buffer[2:begin])
        if size + len(self._fragments) > self._max_bytes:
            raise MessageTooLarge(f"more than {self._max_bytes} bytes at once")
        return (begin, begin + size) if len(buffer) >= begin + size else None

    def _take_one(self, begin: int, end: int) -> WebsocketFrame | None:
        first, data = self._buffer[0], bytes(memoryview(self._buffer)[begin:end])
        del self._buffer[:end]
        opcode = first & OPCODE
        if opcode in CONTROL:
            if opcode == CLOSE and len(data) == 1:
                raise ProtocolError("a close frame with half a code")
            return WebsocketFrame(opcode, data)
        if (opcode == CONTINUATION) != (self._opcode is not None):
            raise ProtocolError("a fragment out of order")
        if first & FIN and self._opcode is None:
            return WebsocketFrame(opcode, data)
        return self._add_fragment(opcode, data, is_last=bool(first & FIN))

    def _add_fragment(self, opcode: int, data: bytes, *, is_last: bool) -> WebsocketFrame | None:
        self._opcode = self._opcode or opcode
        self._fragments += data
        if not is_last:
            return None
        whole = WebsocketFrame(self._opcode, bytes(self._fragments))
        self._opcode, self._fragments = None, bytearray()
        return whole


def control_frame(opcode: int, data: bytes, mask: bytes) -> bytes:
    """Return a control frame of at most 125 bytes; `mask`: 4 random bytes (a client has to, RFC 6455 5.3)."""
    masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
    return bytes((FIN | opcode, MASKED | len(data))) + mask + masked
