"""Sense's REST interface, against servers that are not there, break HTTP, or lead elsewhere."""

import time

import pytest

from sense_mqtt.errors import SenseUnavailable
from sense_mqtt.sense.rest.api import MAX_RESPONSE_BYTES, ConnectFailed
from tests.support.sense.sense_fixtures import api_at, endless_response, faulty_server, fixed_response

pytestmark = pytest.mark.enable_socket

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def test_nobody_there_means_that_nothing_was_sent():
    with faulty_server(lambda _connection, _over: None) as port:
        pass
    with pytest.raises(ConnectFailed, match=f"127.0.0.1:{port} cannot be reached .connection refused.: check network"):
        api_at(f"http://127.0.0.1:{port}/").post("authenticate", {"email": "a", "password": "b"})


def test_a_host_that_does_not_exist_means_that_nothing_was_sent():
    with pytest.raises(ConnectFailed, match=r"nowhere.invalid cannot be reached"):
        api_at("http://nowhere.invalid/").get("x", token="t")


DRIBBLES = [
    ("the status line", b"HTTP/1.1 200"),
    ("a header", OK + b"X-Slow: "),
    ("the body", OK + b"Content-Length: 100000\r\n\r\n"),
    ("a body without end", OK + b"\r\n"),
]


@pytest.mark.parametrize("head", [row[1] for row in DRIBBLES], ids=[row[0] for row in DRIBBLES])
def test_an_answer_that_comes_byte_by_byte_ends_at_the_deadline(head):
    with faulty_server(endless_response(head)) as port:
        began = time.monotonic()
        with pytest.raises(SenseUnavailable, match="no whole answer"):
            api_at(f"http://127.0.0.1:{port}/", timeout_s=0.4).get("x", token="t")
        assert time.monotonic() - began < 10


@pytest.mark.parametrize("head", [OK, b"HTTP/1.1 302 Found\r\nLocation: http://nowhere.invalid/\r\n"])
def test_an_endless_answer_is_cut_off(head):
    def flood(connection, over):
        connection.recv(4096)
        connection.sendall(head + b"\r\n")
        while not over.is_set():
            connection.sendall(b"[" * 100_000)

    began = time.monotonic()
    with faulty_server(flood) as port, pytest.raises(SenseUnavailable, match="more than 8 MB"):
        api_at(f"http://127.0.0.1:{port}/", timeout_s=30.0).get("x", token="t")
    assert time.monotonic() - began < 20  # not at the deadline
    assert MAX_RESPONSE_BYTES == 8_000_000


ODD = [
    ("no HTTP at all", b"SSH-2.0-OpenSSH_9.2\r\n"),
    ("nothing", b""),
    ("cut in the body", OK + b"Content-Length: 50\r\n\r\n{"),
    ("a wrong encoding", OK + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"),
    ("a header without end", OK + b"X: " + b"a" * 100_000),
    ("a hundred headers and more", OK + b"X: y\r\n" * 200 + b"\r\n"),
    ("a status that is no number", b"HTTP/1.1 yes\r\n\r\n"),
]


@pytest.mark.parametrize("answer", [row[1] for row in ODD], ids=[row[0] for row in ODD])
def test_an_odd_answer_is_an_outage(answer):
    with faulty_server(fixed_response(answer)) as port, pytest.raises(SenseUnavailable):
        api_at(f"http://127.0.0.1:{port}/", timeout_s=5).get("x", token="t")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status):
    seen = []

    def redirect(connection, _over):
        seen.append(connection.recv(4096))
        place = b"Location: http://127.0.0.1:9/evil\r\nContent-Length: 0\r\n\r\n"
        connection.sendall(b"HTTP/1.1 %d Elsewhere\r\n" % status + place)

    with faulty_server(redirect) as port, pytest.raises(SenseUnavailable, match=f"HTTP {status}"):
        api_at(f"http://127.0.0.1:{port}/").get("x", token="t")
    assert len(seen) == 1


def test_cookies_are_not_taken():
    seen = []

    def bake(connection, _over):
        seen.append(connection.recv(4096))
        connection.sendall(OK + b"Set-Cookie: a=b; Path=/\r\nContent-Length: 2\r\n\r\n{}")

    with faulty_server(bake) as port:
        api = api_at(f"http://127.0.0.1:{port}/")
        api.get("x", token="t")
        api.get("x", token="t")
    assert b"Cookie" not in seen[1]


def test_each_call_has_a_connection_of_its_own_also_where_the_server_would_keep_it():
    seen = []

    def keep(connection, _over):
        while connection.recv(4096):
            seen.append(connection.getpeername())
            connection.sendall(OK + b"Content-Length: 2\r\n\r\n{}")

    with faulty_server(keep) as port:
        api = api_at(f"http://127.0.0.1:{port}/")
        api.get("x", token="t")
        api.get("x", token="t")
    assert len(set(seen)) == len(seen) == 2


def test_a_netrc_does_not_replace_the_token(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    seen = []

    def listen(connection, _over):
        seen.append(connection.recv(4096))
        connection.sendall(OK + b"Content-Length: 2\r\n\r\n{}")

    with faulty_server(listen) as port:
        api_at(f"http://127.0.0.1:{port}/").get("x", token="good-token")
    assert b"Authorization: bearer good-token\r\n" in seen[0]


def test_a_proxy_of_the_environment_is_used(monkeypatch):
    seen = []

    def listen(connection, _over):
        seen.append(connection.recv(4096))
        connection.sendall(OK + b"Content-Length: 2\r\n\r\n{}")

    with faulty_server(listen) as port:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        assert api_at("http://sense.invalid/").get("x", token="t") == {}
    assert seen[0].startswith(b"GET http://sense.invalid/x HTTP/1.1")
