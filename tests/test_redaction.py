"""No secret gets through: by key, by look, by value."""

import io
import json
import logging
from pathlib import Path
from urllib.parse import urlencode

import pytest

from sense_mqtt.redaction import LEARNED_MOST, RedactingFormatter, Redactor, redact

SAMPLES = Path(__file__).parents[2] / "shared" / "samples"
TOKEN = "t1.v2.eyJhbGciOiJIUzUxMiJ9.eyJpc3MiOiJTZW5zZSBJbmMifQ.c2lnbmF0dXJl"

KEYS = [
    pytest.param({"password": "hunter2"}, id="a password"),
    pytest.param({"access_token": "abc"}, id="a token"),
    pytest.param({"X-Access-Token": "abc"}, id="a header's name"),
    pytest.param({"mfaToken": "abc"}, id="camel case"),
    pytest.param({"Authorization": "bearer abc"}, id="the authorization header"),
    pytest.param({"totp_secret": "JBSWY3DPEHPK3PXP"}, id="the secret of two-factor login"),
    pytest.param({"totp": 123456}, id="a code, even as a number"),
    pytest.param({"email": "me"}, id="an e-mail address, whatever it looks like"),
    pytest.param({"serial_number": "N123"}, id="the monitor's serial number"),
    pytest.param({"serial": "N123"}, id="its other name"),
    pytest.param({"token": {"value": "abc"}}, id="all below the key"),
]


@pytest.mark.parametrize("data", KEYS)
def test_a_secret_key_hides_its_value(data):
    assert redact({"monitors": [data]}) == {"monitors": [dict.fromkeys(data, "***")]}


KEPT = [
    pytest.param({"totp_enabled": True, "device_email": False, "checksum": "AB12"}, id="flags and look-alikes"),
    pytest.param({"access_token": None, "password": ""}, id="nothing where nothing was"),
    pytest.param({"w": 12.5, "id": "1a2b3c4d", "tags": [1, None, "Dryer"]}, id="what a frame holds"),
    pytest.param({"ssid": "Home", "city": "Bern", "capacity": 4}, id="personal data, unless asked"),
]


@pytest.mark.parametrize("data", KEPT)
def test_what_is_no_secret_stays(data):
    assert redact(data) == data


def test_personal_data_goes_where_asked():
    data = {"ssid": "Home", "city": "Bern", "electricity": 4, "mac": "35:4B:1F:00:00:01"}
    assert redact(data, personal=True) == {"ssid": "***", "city": "***", "electricity": 4, "mac": "***"}


def test_redact_leaves_its_argument_alone():
    data = {"a": [{"password": "hunter2"}]}
    redact(data)
    assert data == {"a": [{"password": "hunter2"}]}


LOOKS = [
    pytest.param(f"token {TOKEN} refused", "token *** refused", id="an access token"),
    pytest.param("Authorization: bearer abcdefgh123", "Authorization: bearer ***", id="a bearer header"),
    pytest.param("GET /feed?access_token=ab.cd&x=1", "GET /feed?access_token=***&x=1", id="a token in an address"),
    pytest.param("login(password='a b', user=1)", "login(password=***, user=1)", id="an argument"),
    pytest.param('{"refresh_token": "a\\"b", "x": 1}', '{"refresh_token": "***", "x": 1}', id="JSON"),
    pytest.param("{'serial_number': 'N1', 'w': 2}", "{'serial_number': '***', 'w': 2}", id="a repr"),
    pytest.param("sent to jane.doe+x@mail.example.com, ok", "sent to ***, ok", id="an e-mail address"),
    pytest.param("mqtt://jane:pw@broker:1883", "mqtt://***@broker:1883", id="user and password in an address"),
    pytest.param("monitor 123456: 12.5 W at 2026-11-21", "monitor 123456: 12.5 W at 2026-11-21", id="no secret"),
    pytest.param("mqtt.password: must not be empty", "mqtt.password: must not be empty", id="a message about one"),
]


@pytest.mark.parametrize(("text", "expected"), LOOKS)
def test_text_loses_what_looks_like_a_secret(text, expected):
    assert Redactor().scrub(text) == expected


SECRET = 'p&ss "wörd"\\1'
SPELLINGS = [
    pytest.param(SECRET, id="plain"),
    pytest.param(urlencode({"x": SECRET}), id="in a form"),
    pytest.param(json.dumps([SECRET]), id="in JSON"),
    pytest.param(json.dumps([SECRET], ensure_ascii=False), id="in JSON with umlauts"),
    pytest.param(repr([SECRET]), id="in a repr"),
]


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_known_secret_goes_however_it_is_written(text):
    scrubbed = Redactor([SECRET]).scrub(text)
    assert "***" in scrubbed
    assert "rd" not in scrubbed


def test_a_learned_secret_goes_too_and_the_known_ones_are_never_forgotten():
    redactor = Redactor(["known-one"])
    redactor.know("known-two")
    for number in range(LEARNED_MOST + 5):
        redactor.learn(f"learned-{number:04}")
    assert redactor.scrub("known-one known-two learned-0068 learned-0000") == "*** *** *** learned-0000"


def test_a_secret_within_a_longer_one_leaves_no_rest():
    assert Redactor(["hunter", "hunter2000"]).scrub("hunter2000") == "***"


@pytest.fixture
def logged():
    """A logger as the program sets it up, and what it wrote."""
    stream = io.StringIO()
    shown = logging.StreamHandler(stream)
    shown.setFormatter(RedactingFormatter(Redactor(["hunter2000"])))
    logger = logging.Logger("test", logging.DEBUG)
    logger.addHandler(shown)
    return logger, stream


def test_a_log_line_at_debug_holds_no_secret(logged):
    logger, stream = logged
    logger.debug("trying %s with %r", "hunter2000", {"email": "me@example.com"})
    assert stream.getvalue().endswith("DEBUG test: trying *** with {'email': '***'}\n")


def refuse():
    raise ValueError("cannot use hunter2000") from KeyError(TOKEN)


def test_a_traceback_holds_no_secret(logged):
    logger, stream = logged
    try:
        refuse()
    except ValueError:
        logger.exception("login failed")
    assert "ValueError: cannot use ***" in stream.getvalue()
    assert "KeyError: '***'" in stream.getvalue()


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="../shared/samples is not here")
def test_recorded_answers_lose_their_tokens_and_serial_numbers():
    text = json.dumps(redact(json.loads((SAMPLES / "made_authenticate.json").read_text())))
    assert '"access_token": "***"' in text
    assert '"refresh_token": "***"' in text
    assert '"serial_number": "***"' in text
