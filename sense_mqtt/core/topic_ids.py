"""Sense's ids as they stand in topics, no two the same."""

import hashlib
import re
from collections.abc import Iterable

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


def safe(identity: str) -> str:
    """Return an id as it stands in topics: every character outside [A-Za-z0-9_-] becomes `_` (contract)."""
    return _UNSAFE.sub("_", identity)


def apart(identity: str, others: Iterable[str]) -> str:
    """Return an id whose topics no other id has: with a suffix where it differs from one in unsafe characters only."""
    taken = set(map(safe, others))
    if safe(identity) not in taken:
        return identity
    # JSON can spell half a surrogate pair, which UTF-8 cannot carry.
    digest = hashlib.sha256(identity.encode(errors="surrogatepass")).hexdigest()
    candidates = (f"{safe(identity)}-{digest[:length]}" for length in range(8, len(digest) + 1))
    return next(candidate for candidate in candidates if candidate not in taken)
