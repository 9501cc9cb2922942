"""Sense's realtime feed for many homes at once, as cheap as can be: frames are made once, their watts patched in.

It runs in the process of the bench, which therefore knows when each frame was sent.
"""

import asyncio
import base64
import hashlib
import struct
import threading
import time
from typing import Any

import msgpack

from sense_mqtt.simulator.house.builtin import BEGINS, BuiltInHouse
from sense_mqtt.simulator.payloads.frames import FrameMaker

FRAME_S, TURN_S = 0.5, 0.01
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MARK_W = 1.25e300  # stands for the watts of the house until they are known
STEPS = 5_000  # watts repeat after so many frames, so that a reading tells which frame it is of
BASE_W = 1_000.0


class ManyHomesFeed:
    """Sends two frames a second to each socket, those of different homes at different moments."""

    def __init__(self) -> None:
        self.frames_sent = 0
        self.raised_w = 0.0  # added to all watts from now on
        self.sent_at: dict[tuple[int, float], float] = {}  # (monitor, watts) -> monotonic
        self._payload = FrameMaker(BuiltInHouse(seed=1)).realtime(BEGINS + 12 * 3600.0) | {"w": MARK_W}
        self._writers: dict[int, asyncio.StreamWriter] = {}
        self._counts: dict[int, int] = {}
        self._started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._is_sending = True
        self.port = 0

    def __enter__(self) -> "ManyHomesFeed":
        threading.Thread(target=self._run, daemon=True).start()
        self._started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    @property
    def open_sockets(self) -> int:
        return len(self._writers)

    def stop_sending(self) -> None:
        self._is_sending = False

    def go_on_sending(self) -> None:
        self._is_sending = True

    def cut_all(self) -> None:
        """Abort all sockets."""
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        for writer in list(self._writers.values()):
            writer.transport.abort()
        self._writers.clear()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=2048))
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.create_task(self._send_for_ever())
        self._loop.run_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        monitor = int(head.split(b"/")[2])
        key = next(
            line.split(b": ")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key")
        )
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())  # noqa: S324 - as the standard has it
        writer.write(b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept)
        writer.write(b"\r\n\r\n")
        self._writers[monitor] = writer
        try:
            while await reader.read(4096):  # pings, and the end
                pass
        except ConnectionError:
            pass
        if self._writers.get(monitor) is writer:
            del self._writers[monitor]
        writer.close()

    async def _send_for_ever(self) -> None:
        turns = round(FRAME_S / TURN_S)
        begun, number, frame = time.monotonic(), 0, self._frame()
        while True:
            turn = number % turns
            if turn == 0:
                frame = self._frame()
            if self._is_sending:
                for monitor, writer in list(self._writers.items()):
                    if monitor % turns == turn:
                        self._send(monitor, writer, frame)
            number += 1
            await asyncio.sleep(max(begun + number * TURN_S - time.monotonic(), 0.0))

    def _send(self, monitor: int, writer: asyncio.StreamWriter, frame: tuple[bytes, bytes]) -> None:
        count = self._counts[monitor] = self._counts.get(monitor, 0) + 1
        watts = BASE_W + self.raised_w + count % STEPS / 10
        before, after = frame
        writer.write(before + struct.pack(">d", watts) + after)
        self.sent_at[monitor, round(watts, 1)] = time.monotonic()
        self.frames_sent += 1

    def _frame(self) -> tuple[bytes, bytes]:
        """Return what comes before and after the watts, as a websocket frame."""
        epoch = int(time.time())
        payload: dict[str, Any] = self._payload | {"epoch": epoch}
        body = b"".join(map(msgpack.packb, ("realtime_update", epoch, payload)))
        before, after = body.split(struct.pack(">d", MARK_W))
        return b"\x82\x7e" + struct.pack(">H", len(body)) + before, after
