"""The six digits of a two-factor login (RFC 6238, SHA-1, 30 seconds). Pure."""

import base64
import binascii
import hmac
import struct

from sense_mqtt.errors import ConfigError

STEP_S = 30
DIGITS = 6


def code_at(secret: str, time_s: float) -> str:
    """Return the code that an authenticator app shows at `time_s` (Unix time); `secret` as the app was given it."""
    counter = struct.pack(">Q", int(time_s // STEP_S))
    digest = hmac.digest(_key(secret), counter, "sha1")
    start = digest[-1] & 0x0F
    number = int.from_bytes(digest[start : start + 4]) & 0x7FFF_FFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def next_step(time_s: float) -> float:
    """Return the moment at which the next code begins."""
    return (time_s // STEP_S + 1) * STEP_S


def _key(secret: str) -> bytes:
    plain = "".join(secret.split()).replace("-", "").rstrip("=").upper()
    padded = plain + "=" * (-len(plain) % 8)
    try:
        key = base64.b32decode(padded)
    except (binascii.Error, ValueError):
        key = b""
    if not key:  # raised here, so that no traceback carries the secret
        raise ConfigError("sense.totp_secret: must be base32 (letters A-Z and digits 2-7), as shown beside the QR code")
    return key
