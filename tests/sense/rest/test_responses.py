"""What Sense's answers mean."""

import json
import tracemalloc

import pytest

from sense_mqtt.core.bounds import MAX_RESPONSE_ITEMS
from sense_mqtt.errors import (
    LoginRefused,
    NotFound,
    RateLimited,
    RequestRefused,
    SenseUnavailable,
    TokenRefused,
)
from sense_mqtt.sense.rest.responses import (
    AccountLocked,
    CodeRefused,
    CodeRequired,
    Response,
    SenseOverloaded,
    parse_response,
)

HTML = b"<html><body>502 Bad Gateway</body></html>"
NO = b'{"status": "error", "error_reason": "Unauthorized"}'
MFA = b'{"status": "mfa_required", "mfa_token": "m1", "mfa_type": "totp", "error_reason": "Multi-factor"}'
LOCKED = b'{"status": "error", "error_type": "account_locked", "error_reason": "Try again later"}'

ERRORS = [
    # door, status, body -> class
    ("get", 401, NO, TokenRefused),
    ("get", 401, b"", TokenRefused),
    ("get", 401, HTML, SenseUnavailable),
    ("get", 400, NO, RequestRefused),
    ("get", 403, NO, TokenRefused),
    ("get", 403, b"", TokenRefused),
    ("get", 403, HTML, SenseUnavailable),
    ("get", 404, b'{"status": "error", "error_reason": "Not Found"}', NotFound),
    ("get", 404, b"", NotFound),
    ("get", 404, HTML, NotFound),
    ("get", 410, b"", NotFound),
    ("get", 405, NO, RequestRefused),
    ("get", 408, NO, SenseOverloaded),
    ("get", 418, NO, RequestRefused),
    ("get", 429, b"", RateLimited),
    ("get", 429, HTML, RateLimited),
    ("get", 500, b"{}", SenseOverloaded),
    ("get", 502, HTML, SenseOverloaded),
    ("get", 503, NO, SenseOverloaded),
    ("get", 504, b"", SenseOverloaded),
    ("get", 200, HTML, SenseUnavailable),
    ("get", 200, b"", SenseUnavailable),
    ("get", 200, b'{"cut', SenseUnavailable),
    ("get", 200, b"[" * 100_000, SenseUnavailable),
    ("get", 204, b"", SenseUnavailable),
    ("get", 302, b"", SenseUnavailable),
    ("renew", 400, NO, TokenRefused),
    ("renew", 401, NO, TokenRefused),
    ("renew", 403, NO, TokenRefused),
    ("renew", 403, b'{"message": "Forbidden"}', SenseUnavailable),
    ("renew", 403, HTML, SenseUnavailable),
    ("renew", 404, NO, NotFound),
    ("renew", 429, NO, RateLimited),
    ("renew", 503, NO, SenseOverloaded),
    ("renew", 200, HTML, SenseUnavailable),
    ("renew", 200, b'{"authorized": false}', TokenRefused),
    ("authenticate", 400, NO, LoginRefused),
    ("authenticate", 401, NO, LoginRefused),
    ("authenticate", 401, MFA, CodeRequired),
    ("authenticate", 401, LOCKED, AccountLocked),
    ("authenticate", 423, b"{}", AccountLocked),
    ("authenticate", 200, b'{"authorized": false, "error_reason": "x"}', LoginRefused),
    ("authenticate", 200, b"[]", SenseUnavailable),
    ("authenticate", 404, NO, NotFound),
    ("authenticate", 422, NO, RequestRefused),
    ("authenticate", 503, HTML, SenseOverloaded),
    ("authenticate/mfa", 400, NO, CodeRefused),
    ("authenticate/mfa", 401, NO, CodeRefused),
    ("authenticate/mfa", 401, LOCKED, AccountLocked),
    ("authenticate/mfa", 401, b'{"error_reason": "Too many attempts"}', AccountLocked),
    ("authenticate/mfa", 200, b'{"authorized": false}', CodeRefused),
]


@pytest.mark.parametrize(("door", "status", "body", "kind"), ERRORS)
def test_each_refusal_has_one_reaction(door, status, body, kind):
    with pytest.raises(kind) as refused:
        parse_response(door, Response(status, body))
    assert type(refused.value) is kind


@pytest.mark.parametrize("body", [b"{}", b"[]", b"5", b'{"a": [1]}'])
def test_an_answer_is_returned(body):
    assert parse_response("get", Response(200, body)) == json.loads(body)


def test_the_mfa_token_is_kept_and_not_reported():
    with pytest.raises(CodeRequired) as asked:
        parse_response("authenticate", Response(401, MFA))
    assert asked.value.mfa_token == "m1"
    assert "m1" not in repr(asked.value) + str(asked.value)


def test_a_reason_is_repeated_without_what_is_secret():
    body = json.dumps({"error_reason": "No account me@example.com\n with hunter2" + "x" * 500}).encode()
    with pytest.raises(LoginRefused) as refused:
        parse_response("authenticate", Response(401, body), ("me@example.com", "hunter2", ""))
    message = str(refused.value)
    assert "No account *** with ***" in message
    assert len(message) < 250


HIDING = [
    pytest.param("no hun\u200bter2000 here", id="behind a character that does not show"),
    pytest.param("no hun\nter2000 here", id="behind a line end"),
    pytest.param("no hunter%32000 here", id="encoded"),
    pytest.param("no hun%E2%80%8Bter2000 here", id="behind an encoded character that does not show"),
]


@pytest.mark.parametrize("reason", HIDING)
def test_a_secret_does_not_hide_in_a_reason(reason):
    with pytest.raises(RequestRefused, match=r"HTTP 400: no \*\*\* here\)"):
        parse_response("get", Response(400, json.dumps({"error_reason": reason}).encode()), ("hunter2000",))


@pytest.mark.parametrize("key", ["error_reason", "message", "reason", "error", "title"])
def test_a_reason_is_repeated_by_whatever_key_sense_gives_it(key):
    with pytest.raises(RequestRefused, match=r"HTTP 400: No such scale\)"):
        parse_response("get", Response(400, json.dumps({key: "No such scale"}).encode()))


@pytest.mark.parametrize(("header", "wait_s"), [("30", 30), (None, 60)])
def test_a_429_says_how_long_to_wait(header, wait_s):
    with pytest.raises(RateLimited) as limited:
        parse_response("get", Response(429, b"", retry_after=header))
    assert limited.value.retry_after_s == wait_s


ADVICE = [(NO, "check e-mail and password"), (LOCKED, "Sense locks for a while .* wait a few hours")]


@pytest.mark.parametrize(("body", "advice"), ADVICE)
def test_a_refused_login_says_what_to_do(body, advice):
    with pytest.raises(LoginRefused, match=advice):
        parse_response("authenticate", Response(401, body))


HUGE = b"[" + b"{}," * MAX_RESPONSE_ITEMS + b"0]"


@pytest.mark.parametrize(("status", "error"), [(200, "more than 250000 values"), (401, "HTTP 401")])
def test_an_answer_that_holds_too_much_is_not_parsed(status, error):
    tracemalloc.start()
    with pytest.raises((SenseUnavailable, TokenRefused), match=error):
        parse_response("get", Response(status, HUGE))
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken < 1_000_000
