"""Sense's messages, made into typed frames."""

import json
from dataclasses import replace

import msgpack
import pytest

from sense_mqtt.core.bounds import MAX_FRAME_ITEMS
from sense_mqtt.core.edges import EdgeKind, timeline_edge
from sense_mqtt.core.wire.devices import DeviceInfo, DevicePower
from sense_mqtt.core.wire.frames import (
    DataChange,
    DeviceStates,
    FeedError,
    Hello,
    MonitorInfo,
    RealtimeUpdate,
    TimelineChange,
    Unknown,
    decode,
    read_bool,
    read_update,
)
from sense_mqtt.errors import BadFrame

FULL = {
    "w": 2766.13,
    "epoch": 1795000000,
    "channels": [2687.87, 78.26],
    "voltage": [120.1, 121.2],
    "hz": 59.98,
    "solar_w": 900.5,
    "solar_pct": 32,
    "grid_w": 1865,
    "devices": [{"id": "unknown", "name": "Other", "w": 50, "tags": {"UserDeviceType": "Unknown"}}],
}
READ = RealtimeUpdate(
    w=2766.13,
    epoch=1795000000.0,
    devices=(DevicePower("unknown", "Other", 50.0),),
    new_devices=(DeviceInfo("unknown", "Other", type="Unknown", kind="virtual"),),
    channels=(2687.87, 78.26),
    voltage=(120.1, 121.2),
    hz=59.98,
    solar_w=900.5,
    solar_pct=32.0,
    grid_w=1865.0,
)


def packed(*objects):
    return b"".join(msgpack.packb(thing) for thing in objects)


ENVELOPES = [
    pytest.param(json.dumps({"type": "realtime_update", "payload": FULL}), id="text holding JSON"),
    pytest.param(json.dumps({"payload": FULL, "type": "realtime_update"}).encode(), id="bytes holding JSON"),
    pytest.param(b'\n {"type": "RealtimeUpdate", "payload": %s}' % json.dumps(FULL).encode(), id="blanks before JSON"),
    pytest.param(packed("realtime_update", 1.0, FULL), id="three msgpack objects"),
]


@pytest.mark.parametrize("raw", ENVELOPES)
def test_a_frame_reads_the_same_however_it_is_wrapped(raw):
    assert decode(raw) == READ


def test_a_frame_needs_nothing_but_w():
    assert decode('{"type": "realtime_update", "payload": {"w": 12}}') == RealtimeUpdate(w=12.0)


@pytest.mark.parametrize("raw", ENVELOPES)
def test_of_known_devices_a_frame_is_read_without_what_they_are(raw):
    assert decode(raw, {"unknown"}) == replace(READ, new_devices=())
    assert decode(raw, {"somebody else"}) == READ


EPOCHS = [
    pytest.param({"epoch": 1795000000}, 5, 1795000000.0, id="the payload's wins"),
    pytest.param({}, 1795000001, 1795000001.0, id="the envelope's where the payload has none"),
    pytest.param({}, 1795000001500, 1795000001.5, id="milliseconds are told by their size"),
    pytest.param({"epoch": "1795000000"}, None, None, id="text is no epoch"),
    pytest.param({}, msgpack.Timestamp(5), None, id="msgpack's own timestamp is none of ours"),
]


@pytest.mark.parametrize(("fields", "envelope", "read"), EPOCHS)
def test_the_time_of_a_frame(fields, envelope, read):
    update = decode(packed("realtime_update", envelope, {"w": 1, **fields}))
    assert update.epoch == read


WRONG = ["60", None, True, [], {}, float("nan"), float("inf"), float("-inf"), 10**400, -(10**400), 1e15]
IMPOSSIBLE_W = [10_000_001, -10_000_001.0, 4294967296, 1e14]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
@pytest.mark.parametrize("field", ["hz", "solar_w", "solar_pct", "grid_w", "epoch", "voltage", "channels", "devices"])
def test_a_field_of_the_wrong_type_is_absent(field, wrong):
    assert getattr(read_update({"w": 1, field: wrong}), field) == getattr(RealtimeUpdate(w=1.0), field)


IMPOSSIBLE = [
    *(pytest.param({field: w}, id=f"{field} {w}") for field in ("solar_w", "grid_w") for w in IMPOSSIBLE_W),
    *(pytest.param({"channels": [w, 1.0]}, id=f"leg of {w} W") for w in IMPOSSIBLE_W),
    pytest.param({"aux": {"solar": [-9e6, -9e6]}}, id="legs of the sun whose sum no house has"),
    pytest.param({"aux": {"solar": [-1e8]}}, id="a leg of the sun that no house has"),
    *(pytest.param({"voltage": [volts, 120.0]}, id=f"{volts} V") for volts in (1000.5, -120.0, 1e14)),
    *(pytest.param({"hz": hertz}, id=f"{hertz} Hz") for hertz in (1000.5, -60.0, 1e14)),
]


@pytest.mark.parametrize("fields", IMPOSSIBLE)
def test_what_no_house_can_have_is_no_reading(fields):
    assert read_update({"w": 1, **fields}) == RealtimeUpdate(w=1.0)


def test_the_most_that_is_a_reading():
    most = {"w": 10e6, "solar_w": 10e6, "grid_w": -10e6, "channels": [-10e6], "voltage": [1000.0], "hz": 1000.0}
    read = RealtimeUpdate(10e6, channels=(-10e6,), voltage=(1000.0,), hz=1000.0, solar_w=10e6, grid_w=-10e6)
    assert read_update(most) == read


@pytest.mark.parametrize(("told", "w"), [(-0.04, 0.0), (-3.7, 0.0), (-10e6, 0.0), (0, 0.0), (0.04, 0.04)])
def test_a_house_never_consumes_less_than_nothing(told, w):
    assert read_update({"w": told}).w == w


@pytest.mark.parametrize("wrong", [*WRONG, *IMPOSSIBLE_W], ids=str)
def test_a_frame_without_a_believable_w_is_bad(wrong):
    with pytest.raises(BadFrame) as caught:
        read_update({"w": wrong})
    assert caught.value.kind == "no_w"


def test_a_leg_that_cannot_be_read_does_not_move_the_next_one_into_its_place():
    assert read_update({"w": 1, "channels": [10, "x", 20]}).channels == (10.0,)
    assert read_update({"w": 1, "voltage": [None, 120]}).voltage == ()


SOLAR = [
    pytest.param({"solar_w": 10, "aux": {"solar": [-1, -2]}}, 10.0, id="told"),
    pytest.param({"aux": {"solar": [-401.5, -400]}}, 801.5, id="from its legs"),
    pytest.param({"aux": {"solar": []}}, None, id="no legs"),
    pytest.param({"aux": [1]}, None, id="no mapping"),
]


@pytest.mark.parametrize(("fields", "solar_w"), SOLAR)
def test_solar_watts(fields, solar_w):
    assert read_update({"w": 1, **fields}).solar_w == solar_w


ITEM = {"type": "DeviceOn", "device_id": "a", "time": "2026-11-21T00:00:00Z", "guid": "g"}
EDGE = timeline_edge("a", EdgeKind.TURNED_ON, 1795219200.0, "g")
MESSAGES = [
    pytest.param({"type": "hello"}, Hello(None), id="hello of 2018 without payload"),
    pytest.param({"type": "hello", "payload": {"online": False}}, Hello(False), id="hello, offline"),
    pytest.param({"type": "hello", "payload": {"online": "false"}}, Hello(False), id="hello, offline in text"),
    pytest.param({"type": "hello", "payload": ["x"]}, Hello(None), id="hello with a payload of the wrong type"),
    pytest.param(
        {"type": "MonitorInfo", "payload": {"features": "NDI,SSI", "online": True}},
        MonitorInfo("NDI,SSI", online=True),
        id="monitor info in the camel case of 2018",
    ),
    pytest.param({"type": "monitor_info", "payload": {"features": 3}}, MonitorInfo(None, None), id="features no text"),
    pytest.param(
        {
            "type": "DataChange",
            "payload": {
                "device_data_checksum": "0A1B",
                "pending_events": {"new_device_found": {"device_id": "fe99196e"}},
            },
        },
        DataChange("0A1B", "fe99196e"),
        id="data change",
    ),
    pytest.param({"type": "data_change", "payload": {"pending_events": []}}, DataChange(None, None), id="no events"),
    pytest.param(
        {"type": "device_states", "payload": {"update_type": "full"}}, DeviceStates("full"), id="device states"
    ),
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
    pytest.param({"type": "goal_reached", "payload": {"x": 1}}, Unknown("goal_reached"), id="unknown type"),
]


@pytest.mark.parametrize(("message", "read"), MESSAGES)
def test_the_other_messages(message, read):
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
def test_what_cannot_be_understood_is_a_bad_frame_of_its_kind(raw, kind):
    with pytest.raises(BadFrame) as caught:
        decode(raw)
    assert caught.value.kind == kind


def test_an_error_never_quotes_the_message():
    with pytest.raises(BadFrame) as caught:
        decode('{"type": "x", "payload": {"access_token": "t1.secret"')
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "claimed"),
    [(True, True), (False, False), ("True", True), ("FALSE", False), ("yes", None), (1, None), (None, None)],
)
def test_claims_may_come_as_text(value, claimed):
    assert read_bool(value) is claimed


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
    packed = b"".join(map(msgpack.packb, ("realtime_update", 1, payload)))
    for raw in (json.dumps({"type": "realtime_update", "payload": payload}), packed):
        assert len(decode(raw).devices) == 500
