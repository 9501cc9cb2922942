"""Frames of the simulated houses fit together as those of recorded frames do."""

import itertools
import json
import math

import pytest

from sense_mqtt.simulator.house.builtin import BuiltInHouse, RandomHouse
from sense_mqtt.simulator.payloads.devices import device_list
from sense_mqtt.simulator.payloads.frames import FrameMaker
from tests.support.simulator.measured_home import measured_home

CENTS = 16.5


HOUSES = {
    "built-in": lambda _folder: BuiltInHouse(7),
    "random": lambda _folder: RandomHouse(25, 7),
    "measured": lambda folder: measured_home(folder, 24),
}


@pytest.fixture(scope="module", params=HOUSES)
def frames(request, tmp_path_factory):
    house = HOUSES[request.param](tmp_path_factory.mktemp("house"))
    maker = FrameMaker(house)
    return [maker.realtime(house.begins + 60 + 245.0 * number) for number in range(350)]


def real_w(frame):
    return sum(row["w"] for row in frame["devices"] if row["id"] != "solar")


def test_two_legs_sum_to_w(frames):
    assert all(sum(frame["channels"]) == frame["w"] for frame in frames)
    assert all(len(frame["channels"]) == 2 for frame in frames)


def test_solar_legs_are_negative_and_sum_to_solar(frames):
    assert all(-sum(frame["aux"]["solar"]) == frame["solar_w"] for frame in frames if "aux" in frame)


def test_display_watts_are_rounded(frames):
    assert all(frame["d_w"] == round(frame["w"]) for frame in frames)
    assert all(frame["d_solar_w"] == round(frame["solar_w"]) for frame in frames if "solar_w" in frame)


def test_grid_is_what_the_sun_leaves(frames):
    assert all(frame["grid_w"] == math.trunc(frame["w"] - frame.get("solar_w", 0.0)) for frame in frames)


def test_c_is_cents_per_hour(frames):
    for frame in frames:
        assert frame["c"] == math.trunc(frame["w"] / 1000 * CENTS)
        assert frame["defaultCost"] == CENTS
        assert all(row["c"] == math.trunc(row["w"] / 1000 * CENTS) for row in frame["devices"])


def test_solar_share_is_cut_at_100(frames):
    for frame in frames:
        if frame.get("solar_w", 0) > 0:
            assert frame["solar_pct"] == min(100, math.trunc(100 * frame["solar_w"] / frame["w"]))


def test_devices_sum_to_w_but_for_the_plugs_share(frames):
    assert all(real_w(frame) - sum(row.get("ao_w", 0.0) for row in frame["devices"]) == frame["w"] for frame in frames)
    assert all(row["w"] >= 0 for frame in frames for row in frame["devices"] if row["id"] != "solar")


def test_rows_descend_with_always_on_at_its_net_watts(frames):
    for frame in frames:
        shared_w = sum(row.get("ao_w", 0.0) for row in frame["devices"])
        ranks = [row["w"] - (shared_w if row["id"] == "always_on" else 0.0) for row in frame["devices"]]
        assert ranks == sorted(ranks, reverse=True)


def test_thirty_cycles_every_half_second():
    house = BuiltInHouse(1)
    maker = FrameMaker(house)
    cycles = [maker.realtime(house.begins + number / 2)["frame"] for number in range(200)]
    assert {later - earlier for earlier, later in itertools.pairwise(cycles)} == {30}


def test_a_detected_heater_is_constant_while_it_is_on():
    house = BuiltInHouse(1)
    maker = FrameMaker(house)
    on = next(item for item in house.transitions(house.begins, house.begins + 86_400) if item.device == "e2b8190c")
    shown = [
        row["w"]
        for second in range(1, 60)
        for row in maker.realtime(on.at + second)["devices"]
        if row["id"] == "e2b8190c"
    ]
    assert len(shown) == 59
    assert len(set(shown)) == 1


def test_epoch_is_a_whole_second_received_a_little_later(frames):
    for frame in frames:
        assert isinstance(frame["epoch"], int)
        assert 1.0 < frame["_stats"]["brcv"] - frame["epoch"] < 8.6
        assert frame["_stats"]["brcv"] < frame["_stats"]["mrcv"] < frame["_stats"]["msnd"]


def test_a_step_is_reported_ten_and_a_half_seconds_late():
    house = BuiltInHouse(1)
    maker = FrameMaker(house)
    on = next(item for item in house.transitions(house.begins, house.begins + 86_400) if item.device == "e2b8190c")
    at = math.ceil((on.at + 10.5) * 2) / 2
    delta = maker.realtime(at)["deltas"][0]
    assert delta["w"] > 5000
    assert 630 <= maker.cycle(at) - delta["frame"] <= 660


def test_pseudo_devices_are_always_listed(frames):
    for frame in frames:
        expected = {"always_on", "unknown"} | ({"solar"} if "solar_w" in frame else set())
        assert expected <= {row["id"] for row in frame["devices"]}


def test_tags_are_repeated_in_each_frame_with_text_for_booleans(frames):
    texts = [value for frame in frames[:50] for row in frame["devices"] for value in row["tags"].values()]
    assert True not in texts
    assert "true" in texts
    assert all(isinstance(row["attrs"], list) for frame in frames for row in frame["devices"])


def test_frames_are_plain_json(frames):
    for frame in frames:
        assert json.loads(json.dumps(frame, allow_nan=False)) == frame


def test_a_polled_frame_has_neither_epoch_nor_costs_of_devices():
    house = BuiltInHouse(1)
    payload = FrameMaker(house).polled(house.begins)
    assert not {"epoch", "_stats"} & payload.keys()
    assert not any("c" in row for row in payload["devices"])


def test_an_idle_plug_says_so():
    house = BuiltInHouse(1)
    rows = FrameMaker(house).realtime(house.begins)["devices"]
    assert [row["attrs"] for row in rows if row["id"] == "ssi-f04ce1"] == [["Idle"]]
    assert all({"sd", "ao_w", "ao_st"} <= row.keys() for row in rows if row["tags"].get("SSIEnabled") == "true")


def test_the_list_of_devices_holds_what_a_client_must_leave_out():
    house = BuiltInHouse(1)
    rows = {row["id"]: row for row in device_list(house.devices, solar=True, include_merged=True)}
    plain = {row["id"] for row in device_list(house.devices, solar=True, include_merged=False)}
    parent = rows["k7QmZr2T"]
    children = parent["tags"]["MergedDevices"].split(",")
    assert [rows[child]["tags"]["MergeId"] for child in children] == ["k7QmZr2T", "k7QmZr2T"]
    assert not set(children) & plain
    assert rows["55c1d07e"]["tags"]["DeviceListAllowed"] == "false"
    assert rows["solar"]["tags"]["DeviceListAllowed"] == "false"
    assert any(name.startswith("pd-") for name in rows)
    assert {device.id for device in house.devices} <= plain
