"""What is told of a broker that cannot do all that we use."""

import pytest

from sense_mqtt.core.publishing.broker_limits import (
    ENOUGH_BYTES,
    NO_RETAIN,
    NO_WILDCARDS,
    QOS_0,
    describe_limits,
    describe_maximum_packet_size,
)

ALL = {"retain_available": True, "maximum_qos": 1, "wildcards_available": True}


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({}, []),
        ({"retain_available": False}, [NO_RETAIN]),
        ({"maximum_qos": 0}, [QOS_0]),
        ({"wildcards_available": False}, [NO_WILDCARDS]),
        ({"retain_available": False, "maximum_qos": 0, "wildcards_available": False}, [NO_RETAIN, QOS_0, NO_WILDCARDS]),
    ],
)
def test_each_limit_has_a_sentence(limits, told):
    assert list(describe_limits(**{**ALL, **limits})) == told


@pytest.mark.parametrize(("limit", "is_told"), [(None, False), (ENOUGH_BYTES, False), (ENOUGH_BYTES - 1, True)])
def test_a_small_limit_of_packets_is_reported(limit, is_told):
    assert [str(limit) in told for told in describe_maximum_packet_size(limit)] == [True] * is_told
