"""Times in the headers of HTTP responses: Date and Retry-After. Pure."""

from datetime import UTC
from email.utils import parsedate_to_datetime

RETRY_AFTER_MAX_S = 3_600.0


def retry_after_s(header: str | None, now: float) -> float:
    """Read Retry-After, seconds or an HTTP date, capped at an hour; 0 where it says nothing. `now`: seconds UTC."""
    if not header:
        return 0.0
    wait_s = _seconds(header.strip(), now)
    return min(max(wait_s, 1.0), RETRY_AFTER_MAX_S) if wait_s is not None else 0.0


def http_time(header: str | None) -> float | None:
    """Read an HTTP date as Unix time; None where it is none."""
    try:
        moment = parsedate_to_datetime(header or "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def _seconds(header: str, now: float) -> float | None:
    if header.isdecimal():
        return float(header[:9])
    moment = http_time(header)
    return None if moment is None else moment - now
