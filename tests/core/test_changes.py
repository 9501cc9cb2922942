"""The id of a transition, which subscribers and the journal keep: the same in every version."""

import pytest

from sense_mqtt.core.changes import event_id
from sense_mqtt.core.edges import EdgeKind

IDS = [
    pytest.param("1a2b3c4d", "turned_on", 1795000001.25, "7c88dac3c0b1d9d256d08bbe082fbb91", id="of a transition"),
    pytest.param("1a2b3c4d", EdgeKind.TURNED_ON, 1795000001.25, "7c88dac3c0b1d9d256d08bbe082fbb91", id="of an edge"),
    pytest.param("Küche \ud800", "device_found", 0.0, "76b5c0b8952c5fb03b5c65b47a680e52", id="with half a surrogate"),
]


@pytest.mark.parametrize(("device", "event_type", "time", "expected"), IDS)
def test_an_id_is_that_of_the_first_version(device, event_type, time, expected):
    assert event_id(7, device, event_type, time) == expected
