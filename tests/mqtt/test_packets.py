"""The packets that are written and read without paho, beside what paho writes and reads."""

import io
import struct

import paho.mqtt.client as paho
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from sense_mqtt.core.publishing.message import Message
from sense_mqtt.mqtt.packets import publish_packet, taken_pubacks

VERSIONS = {True: MQTTProtocolVersion.MQTTv5, False: MQTTProtocolVersion.MQTTv311}
MIDS = st.integers(1, 65_535)


class Packets(paho.Client):
    """A client that keeps what it would send."""

    def __init__(self, *, version_5: bool) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, protocol=VERSIONS[version_5])
        self._sock = io.BytesIO()  # any but None: it is not used
        self.written = b""

    def _packet_queue(self, _command, packet, _mid, _qos, _info=None):
        self.written = bytes(packet)
        return 0


@pytest.mark.parametrize("version_5", [True, False])
@pytest.mark.parametrize("size", [0, 1, 100, 110, 127, 128, 16_383, 16_384, 300_000])
@pytest.mark.parametrize("correlation", [None, b"", b"\x00\x09" * 100])
def test_a_publish_is_written_as_paho_writes_it(version_5, size, correlation):
    message = Message("sense/7/ä", "w" * size, correlation=correlation)
    properties = None
    if correlation is not None and version_5:
        properties = Properties(PacketTypes.PUBLISH)
        properties.CorrelationData = correlation
    client = Packets(version_5=version_5)
    for retain in (True, False):
        mid = client.publish(message.topic, message.payload, 1, retain, properties).mid
        assert publish_packet(message, mid, retain=retain, version_5=version_5) == client.written


def puback(mid: int, rest: bytes = b"") -> bytes:
    return b"\x40" + bytes((2 + len(rest),)) + struct.pack("!H", mid) + rest


TAKEN = st.sampled_from([b"", b"\x00", b"\x10", b"\x00\x00", b"\x10\x00"])


@given(packets=st.lists(st.tuples(MIDS, TAKEN)), more=st.sampled_from([b"", b"\x40", b"\x90\x03\x00\x01\x01"]))
def test_pubacks_of_messages_that_were_taken_are_read_up_to_the_first_other_packet(packets, more):
    whole = b"".join(puback(mid, rest) for mid, rest in packets)
    mids, size = taken_pubacks(memoryview(whole + more), version_5=True)
    assert (mids, size) == ([mid for mid, _ in packets], len(whole))


@given(packets=st.lists(st.tuples(MIDS, TAKEN)), cut=st.integers(0))
def test_a_puback_that_is_not_whole_is_left(packets, cut):
    parts = [puback(mid, rest) for mid, rest in packets]
    whole = b"".join(parts)
    received = whole[: cut % (len(whole) + 1)]
    mids, size = taken_pubacks(memoryview(received), version_5=True)
    assert mids == [mid for mid, _ in packets[: len(mids)]]
    assert size == len(b"".join(parts[: len(mids)]))
    assert len(received) - size < max(map(len, parts), default=1)


@pytest.mark.parametrize(
    "rest", [b"\x87", b"\x97\x00", b"\x00\x05\x1f\x00\x02no", b"\x10\x01\x00", b"\x00\x00\x00"], ids=bytes.hex
)
def test_a_refusal_and_what_says_more_is_left_to_paho(rest):
    assert taken_pubacks(memoryview(puback(7) + puback(8, rest) + puback(9)), version_5=True) == ([7], 4)


def test_mqtt_3_1_1_has_no_reason_codes():
    assert taken_pubacks(memoryview(puback(7) + puback(8, b"\x00")), version_5=False) == ([7], 4)


@given(received=st.binary(max_size=64))
def test_what_is_no_puback_raises_nothing(received):
    mids, size = taken_pubacks(memoryview(received), version_5=True)
    assert len(mids) * 4 <= size <= len(received)
