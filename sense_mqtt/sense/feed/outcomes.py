"""What an attempt that ended means for the ladder. Pure."""

from sense_mqtt.errors import RateLimited, SenseMqttError
from sense_mqtt.sense.feed.fallback import NetworkFailure, Outcome, Rejected, Unsupported
from sense_mqtt.sense.feed.polling import PollingUnsupported
from sense_mqtt.sense.feed.settings import FeedSettings
from sense_mqtt.sense.feed.websocket_connection import ConnectionClosed, HandshakeRejected


def outcome_of_error(error: SenseMqttError) -> Outcome:
    """Return what an attempt means that never brought a thing."""
    match error:
        case PollingUnsupported():
            return Unsupported(str(error))
        case HandshakeRejected():
            return Rejected(str(error), error.retry_after_s, error.is_rate_limit)
        case RateLimited():
            return NetworkFailure(str(error), error.retry_after_s)
        case _:
            return NetworkFailure(str(error))


def outcome_of_close(end: ConnectionClosed, lived_s: float, messages: int, settings: FeedSettings) -> Outcome:
    """Return what it means that a websocket ended before it had proven itself."""
    if end.by_peer and settings.closed_early(lived_s, messages):
        return Rejected(f"{end}, {lived_s:.1f} s after it opened")
    return NetworkFailure(str(end))
