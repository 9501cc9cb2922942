"""One MQTT message that is to be published, and the order among those that are retained."""

from enum import IntEnum

from msgspec import Struct


class PublishOrder(IntEnum):
    """The order in which a new connection gets what is retained. The journal keeps these numbers."""

    DISCOVERY = 0
    INFO = 1
    AVAILABILITY = 2
    VALUE = 3
    BRIDGE_STATE = 4


class Message(Struct, frozen=True):
    """One MQTT message, QoS 1."""

    topic: str
    payload: str
    retain: bool = False
    order: PublishOrder = PublishOrder.VALUE
    event: int | None = None  # its number in the journal
    event_id: str = ""  # of an event: the same, however late it is published
    correlation: bytes | None = None
    final: bool = False  # retained, and the last one on its topic: once a broker has it, it is not published again

    @property
    def size(self) -> int:
        """Bytes on the wire, with room for MQTT's own fields."""
        return len(self.payload.encode()) + len(self.topic.encode()) + len(self.correlation or b"") + 32
