"""How messages of the simulated feed are put into bytes, and garbled."""

import json

import msgpack
import pytest

from sense_mqtt.simulator.payloads.encoding import MALFORMED_KINDS, MessageEncoding, make_malformed
from sense_mqtt.simulator.server.faults import Faults

FRAME = {"w": 3.5, "hz": 60.0, "devices": [{"id": "a", "w": 1.5}, {"id": "unknown", "w": 2.0}], "epoch": 7}


def test_json_is_text_with_type_and_payload():
    assert json.loads(MessageEncoding().encode("hello", {"online": True}, 7)) == {
        "type": "hello",
        "payload": {"online": True},
    }


def test_old_monitors_spoke_binary_json_and_camel_case():
    assert (
        MessageEncoding(binary_json=True, camel_case=True).encode("data_change", None, 7) == b'{"type": "DataChange"}'
    )


def test_msgpack_is_three_objects_in_a_row():
    unpacker = msgpack.Unpacker()
    unpacker.feed(MessageEncoding(msgpack=True).encode("realtime_update", FRAME, 7))
    assert list(unpacker) == ["realtime_update", 7, FRAME]


@pytest.mark.parametrize(
    "wire",
    [MessageEncoding(), MessageEncoding(msgpack=True), MessageEncoding(binary_json=True)],
    ids=["json", "msgpack", "old"],
)
@pytest.mark.parametrize("kind", sorted(MALFORMED_KINDS))
def test_garbage_is_never_the_true_frame(kind, wire):
    spoiled = make_malformed(kind, wire, FRAME, 7)
    assert spoiled != wire.encode("realtime_update", FRAME, 7)
    assert isinstance(spoiled, bytes) == (wire.msgpack or wire.binary_json)


def test_garbage_comes_in_the_order_it_was_asked_for():
    faults = Faults()
    faults.send_malformed("nan", "empty")
    assert [faults.next_malformed(number) for number in range(3)] == ["nan", "empty", None]


def test_garbage_may_come_every_so_often():
    faults = Faults()
    faults.send_malformed("nan", every=3)
    assert [faults.next_malformed(number) for number in range(1, 7)] == [None, None, "nan", None, None, "nan"]


def test_unknown_garbage_is_refused():
    with pytest.raises(ValueError, match="no garbage of kind"):
        Faults().send_malformed("glitter")


def test_an_http_fault_is_used_up_and_the_newest_that_fits_wins():
    faults = Faults()
    faults.refuse(500)
    faults.refuse(429, path="status", times=2, retry_after=9)
    found = [faults.http_fault(path).status for path in ("a/status", "devices", "a/status", "a/status")]
    assert found == [429, 500, 429, 500]
    faults.clear()
    assert faults.http_fault("a/status") is None
