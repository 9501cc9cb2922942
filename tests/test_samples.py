"""What was recorded from real houses decodes, and obeys the invariants that were found in it.

The recordings lie beside the repository and are never copied into it. The numbers in the names below are those of
their page INVARIANTS.md.
"""

import json
import math
from itertools import pairwise

import msgpack
import pytest

from sense_mqtt.core.changes import Reading
from sense_mqtt.core.home.state import DevicesListed, Home
from sense_mqtt.core.observe import observe
from sense_mqtt.core.publishing.reading_text import payload_of
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.wire.decode import decode
from sense_mqtt.core.wire.devices import VIRTUAL_IDS, read_device_list
from sense_mqtt.core.wire.frames import DataChange, FeedError, Hello, MonitorInfo, RealtimeUpdate, UnknownFrame
from sense_mqtt.core.wire.timeline import read_items
from tests.support.checkout import SAMPLES, skip_unless_in_ci
from tests.support.core.builders import policy

if not SAMPLES.is_dir():
    skip_unless_in_ci("../shared/samples is not there: nothing recorded to compare with", whole_module=True)

RECORDED = ("alexose_2018_ws_capture_19_messages", "brb_2018_ws_realtime_update", *(
    f"wallgauge_2020_ws_realtime_update_{n}" for n in (1, 2)
))  # fmt: skip
FLOAT32_NOISE = 1e-6  # relative


def load(name):
    return json.loads((SAMPLES / f"{name}.json").read_text())


def messages(name):
    """Return the messages of the feed in a recording."""
    content = load(name)
    if isinstance(content, list):
        return content
    return [content.get("data", content)]  # brb wrapped its frame


def payloads(name):
    """Return the payloads of the frames in a recording."""
    return [message["payload"] for message in messages(name) if message["type"] == "realtime_update"]


def frames(name):
    decoded = [decode(json.dumps(message)) for message in messages(name)]
    return [frame for frame in decoded if isinstance(frame, RealtimeUpdate)]


def close(first, second):
    return math.isclose(first, second, rel_tol=FLOAT32_NOISE, abs_tol=1e-3)


def every_frame(test):
    cases = [(name, n) for name in RECORDED for n in range(len(frames(name)))]
    return pytest.mark.parametrize(("name", "number"), cases)(test)


def every_solar_frame(test):
    cases = [(name, 0) for name in RECORDED if name.startswith("wallgauge")]
    return pytest.mark.parametrize(("name", "number"), cases)(test)


def test_every_message_of_the_feed_is_known_and_reads_the_same_in_every_wrapping():
    feed = [path.stem for path in SAMPLES.glob("*.json") if "_ws_" in path.stem or path.stem.startswith("ws_")]
    feed.remove("derived_ws_tou_alert_fragment")  # a piece of a payload, no message
    assert len(feed) >= 11
    for message in (message for name in feed for message in messages(name)):
        decoded = decode(json.dumps(message))
        assert not isinstance(decoded, UnknownFrame)
        assert decode(json.dumps(message, indent=1).encode()) == decoded
        packed = (msgpack.packb(thing) for thing in (message["type"], 0, message.get("payload")))
        in_msgpack = decode(b"".join(packed))
        if not isinstance(decoded, RealtimeUpdate) or decoded.epoch is not None:
            assert in_msgpack == decoded


def test_the_opening_of_2018_reads_as_what_it_is():
    hello, info, change, *rest = (decode(json.dumps(m)) for m in messages("alexose_2018_ws_capture_19_messages"))
    assert hello == Hello(None)
    assert info == MonitorInfo(online=None)
    assert isinstance(change, DataChange)
    assert len(rest) == 16
    assert all(isinstance(frame, RealtimeUpdate) for frame in rest)


def test_a_refused_token_reads_as_unauthorized():
    assert decode(json.dumps(load("ws_error_unauthorized"))) == FeedError(False, "Unauthorized")


# --- the invariants, on what we decode


@every_frame
def test_1_the_first_two_legs_add_up_to_w(name, number):
    frame = frames(name)[number]
    assert close(sum(frame.channels[:2]), frame.w)


@every_solar_frame
def test_2_the_solar_legs_add_up_to_solar_w(name, number):
    frame = frames(name)[number]
    assert len(frame.channels) == 4
    assert close(frame.channels[2] + frame.channels[3], -frame.solar_w)


@every_solar_frame
def test_3_the_display_watts_are_ours_rounded(name, number):
    frame, payload = frames(name)[number], payloads(name)[number]
    assert round(frame.w) == payload["d_w"]
    assert round(frame.solar_w) == payload["d_solar_w"]


@every_solar_frame
def test_4_grid_w_is_what_the_sun_does_not_cover(name, number):
    frame, payload = frames(name)[number], payloads(name)[number]
    assert payload["grid_w"] == math.trunc(frame.w - frame.solar_w)


@every_solar_frame
def test_6_solar_pct_is_the_share_of_the_sun(name, number):
    frame, payload = frames(name)[number], payloads(name)[number]
    assert payload["solar_pct"] == min(100, math.trunc(100 * frame.solar_w / frame.w))


@every_frame
def test_7_in_homes_without_plugs_the_devices_add_up_to_w(name, number):
    frame = frames(name)[number]
    assert not [row for row in frame.new_devices if row.kind == "plug"]
    assert close(sum(draw.w for draw in frame.devices if draw.id != "solar"), frame.w)


@pytest.mark.parametrize(
    "names", [["alexose_2018_ws_capture_19_messages"], list(RECORDED[2:])], ids=["alexose", "wallgauge"]
)
def test_9_frames_come_every_thirty_cycles_and_none_comes_from_the_past(names):
    cycles = [payload["frame"] for name in names for payload in payloads(name)]
    assert {(after - before) % 30 for before, after in pairwise(cycles)} == {0}
    epochs = [frame.epoch for name in names for frame in frames(name)]
    assert epochs == sorted(epochs)


@every_frame
def test_11_an_epoch_is_a_whole_second_shortly_before_the_server_had_it(name, number):
    frame, payload = frames(name)[number], payloads(name)[number]
    assert frame.epoch == int(frame.epoch)
    assert 0.5 < payload["_stats"]["brcv"] - frame.epoch < 15


@every_frame
def test_every_frame_lists_always_on_and_unknown_and_is_evidence(name, number):
    virtual = {row.id for row in frames(name)[number].new_devices if row.kind == "virtual"}
    assert {"always_on", "unknown"} <= virtual


# --- what becomes of them


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_house_is_reported_as_it_was_measured(name):
    home, told = Home(monitor=7), {}
    for number, frame in enumerate(frames(name)):
        now = Moment(frame.epoch + 1, 100.0 * number)  # slow enough for each reading to be due
        home, changes = observe(home, frame, now, policy())
        told |= {(c.device, c.key): payload_of(c) for c in changes if isinstance(c, Reading)}
        assert float(told[None, "power"]) == round(frame.w, 1)
        for draw in frame.devices:
            if draw.id not in VIRTUAL_IDS:
                assert told[draw.id, "state"] == "ON"
                assert float(told[draw.id, "power"]) == round(draw.w, 1)
    assert ((None, "solar_power") in told) == name.startswith("wallgauge")


def test_a_plug_at_standby_is_off_with_its_watts_and_always_on_is_net_of_the_plugs():
    frame = decode(json.dumps(load("made_ws_realtime_update_plugs")))
    home, _ = observe(Home(monitor=7), frame, Moment(frame.epoch, 0.0), policy())
    plugs = {device.name: (device.is_on, device.info.kind) for device in home.devices.values() if not device.is_virtual}
    assert plugs == {"Dryer": (True, "detected"), "Garage Refrigerator": (True, "plug"), "TV": (False, "plug")}
    assert home.devices["always_on"].power_w == 431.0 - sum(draw.always_on_w or 0 for draw in frame.devices)


LISTS = [("brb_2018_devices", ["Microwave", "Washer"]), ("gist_2017_devices", ["Unnamed motor 2"])]


@pytest.mark.parametrize(("name", "names"), LISTS)
def test_recorded_lists_are_read_whole(name, names):
    rows = read_device_list(load(name))
    assert [row.name for row in rows] == names  # two rows of brb were published under one id
    home, _ = observe(Home(monitor=7), DevicesListed(rows), Moment(0.0, 0.0), policy())
    assert set(home.devices) == {row.id for row in rows if row.visible}


def test_the_recorded_timeline_holds_both_edges_of_each_run():
    edges = read_items(load("brb_2018_timeline")["items"])
    assert [edge.time for edge in edges] == sorted(edge.time for edge in edges)
    heater = [edge for edge in edges if edge.device == "bdee9e9a"]
    assert {edge.kind for edge in heater} == {"turned_on", "turned_off"}
    assert len(edges) == len({(edge.device, edge.kind, edge.time) for edge in edges})
