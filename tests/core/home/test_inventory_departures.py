"""Which devices a house has no more: removed, merged, ignored."""

import json
import math

import pytest

from sense_mqtt.core.changes import DeviceRemoved, Reading
from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.home.inventory import GONE_AFTER_S, LIST_AGAIN_S, list_again_s
from sense_mqtt.core.home.snapshot import restore, snapshot
from sense_mqtt.core.home.state import DevicesListed, Interrupted
from sense_mqtt.core.publishing.reading_text import payload_of
from sense_mqtt.core.wire.devices import read_device_list
from tests.support.core.builders import (
    DRYER,
    HOME,
    KETTLE,
    PLUG,
    SOLAR,
    events,
    frame,
    house_events,
    introduced,
    listed,
    moment,
    names,
    policy,
    readings,
    run,
    withdrawn,
)


def test_a_device_that_the_list_hides_is_removed_and_its_topics_are_cleared():
    home, _ = run(HOME, (0, frame(DRYER)), (1, listed(DRYER)))
    home, changes = run(home, (2, listed({**DRYER, "tags": {"UserDeleted": "true"}})))
    assert house_events(changes) == [("device_removed", "1a2b3c4d")]
    assert withdrawn(changes) == ["1a2b3c4d"]
    assert "1a2b3c4d" not in home.devices
    assert "1a2b3c4d" not in names(changes)


def test_the_event_of_a_merged_device_says_into_which_other_one_that_is_not_in_the_list():
    merged = {**DRYER, "tags": {"MergeId": "Parent01"}}
    home, _ = run(HOME, (0, frame(DRYER)), (1, listed(DRYER)))
    home, changes = run(home, (2, listed(merged)), (3, frame(DRYER, at=3)))
    assert house_events(changes) == [("device_merged", "1a2b3c4d", "Parent01")]
    assert withdrawn(changes) == ["1a2b3c4d"]
    assert sorted(home.devices) == ["always_on", "unknown"]


# --- missing from the list

LATER = GONE_AFTER_S + 3


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param([frame(DRYER)], id="on"),
        pytest.param([frame({**PLUG, "w": 0.9, "attrs": ["Idle"]})], id="at standby"),
    ],
)
def test_a_device_missing_from_the_list_stays_as_long_as_frames_show_it(frames):
    home, _ = run(HOME, (0, listed()), *enumerate(frames))
    home, changes = run(home, (2, listed()), (LATER, listed()))
    assert house_events(changes) == []
    assert list_again_s(home, moment(LATER).monotonic) == math.inf


KNOWN = (DRYER, PLUG, KETTLE)


def test_a_device_missing_from_the_list_is_removed_once_it_has_been_missing_for_long():
    home, _ = run(HOME, (0, listed(*KNOWN)), (1, frame()))
    home, changes = run(home, (2, listed(PLUG, KETTLE)), (LATER - 2, listed(PLUG, KETTLE)))
    assert house_events(changes) == withdrawn(changes) == []
    assert list_again_s(home, moment(LATER - 2).monotonic) == LIST_AGAIN_S
    home, changes = run(home, (LATER, listed(PLUG, KETTLE)))
    assert house_events(changes) == [("device_removed", "1a2b3c4d")]
    assert withdrawn(changes) == ["1a2b3c4d"]
    home, changes = run(home, (LATER + 1, listed(*KNOWN)))
    assert house_events(changes) == [("device_found", "1a2b3c4d")]


HICCUPS = [
    pytest.param(DevicesListed(()), id="nothing at all"),
    pytest.param(listed(), id="no devices"),
    pytest.param(listed(DRYER), id="a part of them"),
    pytest.param(listed(PLUG, KETTLE), id="all but one"),
]


@pytest.mark.parametrize("hiccup", HICCUPS)
def test_a_list_that_lacks_devices_for_a_while_removes_none(hiccup):
    home, _ = run(HOME, (0, listed(*KNOWN)), (1, frame()))
    seen = [(at, hiccup if at % 900 else listed(*KNOWN)) for at in range(300, 7200, 300)]
    home, changes = run(home, *seen)
    assert house_events(changes) == withdrawn(changes) == []
    assert {"1a2b3c4d", "ssi-1f2e3d4c", "99aabbcc"} < home.devices.keys()


def test_that_most_devices_are_gone_is_believed_after_a_day():
    home, _ = run(HOME, (0, listed(*KNOWN)), (1, frame()))
    home, changes = run(home, *((hour * 3600, listed(KETTLE)) for hour in range(1, 25)))
    assert withdrawn(changes) == []
    assert list_again_s(home, moment(24 * 3600).monotonic) == math.inf
    _, changes = run(home, (25 * 3600, listed(KETTLE)))
    assert withdrawn(changes) == ["1a2b3c4d", "ssi-1f2e3d4c"]


def test_a_device_below_its_threshold_stays_as_long_as_frames_show_it():
    wanted = policy({"1a2b3c4d": DeviceRules(off_delay_s=0, on_above_w=9000)})
    _, changes = run(HOME, (0, frame(DRYER)), (1, listed()), wanted=wanted)
    assert house_events(changes) == []


def test_an_empty_list_removes_no_device():
    home, changes = run(HOME, (0, frame(DRYER)), (1, frame(at=1)), (2, DevicesListed(())))
    assert "1a2b3c4d" in home.devices
    assert withdrawn(changes) == []


def test_virtual_devices_stay_whatever_the_list_says():
    home, changes = run(HOME, (0, frame(SOLAR)), (1, DevicesListed(read_device_list([DRYER, SOLAR]))))
    assert {"always_on", "unknown", "solar"} < set(home.devices)
    assert withdrawn(changes) == []


def test_all_of_a_device_that_comes_back_is_published_again():
    gone = {**DRYER, "tags": {"UserDeleted": "true"}}
    home, _ = run(HOME, (0, frame()), (1, listed(DRYER)), (2, frame(at=2)))
    home, _ = run(home, (3, listed(gone)))
    _, changes = run(home, (4, listed(DRYER)))
    assert house_events(changes) == [("device_found", "1a2b3c4d")]
    assert introduced(changes) == ["1a2b3c4d"]
    assert readings(changes, "state", "1a2b3c4d") == ["OFF"]
    assert readings(changes, "power", "1a2b3c4d") == ["0"]


# --- plugs under one name


def plug(name_id, created, **more):
    return {**PLUG, "id": name_id, "tags": {"DateCreated": f"2026-{created}"}, **more}


OLD, NEW = plug("ssi-1", "01-01T00:00:00Z"), plug("ssi-2", "06-01T00:00:00Z")  # START is in November
BOTH = [
    pytest.param([frame(OLD, NEW)], id="both on"),
    pytest.param([frame({**OLD, "w": 0.9, "attrs": ["Idle"]}, NEW)], id="the older at standby"),
    pytest.param([frame(OLD, NEW), frame(NEW, at=1)], id="the older off for a moment"),
    pytest.param([frame(OLD), frame(at=1)], id="both off, the older was seen since there are two"),
]


@pytest.mark.parametrize("frames", BOTH)
@pytest.mark.parametrize("is_restarted", [False, True])
def test_of_two_plugs_under_one_name_each_that_frames_show_stays(frames, is_restarted):
    home, _ = run(HOME, *enumerate(frames), (1.5, listed()))
    home = restore(7, json.loads(json.dumps(snapshot(home))), policy()) if is_restarted else home
    home, changes = run(home, (2, listed(OLD, NEW)), (3, frame(OLD, NEW, at=3)), (4, listed(OLD, NEW)))
    assert withdrawn(changes) == []
    assert ("device_removed", "ssi-1") not in house_events(changes)
    assert {"ssi-1", "ssi-2"} < set(home.devices)


def test_a_plug_that_was_removed_and_added_again_is_one_device():
    since = plug("ssi-3", "11-18T15:00:00Z")  # some hours after START
    home, _ = run(HOME, (0, frame(OLD)), (1, listed(OLD)), (2, frame(at=2)))
    home, changes = run(home, (90_000, listed(OLD, since)), (90_001, frame(since, at=90_001)))
    assert house_events(changes) == [("device_removed", "ssi-1"), ("device_found", "ssi-3")]
    assert withdrawn(changes) == ["ssi-1"]


def test_an_older_plug_that_no_frame_ever_showed_is_found_once_one_does_and_stays():
    home, changes = run(HOME, (0, frame()), (1, listed(OLD, NEW)), (2, frame(NEW, at=2)))
    assert introduced(changes).count("ssi-1") == 0
    later = [(3, frame(OLD, NEW, at=3)), (4, frame(NEW, at=4)), (5, listed(OLD, NEW))]
    home, changes = run(home, *later)
    assert house_events(changes) == [("device_found", "ssi-1")]
    assert withdrawn(changes) == []
    assert [e for e in events(changes) if e[0] == "ssi-1"] == [("ssi-1", "turned_on", 3), ("ssi-1", "turned_off", 4)]


def test_a_plug_at_standby_is_in_no_frame_yet_after_a_restart_and_stays_all_the_same():
    idle = {**PLUG, "w": 0.9, "attrs": ["Idle"]}
    home, _ = run(HOME, (0, frame(idle)))
    _, changes = run(restore(7, snapshot(home), policy()), (60, listed(DRYER)))
    assert withdrawn(changes) == []


# --- what the user ignores


IGNORING = policy({"1a2b3c4d": DeviceRules(ignore=True)})


def test_nothing_of_an_ignored_device_is_published():
    seen = [(0, frame(DRYER)), (1, listed(DRYER)), (2, frame(at=2)), (3, frame(DRYER, at=3))]
    home, changes = run(HOME, *seen, wanted=IGNORING)
    assert "1a2b3c4d" not in home.devices
    assert "1a2b3c4d" not in json.dumps([payload_of(c) for c in changes if isinstance(c, Reading)])
    assert not [c for c in changes if getattr(c, "device", None) == "1a2b3c4d"]


@pytest.mark.parametrize("first", [frame(DRYER, at=60), frame(at=60), listed(DRYER)])
def test_a_device_ignored_since_the_last_start_is_removed_with_the_first_observation(first):
    home, _ = run(HOME, (0, frame(DRYER)), (1, listed(DRYER)))
    home = restore(7, snapshot(home), IGNORING)
    home, changes = run(home, (60, first), (61, Interrupted()), (62, frame(DRYER, at=62)), wanted=IGNORING)
    assert house_events(changes) == [("device_removed", "1a2b3c4d")]
    assert [type(c) for c in changes if getattr(c, "device", None) == "1a2b3c4d"] == [DeviceRemoved]
    assert "1a2b3c4d" not in home.devices
