"""What an attempt that ended means for the ladder. Pure."""

from sense_mqtt.errors import RateLimited, SenseMqttError
from sense_mqtt.sense.feed.fallback import Lost, Missing, Outcome, Refused
from sense_mqtt.sense.feed.polling import Unpollable
from sense_mqtt.sense.feed.settings import FeedSettings
from sense_mqtt.sense.feed.websocket_connection import HandshakeRefused, LineEnded


def judge_error(error: SenseMqttError) -> Outcome:
    """Return what an attempt means that never brought a thing."""
    match error:
        case Unpollable():
            return Missing(str(error))
        case HandshakeRefused():
            return Refused(str(error), error.retry_after_s, error.limits)
        case RateLimited():
            return Lost(str(error), error.retry_after_s)
        case _:
            return Lost(str(error))


def judge_end(end: LineEnded, lived_s: float, messages: int, settings: FeedSettings) -> Outcome:
    """Return what it means that a websocket ended before it had proven itself."""
    if end.by_peer and settings.is_hasty(lived_s, messages):
        return Refused(f"{end}, {lived_s:.1f} s after it opened")
    return Lost(str(end))
