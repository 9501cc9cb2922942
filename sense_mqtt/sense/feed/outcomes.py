"""How an attempt ended, as an outcome for the fallback. Pure."""

from sense_mqtt.errors import RateLimited, SenseMqttError
from sense_mqtt.sense.feed.connection_errors import ConnectionClosed, HandshakeRejected
from sense_mqtt.sense.feed.fallback import NetworkFailure, Outcome, Rejected, Unsupported
from sense_mqtt.sense.feed.polling import PollingUnsupported
from sense_mqtt.sense.feed.settings import FeedSettings


def outcome_of_error(error: SenseMqttError) -> Outcome:
    """Return the outcome of an attempt that failed before any frame came."""
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
    """Return the outcome of a websocket that closed before it was stable."""
    if end.by_peer and settings.closed_early(lived_s, messages):
        return Rejected(f"{end}, {lived_s:.1f} s after it opened")
    return NetworkFailure(str(end))
