"""The little that the feed itself must know of a message. Pure."""

from sense_mqtt.core.wire.frames import FeedError, Frame, RealtimeUpdate, decode
from sense_mqtt.errors import BadFrame


def is_token_error(raw: str | bytes) -> bool:
    """Whether Sense says that it does not take our token: so it may, instead of HTTP 401 (facts 4.8)."""
    if not (("authorized" in raw) if isinstance(raw, str) else (b"authorized" in raw)):
        return False
    frame = _decode(raw)
    return isinstance(frame, FeedError) and frame.authorized is False


def is_update(raw: str | bytes) -> bool:
    """Whether this is a frame of the house, and not one of the opening messages."""
    return isinstance(_decode(raw), RealtimeUpdate)


def _decode(raw: str | bytes) -> Frame | None:
    try:
        return decode(raw)
    except BadFrame:  # the bridge's business
        return None
