"""No secret gets through: by key, by look, by value."""

import html
import io
import json
import logging
from urllib.parse import quote, urlencode

import pytest

from sense_mqtt.logs.redaction import MAX_TEMPORARY_SECRETS, RedactingFormatter, Redactor, redact_json
from tests.support.checkout import shared_file

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
    assert redact_json({"monitors": [data]}) == {"monitors": [dict.fromkeys(data, "***")]}


KEPT = [
    pytest.param({"totp_enabled": True, "device_email": False, "checksum": "AB12"}, id="flags and look-alikes"),
    pytest.param({"access_token": None, "password": ""}, id="nothing where nothing was"),
    pytest.param({"w": 12.5, "id": "1a2b3c4d", "tags": [1, None, "Dryer"]}, id="what a frame holds"),
    pytest.param({"ssid": "Home", "city": "Bern", "capacity": 4}, id="personal data, unless asked"),
]


@pytest.mark.parametrize("data", KEPT)
def test_what_is_no_secret_stays(data):
    assert redact_json(data) == data


def test_personal_data_goes_where_asked():
    data = {"ssid": "Home", "city": "Bern", "electricity": 4, "mac": "35:4B:1F:00:00:01"}
    assert redact_json(data, personal=True) == {"ssid": "***", "city": "***", "electricity": 4, "mac": "***"}


def test_redact_leaves_its_argument_alone():
    data = {"a": [{"password": "hunter2"}]}
    redact_json(data)
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
    assert Redactor().redact(text) == expected


SECRET = 'p&ss "wörd"\\1'
SPELLINGS = [
    pytest.param(SECRET, id="plain"),
    pytest.param(urlencode({"x": SECRET}), id="in a form"),
    pytest.param(json.dumps([SECRET]), id="in JSON"),
    pytest.param(json.dumps([SECRET], ensure_ascii=False), id="in JSON with umlauts"),
    pytest.param(repr([SECRET]), id="in a repr"),
    pytest.param(quote(SECRET), id="in a path"),
    pytest.param(quote(SECRET).lower(), id="in a path with small digits"),
    pytest.param(quote(quote(SECRET)), id="encoded twice"),
    pytest.param("".join(f"%{byte:02X}" for byte in SECRET.encode()), id="each byte encoded"),
    pytest.param(html.escape(SECRET), id="in HTML"),
    pytest.param(json.dumps(SECRET).replace("00f6", "00F6"), id="in JSON with capital digits"),
    pytest.param("".join(f"\\u{ord(letter):04x}" for letter in SECRET), id="each letter escaped"),
    pytest.param("\u200b".join(SECRET), id="with characters between that do not show"),
    pytest.param("\n".join(SECRET), id="with line ends between"),
    pytest.param("\ufe0f".join(SECRET), id="with marks between that do not show"),
    pytest.param("%E2%80%8B".join(map(quote, SECRET)), id="hidden characters, encoded"),
]


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_known_secret_goes_however_it_is_written(text):
    scrubbed = Redactor([SECRET]).redact(f"with {text}, twice: {text}.")
    assert "***" in scrubbed
    assert not set("wrd") & set(scrubbed.replace("with ", "").replace(", twice: ", ""))


ENCODED_LOOKS = [
    pytest.param("user=me%40example.com", "user=***", id="an e-mail address in a form"),
    pytest.param(f"to {quote(TOKEN, safe='')}".replace(".", "%2E"), "to ***", id="a token"),
    pytest.param("t1.v2.eyJhbGci\u200bOiJIUzUxMiJ9.eyJpc3Mi", "***", id="a token with a hidden character"),
    pytest.param("100 %, 2 + 2 & a%20b, \\u00e9", "100 %, 2 + 2 & a%20b, \\u00e9", id="nothing secret stays as it is"),
]


@pytest.mark.parametrize(("text", "expected"), ENCODED_LOOKS)
def test_what_looks_like_a_secret_once_decoded_goes_too(text, expected):
    assert Redactor().redact(text) == expected


def test_a_learned_secret_goes_too_and_the_known_ones_are_never_forgotten():
    redactor = Redactor(["known-one"])
    redactor.add_secret("known-two")
    for number in range(MAX_TEMPORARY_SECRETS + 5):
        redactor.add_temporary_secret(f"learned-{number:04}")
    assert redactor.redact("known-one known-two learned-0068 learned-0000") == "*** *** *** learned-0000"


def test_the_tokens_of_an_account_with_many_monitors_are_not_pushed_out_by_their_serial_numbers():
    redactor = Redactor()
    redactor.add_temporary_secret("the-token", *(f"serial-{number:04}" for number in range(2 * MAX_TEMPORARY_SECRETS)))
    redactor.add_temporary_secret("the-token")  # known already
    assert redactor.redact("the-token serial-0000 serial-0127") == "*** *** ***"


def test_a_secret_within_a_longer_one_leaves_no_rest():
    assert Redactor(["hunter", "hunter2000"]).redact("hunter2000") == "***"


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


HOSTILE = "a\n2026-11-26 00:00:00,000 ERROR sense_mqtt: forged\r\x1b[2J\u2028\u202e\x85\ud800"


def test_a_log_line_holds_no_control_character_of_others(logged):
    logger, stream = logged
    logger.warning("Sense says %s", HOSTILE)
    line = stream.getvalue().removesuffix("\n")
    assert line.endswith(r"a\n2026-11-26 00:00:00,000 ERROR sense_mqtt: forged\r\x1b[2J\u2028\u202e\x85\ud800")
    assert line.isprintable()


def test_no_line_of_a_traceback_looks_like_a_record(logged):
    logger, stream = logged
    try:
        int(HOSTILE)
    except ValueError:
        logger.exception("it failed")
    first, *below = stream.getvalue().removesuffix("\n").split("\n")
    assert first.endswith("ERROR test: it failed")
    assert all(line.startswith("  ") and line.isprintable() for line in below)


def test_a_secret_does_not_hide_behind_the_escapes_of_a_log_line(logged):
    logger, stream = logged
    logger.warning("Sense says %s and %s", "hunter\n2000", "hunter%0A2000")
    assert stream.getvalue().endswith("Sense says *** and ***\n")


def test_a_record_is_left_as_it_is_for_other_handlers():
    record = logging.LogRecord("test", logging.INFO, "x.py", 1, "a %s", ("b\nc",), None)
    RedactingFormatter(Redactor()).format(record)
    assert (record.msg, record.args) == ("a %s", ("b\nc",))


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


def test_recorded_answers_lose_their_tokens_and_serial_numbers():
    text = json.dumps(redact_json(json.loads(shared_file("samples/made_authenticate.json").read_text())))
    assert '"access_token": "***"' in text
    assert '"refresh_token": "***"' in text
    assert '"serial_number": "***"' in text
