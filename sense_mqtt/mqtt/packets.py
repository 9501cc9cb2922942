"""The packets that there are most of, as bytes: PUBLISH with QoS 1, and the PUBACKs that follow. Pure.

paho writes and reads them too, at ten times the cost: it keeps an object with a lock for each message.
"""

from sense_mqtt.core.publishing.message import Message
from sense_mqtt.mqtt.publish_properties import CORRELATION_DATA, variable_number

PUBLISH_QOS_1 = 0x32
PUBACK = 0x40
NO_SUBSCRIBERS = 0x10  # a reason code of PUBACK: the message was taken, and nobody listens

_MID_BYTES = 2


def publish_packet(message: Message, mid: int, *, retain: bool, version_5: bool) -> bytes:
    """Return a PUBLISH with QoS 1 (MQTT 5, 3.3); `mid`: its packet identifier. MQTT 3.1.1 has no properties."""
    topic, payload = message.topic.encode(), message.payload.encode()
    properties = _properties(message.correlation) if version_5 else b""
    length = 4 + len(topic) + len(properties) + len(payload)
    head = bytes((PUBLISH_QOS_1 | retain,)) + variable_number(length)
    return b"".join((head, len(topic).to_bytes(2), topic, mid.to_bytes(2), properties, payload))


def _properties(correlation: bytes | None) -> bytes:
    if correlation is None:
        return b"\x00"
    written = bytes((CORRELATION_DATA,)) + len(correlation).to_bytes(2) + correlation
    return variable_number(len(written)) + written


def taken_pubacks(received: memoryview, *, version_5: bool) -> tuple[list[int], int]:
    """Return the packet identifiers of the PUBACKs with which this begins, and how many bytes these have.

    Only those that say that a message was taken, and no more than that: with the first other packet it ends.
    """
    mids: list[int] = []
    at, size = 0, len(received)
    while size - at >= 2 + _MID_BYTES and received[at] == PUBACK:
        end = at + 2 + received[at + 1]
        extra = received[at + 1] - _MID_BYTES  # bytes: reason code, then properties
        if extra and not (version_5 and extra in (1, 2) and end <= size and _is_taken(received[at + 4 : end])):
            break
        mids.append(received[at + 2] << 8 | received[at + 3])
        at = end
    return mids, at


def _is_taken(reason: memoryview) -> bool:
    """Say whether this is a reason code of success, without properties."""
    return reason[0] in (0, NO_SUBSCRIBERS) and (len(reason) == 1 or not reason[1])
