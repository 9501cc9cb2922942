"""Subject and issuer of a server's certificate: for messages only, nothing is trusted here."""

import socket
import ssl
from collections.abc import Iterator

from msgspec import Struct

FETCH_TIMEOUT_S = 5.0  # for fetching a certificate that was refused
NAMES = {b"\x55\x04\x03": "CN", b"\x55\x04\x0a": "O", b"\x55\x04\x0b": "OU"}  # object identifiers 2.5.4.x
EXPLICIT_VERSION, BMP_STRING = 0xA0, 0x1E  # tags


class Certificate(Struct, frozen=True):
    """Fields of a certificate."""

    subject: str  # "CN=..., O=..."
    issuer: str
    valid_until: str  # as YYYY-MM-DD


def describe_certificate(host: str, port: int) -> str:
    """Return subject, issuer and end of the certificate presented there, in words."""
    presented = _fetch(host, port)
    if presented is None:
        return "it could not be fetched"
    return f"presented is {presented.subject!r}, issued by {presented.issuer!r}, valid until {presented.valid_until}"


def _fetch(host: str, port: int) -> Certificate | None:
    """Fetch the certificate without trusting it; nothing is sent over this connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # only to read it: the refused connection stays refused
    try:
        with (
            socket.create_connection((host, port), FETCH_TIMEOUT_S) as raw,
            context.wrap_socket(raw, server_hostname=host) as wrapped,
        ):
            der = wrapped.getpeercert(binary_form=True)
    except (OSError, ValueError):
        return None
    return parse_certificate(der) if der else None


def parse_certificate(der: bytes) -> Certificate | None:
    """Parse an X.509 certificate (DER); None if it cannot be read."""
    try:
        return _parse(der)
    except (IndexError, ValueError):
        return None


def _parse(der: bytes) -> Certificate:
    to_be_signed = _first(_first(der))
    fields = [field for field in _elements(to_be_signed) if field[0] != EXPLICIT_VERSION]
    _serial, _algorithm, issuer, validity, subject = (content for _, content in fields[:5])
    return Certificate(_name(subject), _name(issuer), _date([*_elements(validity)][1][1]))


def _first(content: bytes) -> bytes:
    for _, inner in _elements(content):
        return inner
    raise ValueError("empty")


def _elements(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of each element (DER: tag, length, content)."""
    while content:
        tag, length, start = content[0], content[1], 2
        if length & 0x80:
            start = 2 + (length & 0x7F)
            length = int.from_bytes(content[2:start])
        if start + length > len(content):
            raise ValueError("cut short")
        yield tag, content[start : start + length]
        content = content[start + length :]


def _name(content: bytes) -> str:
    parts = [part for _, group in _elements(content) for _, pair in _elements(group) if (part := _part(pair))]
    return ", ".join(parts) or "nameless"


def _part(pair: bytes) -> str | None:
    (_, identifier), (tag, value) = [*_elements(pair)][:2]
    label = NAMES.get(identifier)
    text = value.decode("utf-16-be" if tag == BMP_STRING else "utf-8", "replace")
    return f"{label}={text}" if label and text.isprintable() else None


def _date(content: bytes) -> str:
    """From YYMMDD... (UTCTime, 1950-2049) or YYYYMMDD... (GeneralizedTime)."""
    text = content.decode("ascii")
    if len(text) == 13:
        text = ("19" if text[:2] >= "50" else "20") + text
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}"
