"""What the tests of Sense's cloud are built from: clocks that are numbers, a rude server, short ways to the parts."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from msgspec.structs import replace

from sense_mqtt.clock import Moment, SystemClock
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import Item
from sense_mqtt.sense.auth.session import Credentials, Session
from sense_mqtt.sense.feed.feed import Feed
from sense_mqtt.sense.feed.feed_loop import FeedLoop
from sense_mqtt.sense.feed.settings import FeedSettings
from sense_mqtt.sense.rest.api import SenseApi
from sense_mqtt.sense.rest.rate_limit import RateLimiter
from sense_mqtt.simulator.server.cloud import SimulatedCloud

PATIENCE_S = 20.0  # how long a test waits for what must come
STATUS = "app/monitors/900101/status"
QUARTER_S, DAY_S = 900.0, 86_400.0


class FakeClock:
    """A clock that only a test moves."""

    def __init__(self, wall: float = 1_795_000_000.0) -> None:
        self._now = Moment(wall, 1_000.0)

    def now(self) -> Moment:
        return self._now

    def wall(self) -> float:
        return self._now.wall

    def advance(self, seconds: float) -> None:
        self._now = Moment(self._now.wall + seconds, self._now.monotonic + seconds)

    def set_wall(self, wall: float) -> None:
        self._now = replace(self._now, wall=wall)


def api_of(cloud: SimulatedCloud, clock: Any = None, **more: Any) -> SenseApi:
    """Return the REST interface of the simulated cloud, without spacing."""
    return api_at(cloud.api_url, clock, **more)


def api_at(url: str, clock: Any = None, **more: Any) -> SenseApi:
    """Return the REST interface at an address; `more` may hold closing, spacing_s and limiter_file."""
    clock = clock or SystemClock()
    closing, spacing_s = more.pop("closing", threading.Event()), more.pop("spacing_s", 0.0)
    limiter = RateLimiter(clock, closing, spacing_s, more.pop("limiter_file", None))
    given = {"device_id": "testdevice", "timeout_s": 10.0, "ca_file": None}
    return SenseApi(url, **{**given, "clock": clock, "limiter": limiter, **more})


def known(cloud: SimulatedCloud, **more: Any) -> Credentials:
    """Return what the configuration of this account holds."""
    return Credentials(**{"email": cloud.email, "password": cloud.password, **more})


def session_of(cloud: SimulatedCloud, state_dir: Path, clock: Any = None, **more: Any) -> Session:
    """Return a session with the simulated cloud; `more` may hold api, credentials and post."""
    clock = clock or SystemClock()
    api = more.pop("api", None) or api_of(cloud, clock)
    credentials = more.pop("credentials", None) or known(cloud)
    usual = {"post": lambda _item: None, "renewal_wait_s": float}
    return Session(api, state_dir, credentials, clock=clock, **{**usual, **more})


def feed_of(session: Session, inbox: Inbox, settings: FeedSettings, monitor: int = 900_101) -> Feed:
    loop = FeedLoop(inbox, SystemClock())
    return Feed(monitor, session, settings, loop=loop, random=Random(1))


@contextlib.contextmanager
def running(feed: Feed) -> Iterator[Feed]:
    feed.start()
    try:
        yield feed
    finally:
        feed.close()


def items_until(inbox: Inbox, is_enough: Callable[[list[Item]], object]) -> list[Item]:
    """Take items out of the inbox until they are enough; fails where they never are."""
    items: list[Item] = []
    ends = time.monotonic() + PATIENCE_S
    while not is_enough(items):
        item = inbox.get(ends - time.monotonic())
        assert item is not None, f"not in time; came: {[type(each).__name__ for each in items]}"
        items.append(item)
    return items


def wait_for(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < ends
        threading.Event().wait(0.01)


def of_kind(items: list[Item], kind: type) -> list[Any]:
    return [item for item in items if isinstance(item, kind)]


@contextlib.contextmanager
def faulty_server(behave: Callable[[socket.socket, threading.Event], None]) -> Iterator[int]:
    """Listen on a free port, and treat each connection as told; `behave` should watch the event it is given."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, behave, over), daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(PATIENCE_S)


def _serve(
    listener: socket.socket, behave: Callable[[socket.socket, threading.Event], None], over: threading.Event
) -> None:
    while not over.is_set():
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, contextlib.suppress(OSError):
            behave(connection, over)


def read_head(connection: socket.socket) -> bytes:
    """Read the head of an HTTP request."""
    head = b""
    while b"\r\n\r\n" not in head:
        received = connection.recv(4096)
        if not received:
            break
        head += received
    return head


def fixed_response(answer: bytes) -> Callable[[socket.socket, threading.Event], None]:
    """A server that gives everybody this answer."""

    def behave(connection: socket.socket, _over: threading.Event) -> None:
        read_head(connection)
        connection.sendall(answer)

    return behave


def endless_response(head: bytes) -> Callable[[socket.socket, threading.Event], None]:
    """A server that never gets to the end: a byte now and then, for ever."""

    def behave(connection: socket.socket, over: threading.Event) -> None:
        read_head(connection)
        connection.sendall(head)
        while not over.wait(0.02):
            connection.sendall(b" ")

    return behave
