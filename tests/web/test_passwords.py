"""The password of the page, and those who guess it."""

import json
import os
import socket
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from sense_mqtt.web.passwords import (
    ADDRESSES_MOST,
    BURST,
    BURST_OF_ALL,
    EVERY_S,
    SESSION_S,
    SESSIONS_MOST,
    AttemptLimit,
    BrowserSessions,
)
from tests.support.web.page_harness import PASSWORD, ServedPage


def cookie_of(response) -> str:
    return response.headers["Set-Cookie"].partition(";")[0]


# --- the password


def test_without_the_password_there_is_the_question_for_it_and_nothing_else(guarded: ServedPage):
    assert "Password of this page" in guarded.ask("/").text
    answers = {
        path: guarded.ask(path).status for path in ("/api/stream", "/api/history", "/metrics", "/static/page.js")
    }
    assert set(answers.values()) == {401}
    assert guarded.post("/api/login", {}).status in (401, 404)
    assert guarded.ask("/health").json.keys() == {"healthy"}


def test_who_gives_the_password_is_let_in_until_signing_out(guarded: ServedPage):
    assert guarded.post("/sign-in", {"password": "wrong"}).status == 403
    signed_in = guarded.post("/sign-in", {"password": PASSWORD})
    cookie = cookie_of(signed_in)
    assert signed_in.status == 204
    assert {"HttpOnly", "SameSite=Strict"} < set(signed_in.headers["Set-Cookie"].split("; "))
    assert 'id="bubbles"' in guarded.ask("/", Cookie=cookie).text
    assert guarded.post("/sign-out", {}, Cookie=cookie).status == 204
    assert guarded.ask("/api/history", Cookie=cookie).status == 401


def test_the_cookie_goes_only_over_https_where_a_proxy_speaks_it(guarded: ServedPage):
    response = guarded.post("/sign-in", {"password": PASSWORD}, X_Forwarded_Proto="https")
    assert "Secure" in response.headers["Set-Cookie"].split("; ")


def test_programs_give_the_password_with_each_request(guarded: ServedPage):
    right, wrong = "Basic YW55OmNvcnJlY3QgaG9yc2U=", "Basic YW55Ondyb25n"
    assert guarded.ask("/metrics").headers["WWW-Authenticate"].startswith("Basic")
    assert [guarded.ask("/metrics", Authorization=right).status for _ in range(20)] == [200] * 20
    assert [guarded.ask("/metrics", Authorization=each).status for each in (wrong, "Basic %", "Bearer x")] == [401] * 3


def test_nothing_that_is_answered_holds_the_password(guarded: ServedPage):
    right = "Basic YW55OmNvcnJlY3QgaG9yc2U="
    paths = ("/", "/metrics", "/health", "/api/history", "/nothing")
    answers = [guarded.ask(path, Authorization=right) for path in paths]
    assert [answer.status for answer in answers] == [200, 200, 503, 200, 404]
    assert PASSWORD not in "".join(answer.text + str(answer.headers) for answer in answers)


def test_of_ten_thousand_logins_hardly_any_is_looked_at():
    now = 0.0
    limit = AttemptLimit(lambda: now)
    looked_at = 0
    for _ in range(10_000):
        now += 0.01
        looked_at += limit.begin("192.0.2.1") == 0
    assert looked_at in (BURST + 9, BURST + 10)  # in 100 s


def test_addresses_of_one_network_share_their_attempts_and_others_have_their_own():
    limit = AttemptLimit(lambda: 0.0)
    assert [limit.begin(f"2001:db8::{number}") for number in range(BURST)] == [0] * BURST
    assert limit.begin("2001:db8::ffff") > 0
    assert limit.begin("2001:db8:1::1") == limit.begin("192.0.2.1") == limit.begin("no address") == 0


def test_many_addresses_together_have_few_attempts_that_cost_something_and_take_bounded_memory():
    limit = AttemptLimit(lambda: 0.0)
    for number in range(5_000):
        assert limit.begin(f"10.0.{number // 250}.{number % 250}") == 0
    assert sum(limit.begin_slow() == 0 for _ in range(100)) == BURST_OF_ALL
    assert len(limit._each) == ADDRESSES_MOST


def test_no_more_than_a_hundred_browsers_are_signed_in_and_each_only_for_a_month():
    now = 0.0
    sessions = BrowserSessions(lambda: now)
    tokens = [sessions.begin() for _ in range(SESSIONS_MOST + 1)]
    assert [sessions.holds(token) for token in (tokens[0], tokens[1], "guess")] == [False, True, False]
    now = SESSION_S
    assert not sessions.holds(tokens[1])


def test_hundreds_of_logins_let_nobody_in_and_keep_nobody_else_out(guarded: ServedPage):
    statuses, _seconds = guess(guarded, 300)
    assert statuses.keys() == {403, 429}
    assert statuses[403] < 20
    assert guarded.post("/sign-in", {"password": PASSWORD}).status == 429  # nor the right one from there, for now
    assert sign_in_from("127.0.0.2", guarded) == 204


@pytest.mark.long
def test_ten_thousand_logins_take_bounded_memory_and_the_right_password_works_once_they_end(guarded: ServedPage):
    """The server is in this process, so its memory is this process's."""
    guess(guarded, 1_000)  # what each part needs at first
    before = resident_bytes()
    statuses, seconds = guess(guarded, 10_000)
    assert statuses[403] <= 1 + seconds / EVERY_S
    assert statuses[403] + statuses[429] == 10_000
    assert resident_bytes() - before < 5_000_000
    patience = threading.Event()
    for _ in range(20):
        if (answer := guarded.post("/sign-in", {"password": PASSWORD})).status == 204:
            return
        patience.wait(float(answer.headers["Retry-After"]))
    pytest.fail("the right password did not work any more")


def guess(page: ServedPage, many: int) -> tuple[Counter[int], float]:
    """Give so many wrong passwords over one connection, as fast as they are answered; return statuses and seconds."""
    statuses: Counter[int] = Counter()
    begun = time.monotonic()
    with page.connect() as caller:
        reader = caller.makefile("rb")
        for number in range(many):
            caller.sendall(sign_in(f"guess {number}"))
            statuses[int(reader.readline().split()[1])] += 1
            length = 0
            while (line := reader.readline().strip().lower()) != b"":
                length = int(line.split(b":")[1]) if line.startswith(b"content-length") else length
            reader.read(length)
    return statuses, time.monotonic() - begun


def sign_in(password: str) -> bytes:
    """Return the request that the page sends."""
    body = json.dumps({"password": password}).encode()
    own = "Host: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\nContent-Type: application/json"
    return f"POST /sign-in HTTP/1.1\r\n{own}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def sign_in_from(address: str, page: ServedPage) -> int:
    """Give the right password from another address of this machine (Linux has all of 127.0.0.0/8)."""
    with socket.create_connection(("127.0.0.1", page.port), 20, (address, 0)) as caller:
        caller.sendall(sign_in(PASSWORD))
        return int(caller.makefile("rb").readline().split()[1])


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
