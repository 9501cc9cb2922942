"""The kind of a feed message, as far as the feed itself needs it. Pure."""

from sense_mqtt.core.wire.decode import decode
from sense_mqtt.core.wire.frames import FeedError, Frame, RealtimeUpdate
from sense_mqtt.errors import BadFrame

ERROR_BYTES = 4_096  # an error of Sense has some hundred; frames of houses are longer, and searched in vain


def is_token_error(raw: str | bytes) -> bool:
    """True if the message says that our token is refused; Sense may send it instead of HTTP 401."""
    if len(raw) > ERROR_BYTES:
        return False
    if not (("authorized" in raw) if isinstance(raw, str) else (b"authorized" in raw)):
        return False
    frame = _decode(raw)
    return isinstance(frame, FeedError) and frame.authorized is False


def is_update(raw: str | bytes) -> bool:
    """True for a realtime frame, False for the opening messages."""
    return isinstance(_decode(raw), RealtimeUpdate)


def _decode(raw: str | bytes) -> Frame | None:
    try:
        return decode(raw)
    except BadFrame:  # the bridge reports it
        return None
