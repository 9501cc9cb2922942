"""The messages of the feed beside frames of the house, and those that cannot be decoded."""

import json

import msgpack
import pytest

from sense_mqtt.core.bounds import MAX_FRAME_ITEMS
from sense_mqtt.core.edges import EdgeKind, timeline_edge
from sense_mqtt.core.wire.decode import decode
from sense_mqtt.core.wire.devices import read_bool
from sense_mqtt.core.wire.frames import (
    DataChange,
    DeviceStates,
    FeedError,
    Hello,
    MonitorInfo,
    TimelineChange,
    UnknownFrame,
)
from sense_mqtt.errors import BadFrame


def packed(*objects):
    return b"".join(msgpack.packb(thing) for thing in objects)


ITEM = {"type": "DeviceOn", "device_id": "a", "time": "2026-11-21T00:00:00Z", "guid": "g"}
EDGE = timeline_edge("a", EdgeKind.TURNED_ON, 1795219200.0, "g")
MESSAGES = [
    pytest.param({"type": "hello"}, Hello(None), id="hello of 2018 without payload"),
    pytest.param({"type": "hello", "payload": {"online": False}}, Hello(False), id="hello, offline"),
    pytest.param({"type": "hello", "payload": {"online": "false"}}, Hello(False), id="hello, offline in text"),
    pytest.param({"type": "hello", "payload": ["x"]}, Hello(None), id="hello with a payload of the wrong type"),
    pytest.param(
        {"type": "MonitorInfo", "payload": {"features": "NDI,SSI", "online": True}},
        MonitorInfo(online=True),
        id="monitor info in the camel case of 2018",
    ),
    pytest.param(
        {"type": "monitor_info", "payload": {"features": 3}}, MonitorInfo(None), id="monitor info without online"
    ),
    pytest.param(
        {
            "type": "DataChange",
            "payload": {
                "device_data_checksum": "0A1B",
                "pending_events": {"new_device_found": {"device_id": "fe99196e"}},
            },
        },
        DataChange("0A1B", new_device_found=True),
        id="data change",
    ),
    pytest.param(
        {
            "type": "data_change",
            "payload": {
                "monitor_overview_checksum": "2C3D",
                "pending_events": {"new_device_found": {"device_id": None, "guid": None, "timestamp": None}},
            },
        },
        DataChange(None, "2C3D", new_device_found=False),
        id="data change without a new device",
    ),
    pytest.param(
        {"type": "data_change", "payload": {"pending_events": []}},
        DataChange(None),
        id="data change without a checksum",
    ),
    pytest.param({"type": "device_states", "payload": {"update_type": "full"}}, DeviceStates(), id="device states"),
    pytest.param(
        {"type": "new_timeline_event", "payload": {"items_added": [ITEM], "items_updated": [ITEM]}},
        TimelineChange(added=(EDGE,), updated=(EDGE,)),
        id="timeline",
    ),
    pytest.param(
        {"type": "new_timeline_event", "payload": {"items_removed": [ITEM], "items_added": 1}},
        TimelineChange(removed=(EDGE,)),
        id="timeline with a list of the wrong type",
    ),
    pytest.param(
        {"type": "error", "payload": {"authorized": False, "error_reason": "Unauthorized"}},
        FeedError(False, "Unauthorized"),
        id="error",
    ),
    pytest.param(
        {"type": "error", "payload": {"message": "Monitor not found"}},
        FeedError(None, "Monitor not found"),
        id="error with a message in place of the reason",
    ),
    pytest.param(
        {"type": "error", "payload": {"error_reason": " ", "message": 5, "error": "Gone"}},
        FeedError(None, "Gone"),
        id="error with a blank reason and a message that is no text",
    ),
    pytest.param({"type": "error"}, FeedError(None, None), id="error without words"),
    pytest.param({"type": "goal_reached", "payload": {"x": 1}}, UnknownFrame("goal_reached"), id="unknown type"),
]


@pytest.mark.parametrize(("message", "read"), MESSAGES)
def test_each_message_is_decoded_the_same_from_json_and_msgpack(message, read):
    assert decode(json.dumps(message)) == read
    assert decode(packed(message["type"], None, message.get("payload"))) == read


def test_a_msgpack_message_may_end_after_its_epoch():
    assert decode(packed("hello", 1)) == Hello(None)


BAD = [
    pytest.param("", "not_json", id="empty text"),
    pytest.param("<html>", "not_json", id="HTML"),
    pytest.param(b'{"type": "hello"', "not_json", id="JSON cut off"),
    pytest.param(b'{"type": "\xff"}', "not_json", id="no UTF-8"),
    pytest.param("[" * 20_000, "not_json", id="nested too deep"),
    pytest.param('{"type": 3}', "no_type", id="a type that is a number"),
    pytest.param('{"type": " "}', "no_type", id="a type of blanks"),
    pytest.param('["hello"]', "no_type", id="a list"),
    pytest.param('{"payload": {"w": 1}}', "no_type", id="no type"),
    pytest.param('{"type": "realtime_update"}', "no_w", id="an update without payload"),
    pytest.param(b"", "not_msgpack", id="empty bytes"),
    pytest.param(packed("hello"), "not_msgpack", id="one object only"),
    pytest.param(packed("realtime_update", 1, {"w": 1})[:-3], "no_w", id="msgpack cut off"),
    pytest.param(b"\xc1\xc1", "not_msgpack", id="no msgpack"),
    pytest.param(b"\xa2\xff\xfe\x01\x80", "not_msgpack", id="text that is no UTF-8"),
    pytest.param(b"\xa1x\x01\x81\x80\x01", "not_msgpack", id="a mapping as a key"),
    pytest.param(b"\xa1x\x01" + b"\x91" * 5000, "not_msgpack", id="msgpack nested too deep"),
    pytest.param(packed(3, 1, {}), "no_type", id="a type that is a number, in msgpack"),
]


@pytest.mark.parametrize(("raw", "kind"), BAD)
def test_a_message_that_cannot_be_decoded_is_a_bad_frame_of_its_kind(raw, kind):
    with pytest.raises(BadFrame) as caught:
        decode(raw)
    assert caught.value.kind == kind


def test_an_error_never_quotes_the_message():
    with pytest.raises(BadFrame) as caught:
        decode('{"type": "x", "payload": {"access_token": "t1.secret"')
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), (False, False), ("True", True), ("FALSE", False), ("yes", None), (1, None), (None, None)],
)
def test_a_boolean_may_come_as_text(value, expected):
    assert read_bool(value) is expected


MOST = MAX_FRAME_ITEMS
TOO_LARGE = [
    pytest.param("[" + "{}," * MOST + "0]", id="empty objects"),
    pytest.param('{"type": "hello", "payload": [' + "0," * MOST + "0]}", id="numbers"),
    pytest.param(b'{"type": "hello", "payload": [' + b"[]," * MOST + b"0]}", id="JSON in a binary message"),
    pytest.param(msgpack.packb("hello") + b"\xc0\xdd" + (MOST + 1).to_bytes(4) + b"\x80" * (MOST + 1), id="mappings"),
    pytest.param(msgpack.packb("hello") + b"\xc0\xdd" + (MOST + 1).to_bytes(4) + b"\x90" * (MOST + 1), id="lists"),
]


@pytest.mark.parametrize("raw", TOO_LARGE)
def test_a_message_that_holds_too_much_is_not_parsed(raw):
    with pytest.raises(BadFrame) as caught:
        decode(raw)
    assert caught.value.kind == "too_large"


def test_a_message_of_500_devices_does_not_hold_too_much():
    devices = [{"id": f"{number:08x}", "w": 1.5, "tags": {f"tag{n}": "x" for n in range(40)}} for number in range(500)]
    payload = {"w": 1.0, "devices": devices}
    for raw in (json.dumps({"type": "realtime_update", "payload": payload}), packed("realtime_update", 1, payload)):
        assert len(decode(raw).devices) == 500
