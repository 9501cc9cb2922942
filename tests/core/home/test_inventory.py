"""Which devices a house has: who comes, and what they are called."""

import json

import pytest
from msgspec.structs import replace

from sense_mqtt.core.bounds import MAX_TOPIC_IDS
from sense_mqtt.core.changes import Event
from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.home.snapshot import restore, snapshot
from tests.support.core.builders import (
    DRYER,
    HOME,
    KETTLE,
    PLUG,
    SOLAR,
    frame,
    house_events,
    introduced,
    listed,
    names,
    policy,
    readings,
    run,
)

# --- coming


def test_the_first_list_and_the_first_frame_make_no_event_in_either_order():
    for seen in ([(0, listed(DRYER)), (1, frame(DRYER, PLUG, at=1))], [(0, frame(PLUG)), (1, listed(DRYER, PLUG))]):
        _, changes = run(HOME, *seen)
        assert house_events(changes) == []
        assert sorted(introduced(changes)) == ["1a2b3c4d", "always_on", "ssi-1f2e3d4c", "unknown"]


def test_a_list_before_the_first_frame_gives_no_state():
    home, changes = run(HOME, (0, listed(DRYER)))
    assert readings(changes, "state", "1a2b3c4d") == []
    entry = next(e for e in json.loads(readings(changes, "devices")[-1]) if e["id"] == "1a2b3c4d")
    assert (entry["on"], entry["power_w"]) == (None, None)
    _, changes = run(home, (1, frame(at=1)))
    assert readings(changes, "state", "1a2b3c4d") == ["OFF"]
    assert readings(changes, "power", "1a2b3c4d") == ["0"]
    assert [c for c in changes if isinstance(c, Event)] == []


def test_a_device_that_is_new_in_a_frame_is_found_and_turned_on():
    home, _ = run(HOME, (0, frame()), (1, listed()))
    _, changes = run(home, (2, frame(KETTLE, at=2)))
    assert house_events(changes) == [("device_found", "99aabbcc")]
    assert [(c.device, c.event_type) for c in changes if isinstance(c, Event) and c.device] == [
        ("99aabbcc", "turned_on")
    ]
    assert introduced(changes) == ["99aabbcc"]


def test_a_device_that_is_new_in_the_list_is_found_and_off():
    home, _ = run(HOME, (0, frame()), (1, listed()))
    _, changes = run(home, (2, listed(KETTLE)))
    assert house_events(changes) == [("device_found", "99aabbcc")]
    assert readings(changes, "state", "99aabbcc") == ["OFF"]
    assert readings(changes, "power", "99aabbcc") == ["0"]


def test_a_new_virtual_device_is_announced_without_an_event():
    home, _ = run(HOME, (0, frame()), (1, listed()))
    _, changes = run(home, (2, frame(SOLAR, at=2)))
    assert introduced(changes) == ["solar"]
    assert house_events(changes) == []


def test_solar_power_makes_a_solar_home_and_is_announced_once():
    home, changes = run(HOME, (0, frame(solar_w=1.0)), (1, frame(at=1, solar_w=2.0)))
    assert home.solar is True
    assert introduced(changes).count(None) == 1


HIDDEN = [
    pytest.param({"DeviceListAllowed": "false"}, id="revoked"),
    pytest.param({"UserDeleted": "true"}, id="deleted"),
    pytest.param({"MergeId": "zz"}, id="merged"),
]


@pytest.mark.parametrize("tags", HIDDEN)
def test_hidden_devices_are_left_out_wherever_they_appear(tags):
    hidden = {**KETTLE, "tags": tags}
    seen = [(0, frame(hidden)), (1, listed(hidden)), (2, frame(hidden, at=2)), (3, frame(KETTLE, at=3))]
    home, changes = run(HOME, *seen)  # the last frame repeats no tags, but the list has told
    assert "99aabbcc" not in home.devices
    assert not [c for c in changes if getattr(c, "device", None) == "99aabbcc"]


def test_a_device_listed_twice_is_one_device():
    home, changes = run(HOME, (0, frame(DRYER, {**DRYER, "w": 1.0})))
    assert readings(changes, "power", "1a2b3c4d") == ["5584.7"]
    assert len(home.devices) == 3


# --- changing


def test_a_rename_is_published_once_whether_a_frame_or_the_list_has_it_first():
    dryer = {**DRYER, "name": "Tumbler"}
    home, _ = run(HOME, (0, frame(DRYER)), (1, listed(DRYER)))
    for seen in (frame(dryer, at=2), listed(dryer)):
        home_after, changes = run(home, (2, seen))
        assert house_events(changes) == [("device_renamed", "1a2b3c4d", "Dryer")]
        assert introduced(changes) == ["1a2b3c4d"]
        assert names(changes)["1a2b3c4d"] == "Tumbler"
        _, changes = run(home_after, (3, listed(dryer)), (4, frame(dryer, at=4)))
        assert house_events(changes) == []
        assert introduced(changes) == []


def test_a_name_that_differs_between_frames_and_list_is_published_once():
    tumbler = {**DRYER, "name": "Tumbler"}
    seen = [(at, thing) for at in range(1, 20, 2) for thing in (listed(DRYER), frame(tumbler, at=at))]
    home, changes = run(HOME, (0, frame()), *seen)
    assert house_events(changes) == [("device_renamed", "1a2b3c4d", "Dryer")]
    again = restore(7, snapshot(home), policy())
    _, changes = run(again, (40, listed(DRYER)), (41, frame(tumbler, at=41)), (42, listed(DRYER)))
    assert house_events(changes) == []


def test_the_name_in_the_configuration_stays_at_every_rename():
    mine = policy({"1a2b3c4d": DeviceRules(name="My dryer", off_delay_s=0)})
    _, changes = run(HOME, (0, frame(DRYER)), (1, frame({**DRYER, "name": "Heat 3"}, at=1)), wanted=mine)
    assert names(changes)["1a2b3c4d"] == "My dryer"
    assert house_events(changes) == []


@pytest.mark.parametrize("name", [None, "", "  ", 5])
def test_a_row_without_a_name_renames_nothing(name):
    nameless = {**DRYER, "name": name}
    home, changes = run(HOME, (0, frame(DRYER)), (1, frame(nameless, at=1)), (2, listed(nameless)))
    assert house_events(changes) == []
    assert home.devices["1a2b3c4d"].name == "Dryer"


def test_a_device_without_a_name_has_its_id_as_name():
    home, _ = run(HOME, (0, frame({"id": "1a2b3c4d", "w": 1.0})))
    assert home.devices["1a2b3c4d"].name == "1a2b3c4d"


def test_a_new_icon_or_make_is_published_without_an_event():
    home, _ = run(HOME, (0, frame(DRYER)))
    _, changes = run(home, (1, listed({**DRYER, "make": "Miele"})))
    assert introduced(changes) == ["1a2b3c4d"]
    assert json.loads(readings(changes, "attributes", "1a2b3c4d")[0])["make"] == "Miele"
    assert house_events(changes) == []


def test_topic_ids_of_devices_that_are_gone_are_kept_within_a_bound():
    taken = {f"a/{number}": f"a_{number}-1" for number in range(MAX_TOPIC_IDS)}
    home, _ = run(replace(HOME, topic_ids=taken), (0, listed({"id": "b/1"}, {"id": "b_1"})))
    assert len(home.topic_ids) == MAX_TOPIC_IDS
    assert "b_1" in home.topic_ids
    assert "a/0" not in home.topic_ids
