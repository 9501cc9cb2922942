"""Devices that Sense merges, splits, renames and gives new ids: what is shown, what happens, and where energy stays."""

from zoneinfo import ZoneInfo

import pytest

from sense_mqtt.simulator.house.builtin import BEGINS, BuiltInHouse
from sense_mqtt.simulator.house.model import Device, TrueTransition
from sense_mqtt.simulator.house.relabelled import RelabelledHouse
from sense_mqtt.simulator.house.stepped import SLOT_S, SteadyHouse, SteppedHouse
from sense_mqtt.simulator.payloads.devices import device_list
from sense_mqtt.simulator.payloads.frames import FrameMaker
from sense_mqtt.simulator.payloads.history import History
from sense_mqtt.simulator.payloads.timeline import Timeline
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.simulator.simulated_client import Client, read

KETTLE, MICROWAVE, PLUG = "b4093e1d", "88d6f27b", "X4pTw8Lc"
KITCHEN = Device("Qm3ZrT7a", "Kitchen", merged=(KETTLE, MICROWAVE))
NOON = BEGINS + 12 * 3600.0
DAY_S = 86_400.0
BUILT_IN = BuiltInHouse(1)  # what is drawn of a house is kept: one for all tests, which wrap it
STEPPED = SteppedHouse(BUILT_IN)


@pytest.fixture
def house():
    return RelabelledHouse(BUILT_IN)


def ids(house):
    return {device.id for device in house.devices}


def listed(house, since, until):
    """Return the ids that are ever listed in between."""
    seconds = range(int(since), int(until), 60)
    return {each.device.id for at in seconds for each in house.power_at(at).devices}


def test_merged_devices_are_shown_as_one_from_then_on_and_draw_what_both_drew(house):
    house.merge(NOON, KITCHEN)
    assert KITCHEN.id in ids(house)
    assert not {KETTLE, MICROWAVE} & ids(house)
    assert listed(house, BEGINS, NOON) & {KETTLE, MICROWAVE}
    assert not listed(house, NOON, NOON + DAY_S) & {KETTLE, MICROWAVE}
    unmerged = BUILT_IN
    for at in range(int(NOON), int(NOON + DAY_S), 600):
        assert house.power_at(at).w == pytest.approx(unmerged.power_at(at).w)


def test_a_merge_switches_nothing(house):
    [run] = [each for each in house.transitions(BEGINS, NOON) if each.device == KETTLE and each.kind == "turned_on"][
        -1:
    ]
    middle = run.at + 1.0
    house.merge(middle, KITCHEN)
    assert house.switch_schedule.step(KITCHEN.id, middle).state == "on"
    assert [each for each in house.transitions(middle - 0.5, middle + 0.5) if each.device in (KETTLE, KITCHEN.id)] == []
    [end] = [each for each in house.transitions(middle, middle + 3600) if each.device == KITCHEN.id][:1]
    assert end.kind == "turned_off"


def test_the_children_are_in_the_list_where_they_are_asked_for(house):
    house.merge(NOON, KITCHEN)
    rows = {row["id"]: row["tags"] for row in device_list(house.devices, solar=True, include_merged=True)}
    assert rows[KITCHEN.id]["MergedDevices"] == f"{KETTLE},{MICROWAVE}"
    assert rows[KETTLE]["MergeId"] == KITCHEN.id
    assert KETTLE not in {row["id"] for row in device_list(house.devices, solar=True, include_merged=False)}


def test_split_devices_are_shown_by_themselves_again(house):
    house.merge(NOON, KITCHEN)
    house.split(NOON + 3600, KITCHEN.id)
    assert ids(house) == ids(BUILT_IN)


def test_a_plug_with_a_new_id_keeps_its_duid_and_its_frames_go_on(house):
    house.change_id(NOON, PLUG, "4xANDCuJ")
    before, after = (
        {row["id"]: row for row in FrameMaker(each).realtime(NOON)["devices"]} for each in (BUILT_IN, house)
    )
    assert after["4xANDCuJ"]["tags"]["DUID"] == before[PLUG]["tags"]["DUID"]
    assert after["4xANDCuJ"]["w"] == before[PLUG]["w"]
    assert house.transitions(NOON + 1, NOON + DAY_S) == [
        TrueTransition("4xANDCuJ" if each.device == PLUG else each.device, each.kind, each.at)
        for each in BUILT_IN.transitions(NOON + 1, NOON + DAY_S)
    ]


def test_a_renamed_device_has_its_new_name_in_frames(house):
    maker = FrameMaker(house)
    maker.realtime(NOON)
    house.rename(NOON, PLUG, "Television")
    assert "Television" in {row["name"] for row in maker.realtime(NOON)["devices"]}


def test_the_energy_of_the_past_stays_with_the_old_id():
    house = RelabelledHouse(STEPPED)
    house.change_id(NOON, PLUG, "4xANDCuJ")
    usage = History(house, ZoneInfo("America/New_York")).usage("DAY", NOON, BEGINS + DAY_S + 600)
    hours = {row["id"]: row["consumption"]["usage_breakdown_kwh"] for row in usage["device_breakdown"]}
    assert sum(hours[PLUG][12:]) == 0.0
    assert sum(hours["4xANDCuJ"][:12]) == 0.0
    assert sum(hours[PLUG]) > 0.0 < sum(hours["4xANDCuJ"])


def test_the_timeline_tells_of_the_past_with_the_devices_of_then(house):
    house.merge(NOON, KITCHEN)
    house.change_id(NOON, PLUG, "4xANDCuJ")
    timeline = Timeline(house, 900_101, 900_201)
    told = {(item["device_id"], item["body"].split()[0]) for item in timeline.page(BEGINS + DAY_S, 1000)["items"]}
    assert told >= {(KETTLE, "Kettle"), (MICROWAVE, "Microwave"), (KITCHEN.id, "Kitchen")}
    assert told >= {(PLUG, "TV"), ("4xANDCuJ", "TV")}


def test_who_names_a_device_that_is_not_shown_is_told(house):
    with pytest.raises(ValueError, match="no such device"):
        house.rename(NOON, "zzz", "Nobody")


def test_the_history_of_a_stepped_house_is_the_exact_sum_of_its_watts():
    house = STEPPED
    usage = History(house, ZoneInfo("America/New_York")).usage("DAY", BEGINS, BEGINS + DAY_S + 600)
    kwh = sum(house.power_at(BEGINS + SLOT_S * number + 29.0).w for number in range(int(DAY_S / SLOT_S))) * SLOT_S
    assert usage["consumption"]["usage_total_kwh"] == pytest.approx(kwh / 3_600_000, rel=1e-9)
    assert all(each.at % SLOT_S == 0 for each in house.transitions(BEGINS, BEGINS + DAY_S))


def test_the_history_counts_a_run_that_is_shorter_than_a_sample_for_as_long_as_it_was():
    house, pump = SteadyHouse(BUILT_IN), "5d20e8b3"
    usage = History(house, ZoneInfo("America/New_York")).usage("DAY", BEGINS, BEGINS + DAY_S + 600)
    [told] = [row["consumption"]["usage_total_kwh"] for row in usage["device_breakdown"] if row["id"] == pump]
    switched = [each for each in house.transitions(BEGINS, BEGINS + DAY_S) if each.device == pump]
    runs = [
        house.switch_schedule.step(pump, on.at).w * (off.at - on.at) / 3_600_000
        for on, off in zip(switched[::2], switched[1::2], strict=True)
    ]
    assert len(runs) > 50
    assert told == pytest.approx(sum(runs), rel=1e-3)  # the motor's watts vary


@pytest.fixture
def cloud(socket_enabled):  # noqa: ARG001 - it listens
    house = RelabelledHouse(BUILT_IN)
    with SimulatedCloud(house, clock_mode="manual", cycle_day=3, unfinished="absent") as cloud:
        yield cloud


def test_the_cloud_announces_other_devices_with_another_checksum(cloud):
    client = Client(cloud)
    client.log_in()
    socket = client.listen()
    [before] = [payload for kind, payload in (read(socket) for _ in range(5)) if kind == "data_change"]
    cloud.house.merge(cloud.now, KITCHEN)
    cloud.announce_devices()
    kind, after = read(socket)
    assert kind == "data_change"
    overview = client.get("app/monitors/900101/devices/overview", include_merged="true").json()
    assert after["device_data_checksum"] == overview["device_data_checksum"] != before["device_data_checksum"]


def test_merged_children_may_vanish_from_the_list(cloud):
    client = Client(cloud)
    client.log_in()
    cloud.house.merge(cloud.now, KITCHEN)
    listed = [client.get("app/monitors/900101/devices", include_merged="true").json()]
    cloud.faults.hides_merged_devices = True
    listed.append(client.get("app/monitors/900101/devices", include_merged="true").json())
    assert [KETTLE in {row["id"] for row in rows} for rows in listed] == [True, False]


def test_the_account_tells_its_billing_cycle_and_its_history_keeps_to_it(cloud):
    client = Client(cloud)
    assert client.log_in()["monitors"][0]["attributes"]["cycle_start"] == 3
    usage = client.get("app/monitors/900101/history/usage", scale="CYCLE", start="2026-06-16T12:00:00").json()
    assert usage["start"] == "2026-06-03T04:00:00.000Z"
