"""One post to a webhook, against real servers that take it, stall, refuse, redirect, break off or never end."""

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from sense_mqtt.clock import SystemClock
from sense_mqtt.webhooks.post import WebhookServer, is_same_host
from sense_mqtt.webhooks.sender import PostResult
from tests.support.sense.sense_fixtures import endless_response, faulty_server, fixed_response, read_head
from tests.support.webhooks.hook_server import HookServer, hook_server

pytestmark = pytest.mark.enable_socket
BODY = '{"event_type":"turned_on","name":"Trockner für Wäsche"}'


@pytest.fixture
def server() -> Iterator[HookServer]:
    with hook_server() as serving:
        yield serving


def post(url: str, timeout_s: float = 10.0) -> PostResult:
    return WebhookServer(url, None, SystemClock(), timeout_s).post(BODY)


def test_an_event_is_posted_as_json_in_utf_8(server):
    assert post(server.url("/a/b?key=c")) == PostResult("delivered", "answers HTTP 200")
    assert server.taken == [("/a/b?key=c", {"event_type": "turned_on", "name": "Trockner für Wäsche"})]
    assert server.heads[0]["Content-Type"] == "application/json"
    assert server.heads[0]["User-Agent"].startswith("sense-mqtt/")


def test_user_and_password_of_the_url_are_sent_as_basic_authentication(server):
    post(server.url().replace("http://", "http://me:pass@"))
    assert server.heads[0]["Authorization"] == "Basic bWU6cGFzcw=="


JUDGED = [
    pytest.param(204, {}, "delivered", 0, id="no content"),
    pytest.param(410, {}, "gone", 0, id="gone for good"),
    pytest.param(429, {"Retry-After": "7"}, "away", 7, id="too many, with a time to wait"),
    pytest.param(429, {}, "away", 0, id="too many"),
    pytest.param(503, {"Retry-After": "9"}, "away", 9, id="an outage with a time to wait"),
    pytest.param(429, {"Retry-After": "99999999"}, "away", 3600, id="at most an hour is waited"),
    pytest.param(401, {}, "away", 0, id="a wrong key"),
    pytest.param(303, {"Location": "/other"}, "away", 0, id="a redirect to a GET"),
    pytest.param(500, {}, "refused", 0, id="an error that may be of this event only"),
    pytest.param(400, {}, "refused", 0, id="an event that it does not understand"),
]


@pytest.mark.parametrize(("status", "headers", "outcome", "retry_after_s"), JUDGED)
def test_what_an_answer_means(server, status, headers, outcome, retry_after_s):
    server.answer = lambda _path, _body: (status, headers)
    assert post(server.url()) == PostResult(outcome, f"answers HTTP {status}", retry_after_s)
    assert server.posts == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_on_the_same_server_is_followed_with_the_body(server, status):
    server.answer = lambda path, _body: (200, {}) if path == "/moved" else (status, {"Location": "/moved"})
    assert post(server.url()).outcome == "delivered"
    assert [path for path, _ in server.taken] == ["/moved"]


def test_a_redirect_to_another_server_is_not_followed(server):
    with hook_server() as other:
        server.answer = lambda _path, _body: (307, {"Location": other.url("/stolen")})
        assert post(server.url()).outcome == "away"
        assert (server.posts, other.posts) == (1, 0)


def test_redirects_without_end_are_given_up(server):
    server.answer = lambda _path, _body: (307, {"Location": "/hook"})
    assert post(server.url()).outcome == "away"
    assert server.posts == 4


SAME = [
    pytest.param("http://h/a", "http://h/b", True, id="another path"),
    pytest.param("http://h/a", "https://h/a", True, id="to HTTPS"),
    pytest.param("https://h/a", "http://h/a", False, id="from HTTPS to HTTP"),
    pytest.param("http://h/a", "http://i/a", False, id="another host"),
    pytest.param("http://h/a", "http://h:8080/a", False, id="another port"),
    pytest.param("http://h/a", "http://h:80/a", True, id="the same port"),
    pytest.param("http://h/a", "http://h:99999/a", False, id="no port"),
    pytest.param("http://h/a", "ftp://h/a", False, id="another protocol"),
]


@pytest.mark.parametrize(("before", "after", "expected"), SAME)
def test_which_redirects_lead_to_the_same_server(before, after, expected):
    assert is_same_host(urlsplit(before), after) == expected


def test_nobody_there_is_told_without_the_url():
    with faulty_server(lambda _connection, _over: None) as port:
        pass
    assert post(f"http://127.0.0.1:{port}/secret") == PostResult("away", "cannot be reached (connection refused)")


STALLS = [
    pytest.param(b"", id="silence"),
    pytest.param(b"HTTP/1.1 200", id="in the status line"),
    pytest.param(b"HTTP/1.1 200 OK\r\nX: ", id="in a header"),
    pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n", id="after an interim answer"),
]


@pytest.mark.parametrize("head", STALLS)
def test_a_server_that_stalls_is_left_at_the_deadline(head):
    with faulty_server(endless_response(head)) as port:
        began = time.monotonic()
        assert post(f"http://127.0.0.1:{port}/", timeout_s=0.3) == PostResult("away", "no answer within 0.3 s")
        assert time.monotonic() - began < 10


ENDLESS = [
    pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", "delivered", id="of an answer"),
    pytest.param(b"HTTP/1.1 307 R\r\nLocation: http://other/\r\n\r\n", "away", id="of a redirect"),
]


@pytest.mark.parametrize(("head", "outcome"), ENDLESS)
def test_a_body_without_end_is_not_read(head, outcome):
    def flood(connection, over):
        read_head(connection)
        connection.sendall(head)
        while not over.is_set():
            connection.sendall(b"x" * 100_000)

    with faulty_server(flood) as port:
        assert post(f"http://127.0.0.1:{port}/").outcome == outcome


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1", b"SSH-2.0\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"]
)
def test_an_answer_that_breaks_off_or_is_no_http_is_no_delivery(answer):
    with faulty_server(fixed_response(answer)) as port:
        result = post(f"http://127.0.0.1:{port}/secret")
    assert result.outcome == "away"
    assert "secret" not in result.reason
