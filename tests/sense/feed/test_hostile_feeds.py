"""Many feeds of one process, of which some are hostile: the others notice nothing."""

import asyncio
import base64
import contextlib
import hashlib
import threading
import time
from random import Random

import pytest

from sense_mqtt.clock import SystemClock
from sense_mqtt.core.backoff import Backoff
from sense_mqtt.inbox import MAX_WAITING_FRAMES, Inbox
from sense_mqtt.items import FrameArrived
from sense_mqtt.sense.feed.feed import Feed
from sense_mqtt.sense.feed.feed_loop import FeedLoop
from sense_mqtt.sense.feed.settings import FeedSettings
from tests.support.sense.sense_fixtures import PATIENCE_S

pytestmark = pytest.mark.enable_socket

FRAMES = 10  # that each good feed sends
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class TokenSession:
    """A session that is good for ever."""

    def token(self):
        return "a token"

    def token_refused(self, _token):
        """Nobody refuses."""


def opened(head):
    key = next(line.split(b": ")[1] for line in head.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key"))
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest())  # noqa: S324 - as the standard has it
    return (
        b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


async def send_nothing(_writer, _head):
    """Neither does it answer the handshake, nor hang up."""
    await asyncio.sleep(PATIENCE_S)


async def trickle(writer, head):
    writer.write(opened(head) + b"\x82\x7f" + (900_000).to_bytes(8))
    while not writer.is_closing():
        writer.write(b"x")
        await asyncio.sleep(0.001)


async def flood(writer, head):
    writer.write(opened(head))
    while True:
        writer.write((b"\x82\x04" + b"spam") * 1000)
        await writer.drain()


async def flood_with_pings(writer, head):
    writer.write(opened(head))
    while True:
        writer.write(b"\x89\x00" * 10_000)
        await writer.drain()


async def flood_with_fragments(writer, head):
    writer.write(opened(head) + b"\x02\x00")
    while True:
        writer.write(b"\x00\x00" * 10_000)
        await writer.drain()


async def giant_frames(writer, head):
    writer.write(opened(head))
    while True:
        writer.write(b"\x82\x7f" + (900_000).to_bytes(8) + b"x" * 900_000)
        await writer.drain()


async def trickle_the_handshake(writer, _head):
    writer.write(b"HTTP/1.1 101 ")
    while not writer.is_closing():
        writer.write(b"x")
        await asyncio.sleep(0.001)


async def reset_at_once(writer, _head):
    writer.transport.abort()


BEHAVIOURS = (
    send_nothing,
    trickle,
    flood,
    flood_with_pings,
    flood_with_fragments,
    giant_frames,
    trickle_the_handshake,
    reset_at_once,
)


class HostileCloud:
    """The first monitors are treated badly, the others get FRAMES frames."""

    def __init__(self, hostile):
        self._hostile = hostile
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(lambda *_: None)  # connections that are cut at the end
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        assert self._started.wait(PATIENCE_S)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)

    def _run(self):
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512))
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _serve(self, reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            monitor = int(head.split(b"/")[2])
            if monitor < self._hostile:
                await BEHAVIOURS[monitor % len(BEHAVIOURS)](writer, head)
            else:
                await self._send_frames(writer, head, monitor)
        writer.close()

    async def _send_frames(self, writer, head, monitor):
        writer.write(opened(head))
        for number in range(FRAMES):
            text = f"{monitor}:{number}".encode()
            writer.write(bytes((0x82, len(text))) + text)
            await asyncio.sleep(0.02)
        await asyncio.sleep(PATIENCE_S)


@pytest.mark.parametrize(("feeds", "hostile"), [(40, 8), pytest.param(200, 20, marks=pytest.mark.long)])
def test_hostile_feeds_cost_the_others_no_frame_and_no_thread(tmp_path, feeds, hostile):
    inbox, threads_before = Inbox(), threading.active_count()
    with HostileCloud(hostile) as cloud:
        settings = FeedSettings(
            tmp_path,
            url=f"ws://127.0.0.1:{cloud.port}",
            mode="stream",
            backoff=Backoff(0.02, 0.1, 0.01),
            spacing_s=0.02,
            silence_timeout_s=60.0,
        )
        loop, session = FeedLoop(inbox, SystemClock()), TokenSession()
        running = [Feed(monitor, session, settings, loop=loop, random=Random(1)) for monitor in range(feeds)]
        for feed in running:
            feed.start()
        came, most_waiting, most_threads = receive_all(inbox, range(hostile, feeds))
        for feed in running:
            feed.begin_close()
        for feed in running:
            feed.close()
    assert came == {monitor: list(range(FRAMES)) for monitor in range(hostile, feeds)}
    assert most_waiting <= MAX_WAITING_FRAMES + 2 * feeds  # and what is told of feeds
    assert most_threads - threads_before <= 1 + 1 + 6  # the server, the loop, the workers


def receive_all(inbox, good):
    """Take items out until each good feed has sent everything; return its frames by monitor, and what was most."""
    came = {monitor: [] for monitor in good}
    missing, most_waiting, most_threads = FRAMES * len(came), 0, 0
    ends = time.monotonic() + 3 * PATIENCE_S
    while missing:
        assert time.monotonic() < ends, f"{missing} frames are missing"
        most_waiting, most_threads = max(most_waiting, len(inbox)), max(most_threads, threading.active_count())
        item = inbox.get(1.0)
        if isinstance(item, FrameArrived) and item.monitor in came:
            came[item.monitor].append(int(item.raw.decode().partition(":")[2]))
            missing -= 1
    return came, most_waiting, most_threads
