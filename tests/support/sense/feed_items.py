"""What a feed has told its inbox, as short as a test wants it."""

from sense_mqtt.core.wire.decode import decode
from sense_mqtt.core.wire.frames import RealtimeUpdate
from sense_mqtt.items import FeedChanged, FrameArrived
from tests.support.sense.sense_fixtures import items_until, of_kind

FEED = "realtimefeed"


def frames(items):
    return of_kind(items, FrameArrived)


def updates(items):
    return [item for item in frames(items) if isinstance(decode(item.raw), RealtimeUpdate)]


def transports(items):
    return [item.transport for item in of_kind(items, FeedChanged)]


def told(inbox, kind, count=1):
    return items_until(inbox, lambda items: len(of_kind(items, kind)) >= count)
