"""REST and feed go the same way through the proxies of the environment."""

import contextlib
import threading

import pytest

from sense_mqtt.clock import SystemClock
from sense_mqtt.errors import SenseUnavailable
from sense_mqtt.net.proxy import find_proxy
from sense_mqtt.net.tls import tls_context
from sense_mqtt.sense.feed.probe import wait_until_open
from sense_mqtt.sense.feed.route import find_route
from sense_mqtt.sense.feed.websocket_connection import FeedConnection
from sense_mqtt.sense.feed.websocket_opening import ConnectionSettings
from tests.support.sense.sense_fixtures import api_at, faulty_server

pytestmark = pytest.mark.enable_socket

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
REST, FEED = "https://api.sense.com/x", "wss://clientrt.sense.com/x"
PLAIN_REST, PLAIN_FEED = "http://sense.invalid/x", "ws://sense.invalid/x"

P, Q = "http://p:1", "http://q:2"
WAYS = [
    ("none", {}, None, None),
    ("for all", {"all_proxy": P}, ("p", 1), ("p", 1)),
    ("for all, in capitals", {"ALL_PROXY": P}, ("p", 1), ("p", 1)),
    ("for TLS", {"https_proxy": P}, ("p", 1), None),
    ("for TLS, and another for all", {"HTTPS_PROXY": P, "ALL_PROXY": Q}, ("p", 1), ("q", 2)),
    ("for what has no TLS", {"http_proxy": P}, None, ("p", 1)),
    ("without scheme", {"all_proxy": "p:1"}, ("p", 1), ("p", 1)),
    ("without port", {"all_proxy": "http://p"}, ("p", 80), ("p", 80)),
    ("not for these hosts", {"all_proxy": P, "no_proxy": "sense.com, sense.invalid"}, None, None),
    ("not for one of them", {"all_proxy": P, "NO_PROXY": ".sense.com"}, None, ("p", 1)),
    ("for nobody", {"all_proxy": P, "no_proxy": "*"}, None, None),
]


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def way(url):
    proxy = find_proxy(url)
    return proxy and (proxy.host, proxy.port)


@pytest.mark.parametrize(("environ", "tls", "plain"), [row[1:] for row in WAYS], ids=[row[0] for row in WAYS])
def test_rest_and_feed_go_the_same_way(monkeypatch, environ, tls, plain):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert (way(REST), way(FEED)) == (tls, tls)
    assert (way(PLAIN_REST), way(PLAIN_FEED)) == (plain, plain)


@pytest.mark.parametrize(("exempt", "direct"), [("192.168.0.0/16", True), ("10.0.0.0/8", False), ("nonsense/x", False)])
def test_a_network_may_be_exempt(monkeypatch, exempt, direct):
    monkeypatch.setenv("all_proxy", P)
    monkeypatch.setenv("no_proxy", exempt)
    assert (way("wss://192.168.7.7/x") is None) is direct


def test_user_and_password_are_read_and_not_shown(monkeypatch):
    monkeypatch.setenv("all_proxy", "http://jane:p%40ss@p:1")
    proxy = find_proxy(FEED)
    assert proxy.login == ("jane", "p@ss")
    assert "jane" not in repr(proxy)
    assert "ss@" not in repr(proxy)


@pytest.mark.parametrize("given", ["socks5://jane:secret@p:1", "https://jane:secret@p:1", "http://p:x", "http://"])
def test_a_proxy_that_only_one_of_them_could_use_serves_neither(monkeypatch, given):
    monkeypatch.setenv("all_proxy", given)
    for call in (lambda: api_at(PLAIN_REST).get("x", token="t"), lambda: open_line(PLAIN_FEED)):
        with pytest.raises(SenseUnavailable, match="the proxy of the environment") as refused:
            call()
        assert "secret" not in str(refused.value)


def open_line(url):
    settings = ConnectionSettings(url, "device", 10.0, 10.0, 10.0, 1000)
    connection = FeedConnection(settings, find_route(url), "token", tls_context(None), SystemClock())
    with contextlib.closing(connection):
        wait_until_open(connection, SystemClock())


def test_the_proxy_for_all_is_asked_by_both(monkeypatch):
    seen, came = [], threading.Event()

    def listen(connection, _over):
        seen.append(connection.recv(4096).split(b"\r\n")[0])
        connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
        came.set()

    with faulty_server(listen) as port:
        monkeypatch.setenv("all_proxy", f"http://127.0.0.1:{port}")
        for call in (lambda: api_at("http://sense.invalid/").get("x", token="t"), lambda: open_line(PLAIN_FEED)):
            with pytest.raises(SenseUnavailable):
                call()
    assert came.is_set()
    assert seen == [b"GET http://sense.invalid/x HTTP/1.1", b"CONNECT sense.invalid:80 HTTP/1.1"]


def test_an_exempt_host_is_reached_directly_by_both(monkeypatch):
    seen = []

    def listen(connection, _over):
        seen.append(connection.recv(4096).split(b" ")[1])
        connection.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")

    with faulty_server(listen) as port:
        monkeypatch.setenv("all_proxy", "http://127.0.0.1:1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        for call in (
            lambda: api_at(f"http://127.0.0.1:{port}/").get("x", token="t"),
            lambda: open_line(f"ws://127.0.0.1:{port}/x"),
        ):
            with pytest.raises(SenseUnavailable):
                call()
    assert seen == [b"/x", b"/x"]
