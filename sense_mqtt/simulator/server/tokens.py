"""Access tokens (t1.v2.<JWT>, HS512) and one-time codes (RFC 6238), made and checked. Pure."""

import base64
import hashlib
import hmac
import json
import struct
from typing import Any

CODE_LIFE_S = 30


def sign(claims: dict[str, Any], secret: bytes) -> str:
    """Return `t1.v2.` and a JWT: split at the dots, five parts."""
    head = _base64url(json.dumps({"alg": "HS512"}, separators=(",", ":")).encode())
    body = _base64url(json.dumps(claims, separators=(",", ":")).encode())
    signature = hmac.new(secret, f"{head}.{body}".encode(), hashlib.sha512).digest()
    return f"t1.v2.{head}.{body}.{_base64url(signature)}"


def totp(secret: str, at: float) -> str:
    """Return the six digits of the half minute that holds `at`; `secret` is base32, blanks and case ignored."""
    tidy = secret.replace(" ", "").upper()
    key = base64.b32decode(tidy + "=" * (-len(tidy) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(at) // CODE_LIFE_S), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def totp_fits(secret: str, code: str, at: float) -> bool:
    """Tell whether `code` is that of now, or of the half minute before or after."""
    return any(hmac.compare_digest(code, totp(secret, at + step * CODE_LIFE_S)) for step in (-1, 0, 1))


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
