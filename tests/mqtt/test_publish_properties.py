"""Which properties of a PUBLISH reach paho."""

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from sense_mqtt.mqtt.publish_properties import keep_used_properties

TOPIC, PAYLOAD = b"\x00\x03a/b", b'{"x":1}'


def body(properties: Properties, qos: int) -> bytearray:
    return bytearray(TOPIC + (b"\x00\x07" if qos else b"") + properties.pack() + PAYLOAD)


def properties(**more: object) -> Properties:
    made = Properties(PacketTypes.PUBLISH)
    for name, value in more.items():
        setattr(made, name, value)
    return made


USED = {"ResponseTopic": "mine", "CorrelationData": b"\x02\x26" + b"c" * 200}
UNUSED = {
    "PayloadFormatIndicator": 1,
    "MessageExpiryInterval": 60,
    "ContentType": "text",
    "SubscriptionIdentifier": 300,
    "TopicAlias": 3,
    "UserProperty": [("", ""), ("a", "b&")],
}


@pytest.mark.parametrize("qos", [0, 1])
@pytest.mark.parametrize("used", [{}, USED])
def test_only_what_is_read_is_kept(used, qos):
    assert keep_used_properties(body(properties(**UNUSED, **used), qos), qos=qos) == body(properties(**used), qos)


@pytest.mark.parametrize("qos", [0, 1])
def test_what_has_no_others_stays_as_it_is(qos):
    given = body(properties(**USED), qos)
    assert keep_used_properties(given, qos=qos) == given


def test_none_of_many_user_properties_is_kept():
    many = properties(UserProperty=[("", "")] * 400, **USED)
    assert keep_used_properties(body(many, 1), qos=1) == body(properties(**USED), 1)


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        TOPIC,
        TOPIC + b"\x80",
        TOPIC + b"\xff\xff\xff\xff\x01",  # a number of five bytes
        TOPIC + b"\x01\x7f",  # no such property
        TOPIC + b"\x03\x26\x00\x01",  # ends within a name
        TOPIC + b"\x02\x26\x00\x00\x00\x00",  # longer than all properties
        b"\xff\xff" + TOPIC,
    ],
)
def test_what_is_damaged_is_left_to_paho(damaged):
    assert keep_used_properties(bytearray(damaged), qos=0) == damaged
