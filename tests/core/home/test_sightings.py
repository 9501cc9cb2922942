"""A device that frames show first just as another one vanishes: neither is reported before the list was read."""

import pytest

from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.home.state import Tick
from sense_mqtt.core.next_tick import next_tick
from sense_mqtt.core.transitions.timing import SIGHTING_S
from tests.support.core.builders import (
    KETTLE,
    bare_frame,
    events,
    frame,
    house_events,
    introduced,
    listed,
    policy,
    run,
    withdrawn,
)
from tests.support.core.merges import (
    AGAIN,
    BARE,
    FAN,
    OTHER_DEVICE,
    PARENT,
    PUMP,
    TV,
    VANISHED,
    two_motors,
    with_tv,
)

TWO_SECONDS = policy({device: DeviceRules() for device in ("aaaa1111", "bbbb2222")})


@pytest.mark.parametrize("wanted", [policy(), TWO_SECONDS], ids=["no hold time", "two seconds"])
@pytest.mark.parametrize("on", [(FAN,), (PUMP,), (FAN, PUMP)], ids=["first", "second", "both"])
def test_a_merge_of_which_frames_say_nothing_reports_no_transition(on, wanted):
    switched = [(at, frame(PARENT, at=at)) for at in range(3, 9)]
    home, changes = run(
        two_motors(*on), *switched, (8.5, VANISHED), (9, frame(PARENT, at=9)), (20, Tick()), wanted=wanted
    )
    assert [event for event in events(changes) if event[0]] == []
    assert withdrawn(changes) == ["bbbb2222"]
    assert "Parent01" not in introduced(changes)
    assert home.devices["aaaa1111"].is_on is True


def test_a_child_that_vanishes_a_frame_before_the_parent_appears_is_no_transition_either():
    seen = [(3, frame(at=3)), (3.5, frame(PARENT, at=3.5)), (4, VANISHED), (5, frame(PARENT, at=5))]
    _, changes = run(two_motors(FAN), *seen, wanted=TWO_SECONDS)
    assert [event for event in events(changes) if event[0]] == []


def test_a_plug_under_a_new_id_of_which_frames_say_nothing_reports_no_transition():
    seen = [(3, frame(BARE, at=3)), (4, listed(AGAIN, OTHER_DEVICE)), (5, frame(BARE, at=5))]
    home, changes = run(with_tv(TV), *seen)
    assert events(changes) == []
    assert home.devices["ssi-1f2e3d4c"].is_on is True


def test_two_devices_are_reported_as_of_the_frames_once_the_list_shows_both():
    on = {**KETTLE, "w": 900.0}
    home, changes = run(two_motors(FAN), (3, frame(on, at=3)), (4, frame(on, at=4)))
    assert events(changes) == []
    assert next_tick(home, 1004.0, policy()) == 1004.0
    home, changes = run(home, (4.5, listed(FAN, PUMP, OTHER_DEVICE, KETTLE)), (5, frame(on, at=5)), (9, frame(at=9)))
    assert sorted(events(changes), key=lambda event: event[2]) == [
        (None, "device_found", 3),
        ("99aabbcc", "turned_on", 3),
        ("aaaa1111", "turned_off", 3),
        ("99aabbcc", "turned_off", 9),
    ]


@pytest.mark.parametrize("later", [Tick(), frame(KETTLE, at=30)], ids=["time", "a frame"])
def test_where_the_list_does_not_come_both_are_reported_late_with_their_times(later):
    _, changes = run(
        two_motors(FAN), (3, frame(KETTLE, at=3)), (4, listed(FAN, OTHER_DEVICE)), (3 + SIGHTING_S, Tick())
    )
    assert events(changes) == []
    home, _ = run(two_motors(FAN), (3, frame(KETTLE, at=3)), (4, listed(FAN, PUMP, OTHER_DEVICE)))
    _, changes = run(home, (30, later), (31, Tick()))
    assert sorted(events(changes), key=lambda event: event[1]) == [
        (None, "device_found", 3),
        ("aaaa1111", "turned_off", 3),
        ("99aabbcc", "turned_on", 3),
    ]


def test_another_device_that_appears_meanwhile_waits_too():
    home, changes = run(two_motors(FAN), (3, frame(KETTLE, at=3)), (4, frame(KETTLE, PARENT, at=4)), (5, VANISHED))
    assert sorted(home.identities.sightings) == ["99aabbcc"]
    assert [event for event in events(changes) if event[0]] == []


def test_a_new_device_is_reported_at_once_where_none_vanishes():
    _, changes = run(two_motors(FAN), (3, frame(FAN, KETTLE, at=3)))
    assert events(changes) == [(None, "device_found", 3), ("99aabbcc", "turned_on", 3)]


def test_what_the_list_hides_and_what_the_user_ignores_is_not_held_back():
    hidden = {**KETTLE, "tags": {"UserDeleted": "true"}}
    home, changes = run(two_motors(FAN), (3, listed(FAN, PUMP, OTHER_DEVICE, hidden)), (4, frame(KETTLE, at=4)))
    assert events(changes) == [("aaaa1111", "turned_off", 4)]
    ignoring = policy({"99aabbcc": DeviceRules(ignore=True)})
    _, changes = run(home, (5, frame(KETTLE, FAN, at=5)), wanted=ignoring)
    assert house_events(changes) == []


def test_a_device_that_the_list_hides_while_it_is_held_back_is_forgotten():
    hidden = {**KETTLE, "tags": {"UserDeleted": "true"}}
    home, _ = run(two_motors(FAN), (3, frame(KETTLE, at=3)), (4, listed(FAN, PUMP, OTHER_DEVICE, hidden)))
    home, changes = run(home, (20, Tick()), (21, Tick()))
    assert events(changes) == [("aaaa1111", "turned_off", 3)]
    assert home.identities.sightings == {}


def test_in_a_frame_that_proves_no_absence_nothing_is_off():
    seen = [(3, bare_frame(KETTLE, at=3)), (4, listed(FAN, PUMP, OTHER_DEVICE, KETTLE)), (5, frame(FAN, KETTLE, at=5))]
    _, changes = run(two_motors(FAN), *seen)
    assert events(changes) == [(None, "device_found", 3), ("99aabbcc", "turned_on", 3)]


def test_a_device_beyond_the_most_is_left_out_when_it_is_released():
    home, _ = run(two_motors(FAN), (3, frame(KETTLE, at=3)))
    many = [{"id": f"d{number}", "name": "D"} for number in range(600)]
    home, _ = run(home, (4, listed(*many)), (30, Tick()))
    assert "99aabbcc" not in home.devices
    assert home.is_full


def test_the_hold_time_of_a_device_that_was_held_back_runs_from_the_first_frame():
    slow = policy({"99aabbcc": DeviceRules(on_delay_s=5.0)})
    seen = [(3, frame(KETTLE, at=3)), (4, listed(FAN, PUMP, OTHER_DEVICE, KETTLE))]
    home, changes = run(two_motors(FAN), *seen, wanted=slow)
    assert house_events(changes) == [("device_found", "99aabbcc")]
    _, changes = run(home, (5, frame(KETTLE, at=5)), (9, frame(KETTLE, at=9)), wanted=slow)
    assert events(changes) == [("aaaa1111", "turned_off", 3), ("99aabbcc", "turned_on", 3)]


def test_a_run_that_ends_while_the_device_is_held_back_is_reported_with_its_times():
    on = {**KETTLE, "w": 900.0}
    seen = [(at, frame(on, at=at)) for at in range(3, 8)] + [(at, frame(at=at)) for at in range(8, 18)]
    _, changes = run(two_motors(FAN), *seen, (19, Tick()), (20, frame(at=20)))
    assert [event for event in events(changes) if event[0] == "99aabbcc"] == [
        ("99aabbcc", "turned_on", 3),
        ("99aabbcc", "turned_off", 8),
    ]


def test_a_threshold_that_a_device_crosses_while_it_is_held_back_is_an_edge():
    thresholds = policy({"99aabbcc": DeviceRules(on_above_w=50.0, off_below_w=20.0)})
    seen = [(at, frame({**KETTLE, "w": w}, at=at)) for at, w in ((3, 30.0), (4, 60.0), (5, 30.0), (6, 10.0), (7, 10.0))]
    released = (8, listed(FAN, PUMP, OTHER_DEVICE, KETTLE))
    last = (9, frame({**KETTLE, "w": 10.0}, at=9))
    _, changes = run(two_motors(FAN), *seen, released, last, wanted=thresholds)
    assert [event for event in events(changes) if event[0] == "99aabbcc"] == [
        ("99aabbcc", "turned_on", 4),
        ("99aabbcc", "turned_off", 6),
    ]


def test_a_frame_that_proves_no_absence_ends_no_run_of_a_device_that_is_held_back():
    seen = [(3, frame(KETTLE, at=3)), (4, bare_frame(FAN, at=4)), (5, bare_frame(KETTLE, at=5))]
    _, changes = run(two_motors(FAN), *seen, (6, listed(FAN, PUMP, OTHER_DEVICE, KETTLE)))
    assert events(changes) == [(None, "device_found", 3), ("99aabbcc", "turned_on", 3)]
