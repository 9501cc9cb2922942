"""Ids of Sense's devices as parts of topics, no two the same."""

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


@lru_cache(4096)
def sanitize_id(identity: str) -> str:
    """Return an id as it stands in topics: every character outside [A-Za-z0-9_-] becomes `_` (contract)."""
    return _UNSAFE.sub("_", identity)


def unique_topic_id(identity: str, others: Iterable[str]) -> str:
    """Return an id whose topics no other id has: with a suffix where it differs from one in unsafe characters only."""
    taken = set(map(sanitize_id, others))
    if sanitize_id(identity) not in taken:
        return identity
    # JSON can spell half a surrogate pair, which UTF-8 cannot carry.
    digest = hashlib.sha256(identity.encode(errors="surrogatepass")).hexdigest()
    candidates = (f"{sanitize_id(identity)}-{digest[:length]}" for length in range(8, len(digest) + 1))
    return next(candidate for candidate in candidates if candidate not in taken)
