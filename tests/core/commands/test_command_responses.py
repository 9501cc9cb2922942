"""Answers: their exact form, the code of each failure, and that none is ever too large or no JSON."""

import json

import pytest

from sense_mqtt.core.commands.responses import (
    ABSENT,
    HEADER_BYTES,
    Command,
    Response,
    ResponseTo,
    error_code,
    refuse,
    refuse_for,
    respond,
)
from sense_mqtt.errors import (
    CommandRefused,
    JournalError,
    LoginRefused,
    MfaNeeded,
    NotFound,
    RateLimited,
    RequestRefused,
    SenseUnavailable,
    TokenRefused,
)


def asked(transaction=ABSENT, response_to=ResponseTo()):  # noqa: B008 - frozen
    return Command("devices", {}, None, transaction, response_to)


@pytest.mark.parametrize(
    ("transaction", "payload"),
    [
        (ABSENT, '{"status":"ok","data":[1]}'),
        ("abc", '{"status":"ok","data":[1],"transaction":"abc"}'),
        (None, '{"status":"ok","data":[1],"transaction":null}'),
        (0, '{"status":"ok","data":[1],"transaction":0}'),
        ({"a": [1.5]}, '{"status":"ok","data":[1],"transaction":{"a":[1.5]}}'),
    ],
    ids=["none", "text", "null", "zero", "object"],
)
def test_an_answer_echoes_the_transaction_where_there_was_one(transaction, payload):
    assert respond(asked(transaction), [1]) == Response("devices", None, payload, None)


def test_an_answer_goes_where_the_request_says():
    response = respond(asked(response_to=ResponseTo("node-red/answers", b"\x00\x01")), {})
    assert response == Response("devices", "node-red/answers", '{"status":"ok","data":{}}', b"\x00\x01")


def test_a_refusal_says_why_and_which_code():
    response = refuse(asked("abc"), "busy", "8 are waiting")
    assert response.payload == '{"status":"error","error":"8 are waiting","code":"busy","transaction":"abc"}'


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (RateLimited("Sense asks us to wait 42 s", 41.6), "rate_limited", "Sense asks us to wait 42 s"),
        (LoginRefused("run login"), "unauthorized", "run login"),
        (MfaNeeded("run login"), "unauthorized", "run login"),
        (TokenRefused("renewing"), "unauthorized", "renewing"),
        (SenseUnavailable("timeout"), "unavailable", "timeout"),
        (NotFound("no device 'zzz' on monitor 123456"), "not_found", "no device 'zzz' on monitor 123456"),
        (RequestRefused("scale is wrong"), "bad_request", "scale is wrong"),
        (CommandRefused("busy", "8 are waiting"), "busy", "8 are waiting"),
        (JournalError("disk full"), "unavailable", "disk full"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_each_failure_has_its_code(error, code, message):
    assert error_code(error) == (code, message)
    assert json.loads(refuse_for(asked(), error).payload) == {"status": "error", "error": message, "code": code}


def test_letters_stay_letters_and_half_a_surrogate_pair_is_escaped():
    assert respond(asked(), "Küche").payload == '{"status":"ok","data":"Küche"}'
    assert respond(asked("\ud800"), "Küche").payload == '{"status":"ok","data":"K\\u00fcche","transaction":"\\ud800"}'


def nested(depth):
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("data", [float("nan"), [float("inf")], object(), nested(100_000)], ids=type)
def test_what_json_cannot_carry_is_an_error_answer(data):
    assert json.loads(respond(asked("abc"), data).payload) == {
        "status": "error",
        "error": "the answer holds something that JSON cannot carry",
        "code": "unavailable",
        "transaction": "abc",
    }


@pytest.mark.parametrize(("limit", "fits"), [(None, True), (2000, True), (1999, False)])
def test_an_answer_that_the_broker_cannot_take_is_refused(limit, fits):
    # 25 bytes around the data, a topic of 10, a correlation of 3
    data = "é" * ((2000 - HEADER_BYTES - len('{"status":"ok","data":""}') - 10 - 3) // 2)
    response = respond(asked(response_to=ResponseTo("answers/it", b"abc")), data, limit)
    assert (json.loads(response.payload)["status"] == "ok") is fits
    assert fits or json.loads(response.payload)["code"] == "too_large"
