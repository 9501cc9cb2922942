"""Connections that never end, and too many of them."""

import asyncio
import socket
import threading
from typing import cast

import pytest
from aiohttp import web

from sense_mqtt.web.pages import read_body
from tests.support.web.page_harness import EventReader, ServedPage, WatchedHouse

# --- connections that never end


def test_a_connection_that_never_finishes_its_request_is_ended(house: WatchedHouse):
    with ServedPage(house, request_s=0.2) as served, served.connect() as slow, served.connect() as silent:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
        for caller in (slow, silent):
            caller.settimeout(10)
            assert is_ended(caller)


def test_a_head_that_comes_byte_by_byte_is_ended_too(house: WatchedHouse):
    with ServedPage(house, request_s=0.2) as served, served.connect() as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
        for _ in range(200):
            try:
                slow.sendall(b"a")
            except OSError:
                return
            if is_ended(slow, 0.05):
                return
        pytest.fail("it was never ended")


def test_a_body_that_comes_byte_by_byte_is_refused():
    with pytest.raises(web.HTTPRequestTimeout):
        asyncio.run(read_body(cast(web.Request, EndlessPost()), body_s=0.1))


class EndlessPost:
    """A request whose body comes too slowly to be over in time."""

    def __init__(self) -> None:
        self.content = self

    async def read(self, _most: int) -> bytes:
        await asyncio.sleep(0.01)
        return b" "


def test_beyond_the_most_connections_new_ones_are_ended_and_the_page_comes_back_with_room(page: ServedPage):
    callers = [page.connect() for _ in range(230)]
    ended = sum(is_ended(caller, 0.05) for caller in callers[200:])
    for caller in callers:
        caller.close()
    assert ended >= 28
    for _ in range(100):
        try:
            if page.ask("/").status == 200:
                return
        except OSError:
            threading.Event().wait(0.05)
    pytest.fail("the page did not come back")


def is_ended(caller: socket.socket, patience_s: float = 10.0) -> bool:
    caller.settimeout(patience_s)
    try:
        return caller.recv(1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def test_a_browser_that_stops_reading_is_dropped_and_others_go_on(house: WatchedHouse):
    many = [
        {"id": f"device{number}", "name": "A device with a name of some length " * 3, "w": 50.0}
        for number in range(150)
    ]
    with ServedPage(house, stalled_s=0.3) as served, EventReader(served) as other:
        stalled = socket.socket()
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        stalled.connect(("127.0.0.1", served.port))
        stalled.sendall(b"GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        for second in range(1, 400):
            house.show(*many, at=second, w=1000.0 + second)
            assert other.next("now")["monitor"] == 7
            if is_reset(stalled):
                break
        else:
            pytest.fail("it was never dropped")
        house.show(at=1_000)
        assert other.next("now")["time"]
        stalled.close()


def is_reset(caller: socket.socket) -> bool:
    return caller.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0
