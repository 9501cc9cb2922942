"""systemd's protocol: READY, STATUS and WATCHDOG, to a socket of the test."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sense_mqtt.cli.service_manager import ServiceManager
from tests.support.core.builders import moment

NOW = moment(0.0)


@pytest.fixture
def notify_socket(tmp_path_factory) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path_factory.mktemp("s") / "n"))
        receiver.setblocking(False)
        yield receiver


def received(receiver):
    datagrams = []
    while True:
        try:
            datagrams.append(receiver.recv(4096).decode())
        except BlockingIOError:
            return datagrams


def test_the_first_call_says_ready_and_each_call_that_the_loop_runs(notify_socket):
    environ = {"NOTIFY_SOCKET": notify_socket.getsockname(), "WATCHDOG_USEC": "60000000"}
    status = ["starting", "all well", "all well"]
    manager = ServiceManager(environ, lambda: status.pop(0))
    for _ in range(3):
        manager.maintain(NOW)
    manager.end()
    assert received(notify_socket) == [
        "READY=1\nSTATUS=starting\nWATCHDOG=1",
        "STATUS=all well\nWATCHDOG=1",
        "WATCHDOG=1",
        "STOPPING=1",
    ]


def test_without_a_watchdog_only_what_is_new_is_sent(notify_socket):
    manager = ServiceManager({"NOTIFY_SOCKET": notify_socket.getsockname()}, lambda: "all well")
    manager.maintain(NOW)
    manager.maintain(NOW)
    assert received(notify_socket) == ["READY=1\nSTATUS=all well"]


def test_an_abstract_address_begins_with_a_zero_byte():
    sent = []
    manager = ServiceManager({"NOTIFY_SOCKET": "@here"}, lambda: "", lambda *given: sent.append(given))
    manager.end()
    assert sent == [("\0here", b"STOPPING=1")]


def test_without_systemd_nothing_is_sent():
    sent = []
    manager = ServiceManager({}, lambda: "all well", lambda *given: sent.append(given))
    manager.maintain(NOW)
    manager.end()
    assert sent == []


def test_a_socket_that_is_gone_is_reported_once_and_stops_nothing(tmp_path: Path, caplog):
    manager = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "n"), "WATCHDOG_USEC": "1"}, lambda: "all well")
    manager.maintain(NOW)
    manager.maintain(NOW)
    assert caplog.text.count("NOTIFY_SOCKET cannot be reached") == 1


def test_a_status_of_many_monitors_leaves_room_for_the_watchdog(notify_socket):
    environ = {"NOTIFY_SOCKET": notify_socket.getsockname(), "WATCHDOG_USEC": "60000000"}
    ServiceManager(environ, lambda: "monitor, " * 1000).maintain(NOW)
    (datagram,) = received(notify_socket)
    assert datagram.endswith("WATCHDOG=1")
    assert len(datagram) < 4096
