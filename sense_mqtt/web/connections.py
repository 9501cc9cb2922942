"""The connections of the web server: so many at most, and none that keeps us waiting for its request."""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

CONNECTIONS_MOST = 200
REQUEST_S = 10.0  # for the whole head of a request to come, and between two requests
SEND_BUFFER_BYTES = 65_536  # of the kernel: a browser that stops reading is noticed once both buffers are full
WRITE_BUFFER_BYTES = 65_536  # of ours
LOOK_EVERY_S = 1.0


class _Refuse(asyncio.Protocol):
    """Ends the connection at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            transport.abort()


class Connections:
    """Counts connections, and ends those that wait too long. For the web server's thread only."""

    def __init__(self, request_s: float = REQUEST_S) -> None:
        self._request_s = request_s
        self._idle_since: dict[Any, float] = {}  # loop time; those that are being answered are in `_busy`
        self._busy: set[Any] = set()

    def accept(self, server: Callable[[], asyncio.Protocol]) -> asyncio.Protocol:
        """Return the protocol of a new connection, as `server` makes it."""
        if len(self._idle_since) + len(self._busy) >= CONNECTIONS_MOST:
            return _Refuse()
        protocol = server()
        self._idle_since[protocol] = asyncio.get_running_loop().time()
        return protocol

    @web.middleware
    async def note(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request, and count the time from there on."""
        protocol = request.protocol
        self._idle_since.pop(protocol, None)
        self._busy.add(protocol)
        try:
            return await handler(request)
        finally:
            self._busy.discard(protocol)
            self._idle_since[protocol] = asyncio.get_running_loop().time()

    async def maintain(self) -> None:
        """End connections that wait too long, for ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now = asyncio.get_running_loop().time()
            for protocol, since in list(self._idle_since.items()):
                transport = protocol.transport
                if transport is None or now - since > self._request_s:
                    del self._idle_since[protocol]
                    if transport is not None:
                        transport.abort()


def bound_buffers(request: web.Request) -> None:
    """Let little wait for a browser that does not read."""
    transport = request.transport
    if transport is None:
        return
    transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)


def drop(request: web.Request) -> None:
    """End the connection at once, and let go of what waits for it."""
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
