"""Frames of the house, decoded."""

import json

import msgpack
import pytest
from msgspec.structs import replace

from sense_mqtt.core.wire.decode import decode
from sense_mqtt.core.wire.devices import DeviceInfo, DevicePower
from sense_mqtt.core.wire.frames import (
    RealtimeUpdate,
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
@pytest.mark.parametrize("field", ["hz", "solar_w", "epoch", "voltage", "channels", "devices"])
def test_a_field_of_the_wrong_type_is_absent(field, wrong):
    assert getattr(read_update({"w": 1, field: wrong}), field) == getattr(RealtimeUpdate(w=1.0), field)


IMPOSSIBLE = [
    *(pytest.param({"solar_w": w}, id=f"solar_w {w}") for w in IMPOSSIBLE_W),
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
    most = {"w": 10e6, "solar_w": 10e6, "channels": [-10e6], "voltage": [1000.0], "hz": 1000.0}
    read = RealtimeUpdate(10e6, channels=(-10e6,), voltage=(1000.0,), hz=1000.0, solar_w=10e6)
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
    pytest.param({"solar_w": -7}, 0.0, id="below 0 at night"),
    pytest.param({"aux": {"solar": [3.5, 3.5]}}, 0.0, id="from legs that draw at night"),
    pytest.param({"aux": {"solar": []}}, None, id="no legs"),
    pytest.param({"aux": [1]}, None, id="no mapping"),
]


@pytest.mark.parametrize(("fields", "solar_w"), SOLAR)
def test_solar_watts(fields, solar_w):
    assert read_update({"w": 1, **fields}).solar_w == solar_w
