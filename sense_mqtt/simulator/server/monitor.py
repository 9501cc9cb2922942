"""One simulated monitor: its house, its own clock, and the sockets that listen. Lives in the cloud's event loop."""

import asyncio
import math
import socket as sockets
import struct
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from aiohttp import web

from sense_mqtt.simulator.house.model import House
from sense_mqtt.simulator.payloads.encoding import MessageEncoding, make_malformed
from sense_mqtt.simulator.payloads.frames import FrameMaker, Payload
from sense_mqtt.simulator.payloads.history import History
from sense_mqtt.simulator.payloads.rest import data_change
from sense_mqtt.simulator.payloads.timeline import Timeline
from sense_mqtt.simulator.server.faults import Faults
from sense_mqtt.simulator.server.request_log import RequestLog

GOING_AWAY = 1001  # RFC 6455 7.4.1
MAX_BUFFER_BYTES = 32_768  # bytes unsent; in real pace such a socket misses frames. asyncio would block at 65,536
READ_TIMEOUT_S = 30.0  # how long a client may take to read what it was sent, in free pace and by hand


@dataclass(eq=False, slots=True)
class FeedSocket:
    """One client of the feed."""

    ws: web.WebSocketResponse
    transport: asyncio.Transport
    encoding: MessageEncoding
    opened: float  # monotonic
    frames: int = 0
    ponged: asyncio.Event = field(default_factory=asyncio.Event)

    def is_backlogged(self) -> bool:
        return self.transport.get_write_buffer_size() > MAX_BUFFER_BYTES


class SimulatedMonitor:
    """A house whose clock is moved on by `tick` and `skip`; each tick makes one frame for every socket."""

    def __init__(
        self, number: int, house: House, user: int, zone: ZoneInfo, faults: Faults, records: RequestLog
    ) -> None:
        self.id, self.house, self.zone, self.faults = number, house, zone, faults
        self.now = house.begins  # house seconds
        self.frames = FrameMaker(house)
        self.timeline = Timeline(house, number, user)
        self.history = History(house, zone)
        self.sockets: list[FeedSocket] = []
        self._records = records
        self._frames_made = 0
        self._closing: set[asyncio.Task[bool]] = set()
        self._moved = threading.Condition()
        self.handshakes = 0  # under way: they count against the limit

    def has_listeners(self) -> bool:
        """Tell whether frames reach anybody at present."""
        return bool(self.sockets) and not self._is_silent()

    def _is_silent(self) -> bool:
        return self.faults.silent or self.faults.offline

    def has_solar(self) -> bool:
        return self.house.power_at(self.now).solar_w is not None

    async def tick(self, step_s: float, *, may_drop: bool = False) -> None:
        """Move on by one frame and tell all sockets; `may_drop` lets a socket that does not read miss it."""
        before = self.now
        self.skip(step_s)
        if self.has_listeners():
            receivers = [socket for socket in self.sockets if not (may_drop and socket.is_backlogged())]
            await self._broadcast(receivers, self.now)
            news = self.timeline.pushed_changes(before, self.now)
            if news is not None:
                await asyncio.gather(*(self.send_message(socket, "new_timeline_event", news) for socket in receivers))

    def skip(self, seconds: float) -> None:
        """Let house time pass that no socket hears of."""
        with self._moved:
            self.now += seconds
            self._moved.notify_all()

    def wait_until(self, at: float, timeout_s: float) -> bool:
        """Wait, in another thread, until the house's clock shows `at`; False when it did not in time."""
        with self._moved:
            return self._moved.wait_for(lambda: self.now >= at, timeout_s)

    async def send_first_frame(self, socket: FeedSocket) -> None:
        """Send the first frame of a socket: that of now, or an older one that the servers kept."""
        if not self._is_silent():
            at = max(self.now - self.faults.cached_first_frame_s, self.house.since)
            await self._send(
                socket, socket.encoding.encode("realtime_update", self.frames.realtime(at), math.floor(at))
            )

    async def announce_devices(self) -> None:
        """Tell all sockets that the list of devices is another one."""
        news = data_change(self.id, self.house.devices)
        await asyncio.gather(*(self.send_message(socket, "data_change", news) for socket in self.sockets))

    async def send_message(self, socket: FeedSocket, kind: str, payload: Payload | None) -> None:
        await self._deliver(socket, socket.encoding.encode(kind, payload, math.floor(self.now)))

    async def wait_until_read(self) -> None:
        """Return once every socket has read what it was sent: it answers a ping behind it. Who does not is dropped."""
        waiting = [] if self._is_silent() else list(self.sockets)
        for socket in waiting:
            socket.ponged.clear()
            await self._send_or_drop(socket, socket.ws.ping)
        await asyncio.gather(*(self._await_pong(socket) for socket in waiting))

    def drop(self, socket: FeedSocket, *, code: int = GOING_AWAY, abort: bool = False) -> None:
        """Close a socket: in good order, behind all that was sent; or cut, which loses what is under way."""
        if socket not in self.sockets:
            return
        self.leave(socket)
        if abort:
            reset(socket.transport)
            return
        closing = asyncio.ensure_future(socket.ws.close(code=code))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    def join(self, socket: FeedSocket) -> None:
        self.sockets.append(socket)
        self._records.add(sockets_opened=1, sockets_open=1)

    def leave(self, socket: FeedSocket) -> None:
        if socket in self.sockets:
            self.sockets.remove(socket)
            socket.ponged.set()
            self._records.add(sockets_open=-1)

    async def _broadcast(self, receivers: list[FeedSocket], at: float) -> None:
        """Send the frame of `at`, encoded once for each kind of wire."""
        payload, epoch = self.frames.realtime(at), math.floor(at)
        self._frames_made += 1
        garbage = self.faults.next_malformed(self._frames_made)
        encode: Callable[[MessageEncoding], str | bytes] = (
            (lambda wire: wire.encode("realtime_update", payload, epoch))
            if garbage is None
            else (lambda wire: make_malformed(garbage, wire, payload, epoch))
        )
        encoded = {wire: encode(wire) for wire in {socket.encoding for socket in receivers}}
        self._records.add(malformed_sent=int(garbage is not None), frames_dropped=len(self.sockets) - len(receivers))
        for socket in receivers:
            await self._send(socket, encoded[socket.encoding])

    async def _send(self, socket: FeedSocket, message: str | bytes) -> None:
        await self._deliver(socket, message)
        socket.frames += 1
        self._records.add(frames_sent=1)
        most = self.faults.close_after_frames
        if most is not None and socket.frames >= most:
            self.drop(socket)

    async def _deliver(self, socket: FeedSocket, message: str | bytes) -> None:
        if isinstance(message, str):
            await self._send_or_drop(socket, lambda: socket.ws.send_str(message))
        else:
            await self._send_or_drop(socket, lambda: socket.ws.send_bytes(message))

    async def _send_or_drop(self, socket: FeedSocket, send: Callable[[], Awaitable[None]]) -> None:
        """Send, bearing with a client that has gone or does not read."""
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                await send()
        except (ConnectionError, RuntimeError, TimeoutError):
            self.drop(socket, abort=True)

    async def _await_pong(self, socket: FeedSocket) -> None:
        if socket not in self.sockets:  # it left before it was asked
            return
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                await socket.ponged.wait()
        except TimeoutError:
            self.drop(socket, abort=True)


def reset(transport: asyncio.BaseTransport | None) -> None:
    """Cut a connection with a TCP reset: what is under way is lost."""
    if isinstance(transport, asyncio.Transport) and not transport.is_closing():
        raw = transport.get_extra_info("socket")
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
