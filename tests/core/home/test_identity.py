"""A device stays itself: merged, split again, added again under a new id. The table: docs/identity.md."""

import json

import pytest

from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.edges import EdgeKind, timeline_edge
from sense_mqtt.core.home.snapshot import restore, snapshot
from sense_mqtt.core.home.timeline_events import TimelineRead
from tests.support.core.builders import (
    HOME,
    START,
    events,
    frame,
    house_events,
    introduced,
    listed,
    names,
    policy,
    run,
    withdrawn,
)
from tests.support.core.merges import FAN, FORMS, NAMING, OTHER_DEVICE, PARENT, PUMP, VANISHED, VIRTUAL, two_motors

# --- merged


@pytest.mark.parametrize(("merge", "own"), FORMS)
@pytest.mark.parametrize("on", [(FAN,), (PUMP,), (FAN, PUMP)], ids=["the first on", "the second on", "both on"])
def test_a_merge_tells_no_transition_and_the_merged_device_goes_on_as_the_first(merge, own, on):
    home, changes = run(two_motors(*on), (3, merge), (4, frame(*on, at=4)), (5, frame(PARENT, at=5)))
    other = {"aaaa1111": "bbbb2222", "bbbb2222": "aaaa1111"}[own]
    assert [event for event in events(changes) if event[0]] == []
    assert sorted(house_events(changes)) == sorted(
        [
            ("device_merged", own, own, "Air conditioner", "Parent01"),
            ("device_merged", other, own, "Air conditioner", "Parent01"),
            ("device_renamed", own, {"aaaa1111": "Motor 1", "bbbb2222": "Motor 2"}[own]),
        ]
    )
    assert withdrawn(changes) == [other]
    assert sorted(home.devices) == sorted([own, "cccc3333", "always_on", "unknown"])
    assert home.devices[own].is_on is True
    assert home.devices[own].power_w == 300.0
    assert names(changes)[own] == "Air conditioner"
    assert "Parent01" not in introduced(changes)


@pytest.mark.parametrize(("merge", "own"), FORMS)
def test_a_merged_device_turns_off_and_on_as_one(merge, own):
    seen = [(4, frame(PARENT, at=4)), (5, frame(at=5)), (6, frame(PARENT, at=6)), (7, merge), (8, frame(at=8))]
    _, changes = run(two_motors(FAN, PUMP), (3, merge), *seen)
    assert [event for event in events(changes) if event[0]] == [
        (own, "turned_off", 5),
        (own, "turned_on", 6),
        (own, "turned_off", 8),
    ]
    assert len([event for event in house_events(changes) if event[0] == "device_merged"]) == 2


def test_the_merged_device_takes_the_place_of_the_one_whose_name_it_has():
    named = {**VIRTUAL, "name": "Motor 2"}
    home, changes = run(two_motors(), (3, listed(OTHER_DEVICE, named)))
    assert "bbbb2222" in home.devices
    assert ("device_renamed", "bbbb2222", "Motor 2") not in house_events(changes)


def test_a_device_that_two_others_claim_to_hold_belongs_to_the_first_of_them():
    second = {"id": "cccc3333", "name": "Oven", "tags": {"MergedDevices": "bbbb2222"}}
    home, _ = run(two_motors(), (3, listed(VIRTUAL, second)))
    assert home.identities.parents == {"bbbb2222": "aaaa1111"}
    assert {"aaaa1111", "cccc3333"} <= home.devices.keys()
    assert not {"bbbb2222", "Parent01"} & home.devices.keys()


def test_a_merge_that_a_frame_reports_of_first_is_no_transition_either():
    home, changes = run(two_motors(FAN, PUMP), (3, frame(VIRTUAL, at=3)), (4, frame(VIRTUAL, at=4)), (5, VANISHED))
    assert [event for event in events(changes) if event[0]] == []
    assert [event[0] for event in house_events(changes)] == ["device_merged", "device_merged", "device_renamed"]
    assert home.devices["aaaa1111"].is_on is True
    assert names(changes)["aaaa1111"] == "Air conditioner"


def test_a_parent_that_frames_showed_before_the_list_reported_of_the_merge_is_no_second_device():
    home, changes = run(two_motors(), (3, frame(PARENT, at=3)), (4, VANISHED), (5, frame(PARENT, at=5)))
    assert withdrawn(changes) == ["Parent01", "bbbb2222"]
    assert sorted(home.devices) == ["aaaa1111", "always_on", "cccc3333", "unknown"]
    assert home.devices["aaaa1111"].is_on is True


def test_a_device_that_is_merged_into_a_known_one_is_part_of_it_from_then_on():
    home, _ = run(HOME, (0, frame()), (1, listed(FAN, PUMP, PARENT)), (2, frame(FAN, at=2)))
    home, changes = run(
        home, (3, listed(PUMP, {**VIRTUAL, "tags": {"MergedDevices": "aaaa1111"}})), (4, frame(PARENT, at=4))
    )
    assert events(changes) == [(None, "device_merged", 3)]
    assert withdrawn(changes) == ["aaaa1111"]
    assert home.devices["Parent01"].is_on is True
    assert home.devices["bbbb2222"].is_on is False


def test_a_merged_device_that_is_merged_once_more_stays_itself():
    both = {"id": "Parent02", "name": "Everything", "tags": {"MergedDevices": "Parent01,cccc3333"}}
    home, changes = run(two_motors(FAN), (3, VANISHED), (4, listed(both)), (5, frame({**both, "w": 1.0}, at=5)))
    assert sorted(home.devices) == ["aaaa1111", "always_on", "unknown"]
    assert [event for event in events(changes) if event[0]] == []
    assert home.identities.sense_id_of("aaaa1111") == "Parent02"


def test_a_home_that_is_first_seen_merged_has_the_parent_alone():
    for merged in (VANISHED, NAMING):
        home, changes = run(HOME, (0, frame(PARENT)), (1, merged), (2, frame(PARENT, at=2)))
        assert sorted(home.devices) == ["Parent01", "always_on", "cccc3333", "unknown"]
        assert house_events(changes) == []


def test_an_ignored_parent_takes_its_children_with_it():
    ignoring = policy({"Parent01": DeviceRules(ignore=True)})
    home, changes = run(two_motors(FAN), (3, VANISHED), (4, frame(PARENT, at=4)), wanted=ignoring)
    assert sorted(withdrawn(changes)) == ["aaaa1111", "bbbb2222"]
    assert sorted(home.devices) == ["always_on", "cccc3333", "unknown"]


def test_what_the_timeline_reports_of_before_a_merge_is_no_event_of_the_merged_device():
    run_of_parts = [timeline_edge(device, EdgeKind.TURNED_ON, START + 90) for device in ("bbbb2222", "Parent01")]
    home, _ = run(two_motors(), (100, VANISHED))
    _, changes = run(home, (150, TimelineRead(tuple(run_of_parts))), (151, frame(PARENT, at=151)))
    assert events(changes) == [("aaaa1111", "turned_on", 151)]


def test_a_merge_survives_a_restart():
    home, _ = run(two_motors(FAN), (3, VANISHED), (4, frame(PARENT, at=4)))
    again = restore(7, json.loads(json.dumps(snapshot(home))), policy())
    assert again.identities == home.identities
    home, changes = run(again, (60, frame(PARENT, at=60)), (61, VANISHED), (62, frame(at=62)))
    assert events(changes) == [("aaaa1111", "turned_off", 62)]


# --- split again


SPLIT = listed(FAN, PUMP, OTHER_DEVICE)


@pytest.mark.parametrize(("merge", "own"), FORMS)
@pytest.mark.parametrize("on", [(), (FAN,), (PUMP,), (FAN, PUMP)], ids=["none on", "first", "second", "both"])
def test_a_split_tells_no_transition_and_each_device_is_itself_again(merge, own, on):
    merged, _ = run(two_motors(*on), (3, merge), (4, frame(*[PARENT] * bool(on), at=4)))
    home, changes = run(merged, (5, frame(*on, at=5)), (6, SPLIT), (7, frame(*on, at=7)))
    other = {"aaaa1111": "bbbb2222", "bbbb2222": "aaaa1111"}[own]
    assert [event for event in events(changes) if event[0]] == []
    assert house_events(changes) == [
        ("device_found", other),
        ("device_renamed", own, "Air conditioner"),
    ]
    assert withdrawn(changes) == []
    assert {identity: home.devices[identity].is_on for identity in ("aaaa1111", "bbbb2222")} == {
        "aaaa1111": FAN in on,
        "bbbb2222": PUMP in on,
    }
    _, changes = run(home, (8, frame(FAN, PUMP, at=8)))
    assert sorted(event[0] for event in events(changes)) == sorted(
        {"aaaa1111", "bbbb2222"} - {each["id"] for each in on}
    )


def test_one_of_three_that_is_split_off_leaves_the_merged_device_as_it_is():
    third = {"id": "dddd4444", "name": "Motor 3", "w": 1.0}
    of_three = {**VIRTUAL, "tags": {"MergedDevices": "aaaa1111,bbbb2222,dddd4444"}}
    home, _ = run(HOME, (0, frame()), (1, listed(FAN, PUMP, third)), (2, listed(of_three)), (3, frame(PARENT, at=3)))
    home, changes = run(home, (4, listed(VIRTUAL, third)), (5, frame(third, at=5)))
    assert events(changes) == [(None, "device_found", 4)]
    assert sorted(home.devices) == ["aaaa1111", "always_on", "dddd4444", "unknown"]
    assert home.devices["aaaa1111"].is_on is False


def test_the_first_that_is_split_off_is_itself_and_the_parent_a_device_of_its_own():
    rest = {**VIRTUAL, "tags": {"MergedDevices": "bbbb2222,dddd4444"}}
    home, changes = run(two_motors(), (3, VANISHED), (4, listed(rest, FAN, OTHER_DEVICE)))
    assert sorted(home.devices) == ["Parent01", "aaaa1111", "always_on", "cccc3333", "unknown"]
    assert ("device_found", "Parent01") in house_events(changes)


def test_a_parent_that_was_known_first_is_removed_when_its_parts_are_back():
    home, _ = run(HOME, (0, frame()), (1, VANISHED), (2, frame(PARENT, at=2)))
    home, changes = run(home, (3, frame(FAN, at=3)), (4, SPLIT), (5, frame(FAN, at=5)))
    assert [event for event in events(changes) if event[0]] == []
    assert [event[:2] for event in house_events(changes)] == [
        ("device_removed", "Parent01"),
        ("device_found", "aaaa1111"),
        ("device_found", "bbbb2222"),
    ]
    assert withdrawn(changes) == ["Parent01"]


def test_a_parent_that_was_merged_once_more_and_is_split_off_is_a_device_of_its_own():
    inner = {**PARENT, "tags": {"MergedDevices": FAN["id"]}}
    outer = {
        **OTHER_DEVICE,
        "id": "Parent02",
        "name": "Cooling",
        "tags": {"MergedDevices": f"{PARENT['id']},{PUMP['id']}"},
    }
    home, _ = run(two_motors(), (3, listed(inner)), (4, listed(outer)), (5, listed(PARENT, PUMP)))
    assert {PARENT["id"], PUMP["id"]} <= home.devices.keys()
    assert not home.identities.aliases.keys() & home.devices.keys()
