"""Removes secrets from logs, MQTT and recordings: by keys, by patterns, and by known values."""

import copy
import html
import json
import logging
import re
import textwrap
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from sense_mqtt.core.plain_text import escape_hidden, without_hidden

HIDDEN = "***"
MAX_TEMPORARY_SECRETS = 64  # calls: tokens older than the last few dozen have expired
MIN_SECRET_LENGTH = 4  # characters; shorter ones occur in ordinary text

# Endings of key names, without `_`, `-` and capitals: `refresh_token`, `X-Access-Token` and `wifiPassword` are covered.
SECRET_KEYS = (
    "password",
    "passwd",
    "token",  # access_token, refresh_token, mfa_token
    "authorization",
    "cookie",
    "totp",
    "totpsecret",
    "secret",
    "email",
    "serial",  # monitor_info.serial
    "serialnumber",  # monitors[].serial_number
)

# Location and network of a home: removed from recordings only. Whole key names.
PERSONAL_KEYS = (
    "address",
    "ipaddress",
    "city",
    "postalcode",
    "latitude",
    "longitude",
    "ssid",
    "wifinetworkssid",
    "mac",
    "emac",
    "duid",  # the MAC of a smart plug
    "uservisibledeviceid",
)

GUARDED_NAME = r"\w*(?:token|password|passwd|totp|secret|email|serial|serial_number|authorization)"

PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\bt1\.[\w.~+/=-]{16,}"), HIDDEN),  # Sense's access token
    (re.compile(r"\beyJ[\w-]+\.[\w-]+(\.[\w-]+)?"), HIDDEN),  # any JSON web token
    (re.compile(r"(?i)\b(bearer|basic) +[\w.~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"(?<=://)[^/\s@]+@"), f"{HIDDEN}@"),  # user and password in an address
    (re.compile(r"(?<![\w.+%-])[\w.+%-]+@[\w-]+(\.[\w-]+)+"), HIDDEN),  # an e-mail address
    (re.compile(rf"(?i)(\b{GUARDED_NAME}=)(?:'[^']*'|\"[^\"]*\"|[^\s&,;)\]}}]+)"), rf"\1{HIDDEN}"),  # form, call
    (re.compile(rf"(?i)(([\"']){GUARDED_NAME}\2: *)([\"'])(?:\\.|(?!\3).)*\3"), rf"\1\3{HIDDEN}\3"),  # JSON, repr
)


ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([/bfnrt]))")  # as JSON and Python write a character


def redact_json(data: Any, *, personal: bool = False) -> Any:
    """A copy of JSON-like data without secrets; with `personal` also without address, network names and the like."""
    match data:
        case Mapping():
            hidden = PERSONAL_KEYS if personal else ()
            return {
                key: HIDDEN
                if _hides(str(key), hidden) and has_content(value)
                else redact_json(value, personal=personal)
                for key, value in data.items()
            }
        case list() | tuple():
            return [redact_json(item, personal=personal) for item in data]
        case str():
            return _without_patterns(data)
        case _:
            return data


def is_secret_key(key: str) -> bool:
    """Say whether what stands under this key is a secret."""
    return _hides(key, ())


def is_personal_key(key: str) -> bool:
    """Say whether what stands under this key tells where or whose a home is."""
    return _hides(key, PERSONAL_KEYS) and not is_secret_key(key)


def _hides(key: str, personal: tuple[str, ...]) -> bool:
    bare = key.lower().replace("_", "").replace("-", "")
    return bare.endswith(SECRET_KEYS) or bare in personal


def has_content(value: Any) -> bool:
    """False for flags (`..._email: true`) and empty values, which are no secrets."""
    return value not in (None, "") and not isinstance(value, bool)


def _without_patterns(text: str) -> str:
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    return text


class Redactor:
    """Removes known secrets, and text that looks like one. Thread-safe."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known = tuple(known)
        self._temporary: deque[tuple[str, ...]] = deque(maxlen=MAX_TEMPORARY_SECRETS)
        self._lock = threading.Lock()
        self._pattern = _any_of(self._known)

    def add_secret(self, *secrets: str) -> None:
        """Remove these too, for good: configured secrets."""
        with self._lock:
            self._known += secrets
            self._pattern = _any_of(self._all())

    def add_temporary_secret(self, *secrets: str) -> None:
        """Remove these too, until MAX_TEMPORARY_SECRETS later calls: tokens. Give those of one login together."""
        with self._lock:
            if not self._all().issuperset(secrets):
                self._temporary.append(secrets)
                self._pattern = _any_of(self._all())

    def _all(self) -> set[str]:
        return {*self._known, *(secret for each in self._temporary for secret in each)}

    def redact(self, text: str) -> str:
        """Return the text without secrets; decoded, if a secret was found only after decoding."""
        redacted = reading = self._remove(text)
        for decode in DECODINGS:
            before, reading = reading, without_hidden(decode(reading))
            if reading != before and (clean := self._remove(reading)) != reading:
                redacted = reading = clean
        return redacted

    def _remove(self, text: str) -> str:
        return _without_patterns(self._pattern.sub(HIDDEN, text))


def _any_of(secrets: Iterable[str]) -> re.Pattern[str]:
    """Matches each secret in every way it may be written, the longest first."""
    spellings = {spelling for secret in secrets if len(secret) >= MIN_SECRET_LENGTH for spelling in _spellings(secret)}
    ordered = sorted(spellings, key=lambda spelling: (-len(spelling), spelling))
    return re.compile("|".join(map(re.escape, ordered)) or r"(?!)")


def _spellings(secret: str) -> tuple[str, ...]:
    """As it is, in an address, in a form, in JSON and in a repr."""
    return (
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
    )


def _unescape(text: str) -> str:
    return ESCAPED.sub(_unescape_one, text)


def _unescape_one(found: re.Match[str]) -> str:
    if found[3]:
        return "/" if found[3] == "/" else "\n"  # \b, \f, \n, \r and \t do not show: any of them will do
    return chr(int(found[1] or found[2], 16))


# Decodings under which a secret may be hidden, each applied after those before.
DECODINGS = (str, unquote, unquote, html.unescape, _unescape, unquote_plus)


class RedactingFormatter(logging.Formatter):
    """Formats a record as one line, its traceback indented below, and removes every secret after all else."""

    def __init__(self, redactor: Redactor, text: str = "%(asctime)s %(levelname)s %(name)s: %(message)s") -> None:
        super().__init__(text)
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        plain = copy.copy(record)
        plain.msg, plain.args, plain.exc_text = self._one_line(record.getMessage()), (), None
        return self._redactor.redact(super().format(plain))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging calls it so
        return self._indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - logging calls it so
        return self._indented(super().formatStack(stack_info))

    def _one_line(self, text: str) -> str:
        return escape_hidden(self._redactor.redact(text))  # redacted here too: an escape would part a secret

    def _indented(self, text: str) -> str:
        """No line of a traceback looks like a record: an error's message may hold anything."""
        lines = self._redactor.redact(text).split("\n")
        return textwrap.indent("\n".join(map(escape_hidden, lines)), "  ")
