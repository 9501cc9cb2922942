"""How quickly the parts of the bridge try again, and how politely."""

from msgspec import Struct, field

from sense_mqtt.bridge.jobs import POLLED_TIMELINE_S
from sense_mqtt.bridge.loop import TICK_S
from sense_mqtt.bridge.monitor import TIMELINE_LAG_S
from sense_mqtt.core.backoff import Backoff


class Timing(Struct, frozen=True):
    """How quickly we try again, and how politely. The defaults are for Sense; tests against a simulated cloud hurry."""

    rest_spacing_s: float = 1.0  # between two REST calls (contract, section 3)
    feed_spacing_s: float = 1.0  # between two websockets
    feed: Backoff = field(default_factory=Backoff)
    broker: Backoff = field(default_factory=lambda: Backoff(first_s=1.0, most_s=4.0))  # 5 s with `tick_s`: it is near
    scheduler: Backoff = field(default_factory=Backoff)
    tick_s: float = TICK_S  # of the bridge's loop
    polled_timeline_s: float = POLLED_TIMELINE_S  # the timeline is read, while no stream shows each edge
    timeline_lag_s: float = TIMELINE_LAG_S  # and once more so long after a gap
