"""A TCP proxy that misbehaves on request: refuses, cuts, stalls, passes on byte by byte, inserts garbage, flips bits.

Garbage goes in where a chunk begins, and whoever finds it must give the connection up: bytes that change inside a
message go unnoticed by MQTT and HTTP, as TCP and TLS see to it that there are none. `flip_bit` does that all the
same, for tests of what is protected by TLS.
"""

import asyncio
import random
import socket
import struct
import threading
import time
from collections.abc import Coroutine
from typing import Any, Literal, Self

Way = Literal["pass", "stall", "byte_by_byte", "insert_garbage", "flip_bit"]
Direction = Literal["up", "down"]  # towards the server, towards the client

CHUNK_BYTES = 65_536
BYTE_INTERVAL_S = 0.001  # between two bytes
GARBAGE = b"\xff\xfe\xff\xf5\xc1\xff\xff\x9f\xff\xff\xfb\xff\xff\xff\xff\xff"  # no MQTT, no websocket, no UTF-8
CALL_TIMEOUT_S = 10.0


class _Link:
    """One client's connection and ours on its behalf."""

    def __init__(self, writers: dict[Direction, asyncio.StreamWriter]) -> None:
        self.writers = writers

    def end(self, *, reset: bool) -> None:
        for writer in self.writers.values():
            if reset and not writer.is_closing():
                raw = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            else:
                writer.close()


class Proxy:
    """Listens on `port` of this machine and passes on to `target`. Every method may be called from any thread."""

    def __init__(self, target_port: int, seed: int = 0) -> None:
        self._target_port = target_port
        self._rng = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._server: asyncio.Server | None = None
        self._links: set[_Link] = set()
        self._ways: dict[Direction, Way] = {"up": "pass", "down": "pass"}
        self._changed = asyncio.Event()
        self.port = 0
        self.taken: list[float] = []  # when each connection was accepted, monotonic

    def __enter__(self) -> Self:
        self._thread.start()
        self.accept()
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # --- what it does

    def behave(self, *, up: Way = "pass", down: Way = "pass") -> None:
        """Treat the bytes of all connections in this way from now on."""

        async def change() -> None:
            self._ways = {"up": up, "down": down}
            self._changed.set()
            self._changed = asyncio.Event()

        self._call(change())

    def cut(self, *, reset: bool = False) -> None:
        """End all connections: in good order, or with a TCP reset, which loses what is under way."""

        async def end() -> None:
            for link in list(self._links):
                link.end(reset=reset)

        self._call(end())

    def refuse(self) -> None:
        """Take no more connections; those that stand go on."""

        async def stop_listening() -> None:
            if self._server is not None:
                self._server.close()
            self._server = None

        self._call(stop_listening())

    def accept(self) -> None:
        """Take connections, on the same port as ever."""

        async def listen() -> None:
            if self._server is None:
                self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
                self.port = self._server.sockets[0].getsockname()[1]

        self._call(listen())

    @property
    def connections(self) -> int:
        return len(self._links)

    # --- in the loop

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_TIMEOUT_S)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for link in list(self._links):
            link.end(reset=True)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.taken.append(time.monotonic())
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.close()
            return
        link = _Link({"up": far_writer, "down": writer})
        self._links.add(link)
        reset = False
        try:
            await self._join(link, {"up": reader, "down": far_reader})
        except OSError:
            reset = True
        finally:
            link.end(reset=reset)
            self._links.discard(link)

    async def _join(self, link: _Link, readers: dict[Direction, asyncio.StreamReader]) -> None:
        """Return when one side has ended; raises OSError when it was cut."""
        forwarders = {
            asyncio.ensure_future(self._forward(direction, readers[direction], link.writers[direction]))
            for direction in readers
        }
        try:
            done, _ = await asyncio.wait(forwarders, return_when=asyncio.FIRST_COMPLETED)
            for forwarder in done:
                forwarder.result()
        finally:
            for forwarder in forwarders:
                forwarder.cancel()
            await asyncio.gather(*forwarders, return_exceptions=True)

    async def _forward(self, direction: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        may_begin_inside_message = False  # the chunk before was as large as can be: this one may begin within a message
        while chunk := await reader.read(CHUNK_BYTES):
            await self._send(direction, chunk, writer, may_begin_inside_message=may_begin_inside_message)
            may_begin_inside_message = len(chunk) == CHUNK_BYTES

    async def _send(
        self, direction: Direction, chunk: bytes, writer: asyncio.StreamWriter, *, may_begin_inside_message: bool
    ) -> None:
        while self._ways[direction] == "stall":
            await self._changed.wait()
        way = self._ways[direction]
        if way == "insert_garbage" and not may_begin_inside_message:
            chunk = GARBAGE + chunk
        elif way == "flip_bit":
            chunk = self._flip_bit(chunk)
        sent = 0
        while self._ways[direction] == "byte_by_byte" and sent < len(chunk):
            if writer.is_closing():
                raise ConnectionResetError("the other side has gone")
            writer.write(chunk[sent : sent + 1])
            sent += 1
            await asyncio.sleep(BYTE_INTERVAL_S)
        writer.write(chunk[sent:])
        await writer.drain()

    def _flip_bit(self, chunk: bytes) -> bytes:
        place = self._rng.randrange(len(chunk))
        return chunk[:place] + bytes([chunk[place] ^ (1 << self._rng.randrange(8))]) + chunk[place + 1 :]
