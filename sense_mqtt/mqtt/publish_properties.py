"""The properties of an MQTT 5 PUBLISH, without those that nobody reads here.

paho reads them in a time that grows with the square of their number: 26,000 empty user properties, in 128 kB, take it
three seconds, and no acknowledgement is read meanwhile. This is one pass.
"""

from collections.abc import Iterator

RESPONSE_TOPIC, CORRELATION_DATA, USER_PROPERTY = 0x08, 0x09, 0x26  # MQTT 5, section 2.2.2.2
USED = (RESPONSE_TOPIC, CORRELATION_DATA)

_SUBSCRIPTION_IDENTIFIER = 0x0B  # a number of one to four bytes
_FIXED_BYTES = {0x01: 1, 0x02: 4, 0x23: 2}  # payload format, expiry, topic alias
_STRINGS = {0x03: 1, RESPONSE_TOPIC: 1, CORRELATION_DATA: 1, USER_PROPERTY: 2}  # each with its length in two bytes


def keep_used_properties(body: bytearray, *, qos: int) -> bytearray:
    """Return what follows a PUBLISH's length, with no other properties than USED; as it is where it is damaged."""
    start = 2 + int.from_bytes(body[:2]) + (2 if qos else 0)  # after topic and packet identifier
    try:
        length, size = _read_number(body, start)
        end = start + size + length
        kept = b"".join(_used(body, start + size, end))
    except (IndexError, KeyError):
        return body
    return body[:start] + variable_number(len(kept)) + kept + body[end:]


def _used(body: bytearray, at: int, end: int) -> Iterator[bytearray]:
    while at < end:
        after = _end_of_property(body, at)
        if body[at] in USED:
            yield body[at:after]
        at = after
    if at != end:
        raise IndexError


def _end_of_property(body: bytearray, at: int) -> int:
    identifier, at = body[at], at + 1
    if identifier in _FIXED_BYTES:
        return at + _FIXED_BYTES[identifier]
    if identifier == _SUBSCRIPTION_IDENTIFIER:
        return at + _read_number(body, at)[1]
    for _ in range(_STRINGS[identifier]):
        at += 2 + int.from_bytes(body[at : at + 2])
    return at


def _read_number(body: bytearray, at: int) -> tuple[int, int]:
    """Return a variable byte integer (MQTT 5, 1.5.5), and how many bytes it has."""
    value = 0
    for size in range(1, 5):
        value |= (body[at] & 0x7F) << 7 * (size - 1)
        if body[at] < 0x80:
            return value, size
        at += 1
    raise IndexError


def variable_number(value: int) -> bytes:
    """Return a variable byte integer (MQTT 5, 1.5.5)."""
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*written, value))
