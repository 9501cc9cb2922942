"""The proxy between two plain sockets."""

import socket
import threading
import time

import pytest

from tests.support.faults.proxy import GARBAGE, Proxy

WAIT_S = 10.0


class Echo:
    """A server that says back what it hears, and ends when its client does."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            while heard := connection.recv(65_536):
                connection.sendall(heard)
        except OSError:
            pass
        connection.close()

    def close(self) -> None:
        self._listening.close()


@pytest.fixture
def proxy():
    echo = Echo()
    with Proxy(echo.port, seed=1) as proxy:
        yield proxy
    echo.close()


def dial(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=WAIT_S)


def hear(client: socket.socket, count: int) -> bytes:
    heard = b""
    while len(heard) < count and (more := client.recv(count - len(heard))):
        heard += more
    return heard


def test_passes_bytes_both_ways(proxy):
    client = dial(proxy)
    sent = bytes(range(256)) * 4_000
    threading.Thread(target=client.sendall, args=(sent,), daemon=True).start()
    assert hear(client, len(sent)) == sent
    assert (len(proxy.taken), proxy.connections) == (1, 1)


@pytest.mark.parametrize("reset", [False, True])
def test_cuts_in_good_order_or_with_a_reset(proxy, reset):
    client = dial(proxy)
    client.sendall(b"hello")
    assert hear(client, 5) == b"hello"
    proxy.cut(reset=reset)
    if reset:
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    else:
        assert client.recv(1) == b""
    client = dial(proxy)
    client.sendall(b"again")
    assert hear(client, 5) == b"again"


def test_refuses_and_takes_connections_again_on_the_same_port(proxy):
    status, port = dial(proxy), proxy.port
    status.sendall(b"1")
    assert hear(status, 1) == b"1"
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        dial(proxy)
    status.sendall(b"2")
    assert hear(status, 1) == b"2"
    proxy.accept()
    assert proxy.port == port
    client = dial(proxy)
    client.sendall(b"3")
    assert hear(client, 1) == b"3"


@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_stall_passes_nothing_until_it_ends(proxy, direction):
    client = dial(proxy)
    proxy.behave(**{direction: "stall"})
    client.sendall(b"hello")
    client.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.recv(1)
    client.settimeout(WAIT_S)
    proxy.behave()
    assert hear(client, 5) == b"hello"


@pytest.mark.parametrize("direction", ["up", "down"])
def test_data_passes_byte_by_byte(proxy, direction):
    client = dial(proxy)
    proxy.behave(**{direction: "byte_by_byte"})
    began = time.monotonic()
    client.sendall(b"x" * 100)
    assert hear(client, 100) == b"x" * 100
    assert time.monotonic() - began >= 0.1


@pytest.mark.parametrize("direction", ["up", "down"])
def test_garbage_comes_before_what_was_sent(proxy, direction):
    client = dial(proxy)
    proxy.behave(**{direction: "insert_garbage"})
    client.sendall(b"hello")
    assert hear(client, len(GARBAGE) + 5) == GARBAGE + b"hello"


def test_a_flip_changes_one_bit(proxy):
    client = dial(proxy)
    proxy.behave(up="flip_bit")
    client.sendall(bytes(64))
    heard = hear(client, 64)
    assert sum(byte.bit_count() for byte in heard) == 1


def test_an_end_is_passed_on(proxy):
    client = dial(proxy)
    client.sendall(b"bye")
    assert hear(client, 3) == b"bye"
    client.shutdown(socket.SHUT_WR)
    assert client.recv(1) == b""


def test_nobody_behind_it_is_an_end_at_once():
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    with Proxy(port) as proxy:
        assert dial(proxy).recv(1) == b""
