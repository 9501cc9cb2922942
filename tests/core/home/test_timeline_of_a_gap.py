"""What Sense's timeline tells of a gap, and the first frames after it."""

import pytest

from sense_mqtt.core.changes import Event
from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.home.state import DevicesListed, Interrupted, Tick
from sense_mqtt.core.wire.devices import read_device_list
from tests.support.core.builders import DRYER, HOME, frame, policy, readings, run
from tests.support.core.timeline import D, edges, item, published, read, stream


def test_a_run_in_a_gap_is_published_with_the_times_of_the_timeline_before_the_first_frame():
    _, changes = run(
        HOME,
        *stream(0, 3, DRYER),
        (3, Interrupted()),
        (50, read(item("turned_off", 10), item("turned_on", 30))),
        *stream(50, 53, DRYER),
    )
    assert published(changes) == [("turned_off", 10, "timeline", False), ("turned_on", 30, "timeline", False)]


def test_an_edge_in_a_gap_changes_the_state():
    _, changes = run(HOME, *stream(0, 3, DRYER), (3, Interrupted()), (50, read(item("turned_off", 10))))
    assert readings(changes, "state", D) == ["ON", "OFF"]
    assert readings(changes, "power", D)[-1] == "0"


def test_the_end_of_a_run_that_only_the_timeline_knows_has_the_duration_of_the_run():
    _, changes = run(
        HOME, *stream(0, 2), *stream(2, 5, DRYER), (5, Interrupted()), (60, read(item("turned_off", 22.5)))
    )
    assert [c.fields.get("duration_s") for c in changes if isinstance(c, Event)] == [None, 20.5]


def test_an_edge_that_the_first_frame_after_a_gap_showed_is_not_published_again_by_a_late_timeline():
    _, changes = run(
        HOME, *stream(0, 3), (3, Interrupted()), *stream(100, 130, DRYER), (130, read(item("turned_on", 50)))
    )
    assert published(changes) == [("turned_on", 100, "reconnect", False)]


def test_earlier_edges_of_a_gap_that_come_after_a_newer_one_are_late():
    late = read(item("turned_on", 80), item("turned_off", 85), item("turned_on", 90))
    _, changes = run(HOME, *stream(0, 3), (3, Interrupted()), *stream(100, 120, DRYER), (120, late), (121, Tick()))
    assert published(changes) == [
        ("turned_on", 100, "reconnect", False),
        ("turned_on", 80, "timeline", True),
        ("turned_off", 85, "timeline", True),
    ]


def test_a_late_edge_does_not_change_the_state():
    late = read(item("turned_on", 80), item("turned_off", 85))
    listed = DevicesListed(read_device_list([DRYER]))
    gap = [(2, listed), (3, Interrupted()), *stream(100, 120)]
    _, changes = run(HOME, *stream(0, 3), *gap, (120, late), (121, Tick()))
    assert [kind for kind, *_ in published(changes)] == ["turned_on", "turned_off"]
    assert readings(changes, "state", D) == ["OFF"]


def test_after_an_edge_of_the_timeline_the_power_of_the_next_frame_is_published_at_once():
    seen = [
        *stream(0, 3),
        (2, DevicesListed(read_device_list([DRYER]))),
        (3, Interrupted()),
        (20, read(item("turned_on", 10))),
    ]
    _, changes = run(HOME, *seen, *stream(21, 24, DRYER))
    assert readings(changes, "power", D) == ["0", "5584.7"]


@pytest.mark.parametrize("held_s", [0, 2])
def test_frames_older_than_an_edge_of_the_timeline_do_not_undo_it(held_s):
    held = policy({D: DeviceRules(off_delay_s=held_s)})
    gap = [(3, Interrupted()), (60, read(item("turned_on", 40.4), item("turned_off", 50.4)))]
    late = [(61 + at / 10, frame(*([DRYER] if 40 < at < 50 else []), at=at)) for at in range(35, 60)]
    _, changes = run(HOME, *stream(0, 3), (2, DevicesListed(read_device_list([DRYER]))), *gap, *late, wanted=held)
    assert edges(changes) == [("turned_on", 40.4), ("turned_off", 50.4)]


def test_a_change_that_is_held_back_after_a_gap_is_the_last_edge_of_the_timeline():
    held = policy({D: DeviceRules(off_delay_s=2)})
    runs = read(item("turned_off", 20), item("turned_on", 40), item("turned_off", 60))
    _, changes = run(HOME, *stream(0, 5, DRYER), *stream(100, 102), (102, runs), *stream(102, 130), wanted=held)
    assert published(changes) == [
        ("turned_off", 20, "timeline", True),
        ("turned_on", 40, "timeline", True),
        ("turned_off", 100, "reconnect", False),
    ]


def test_an_outdated_first_frame_that_is_newer_than_the_last_one_does_not_hide_the_gap():
    gap = [(9, Interrupted()), (300, frame(at=20)), (301, frame(DRYER, at=301))]
    _, changes = run(HOME, *stream(0, 9), *gap)
    assert published(changes) == [("turned_on", 301, "reconnect", False)]


def test_an_edge_just_before_a_gap_is_not_published_twice():
    gap = [(3, Interrupted()), (50, read(item("turned_off", 1.9)))]
    _, changes = run(HOME, *stream(0, 3, DRYER), *gap, *stream(50, 55))
    assert published(changes) == [("turned_off", 1.9, "timeline", False)]


def test_the_power_in_a_frame_older_than_an_edge_of_the_timeline_is_not_published():
    gap = [(3, Interrupted()), (50, read(item("turned_off", 40))), (51, frame({**DRYER, "w": 77.0}, at=30))]
    _, changes = run(HOME, *stream(0, 3, DRYER), *gap, *stream(51, 53))
    assert readings(changes, "power", D) == ["5584.7", "0"]


def test_an_outdated_frame_from_the_gap_does_not_undo_an_edge_of_the_timeline():
    gap = [(3, Interrupted()), (400, read(item("turned_off", 380))), (401, frame(DRYER, at=200)), (402, frame(at=402))]
    _, changes = run(HOME, *stream(0, 3, DRYER), *gap, (403, frame(at=403)))
    assert published(changes) == [("turned_off", 380, "timeline", False)]


def test_an_edge_found_after_a_gap_is_not_paired_with_an_item_from_before_the_edge_before_it():
    gap = [(3, Interrupted()), (100, read(item("turned_off", 40), item("turned_on", 60)))]
    late = read(item("turned_off", 40), item("turned_on", 60), item("turned_off", 95))
    _, changes = run(HOME, *stream(0, 3, DRYER), *gap, *stream(100, 104), (104, late), *stream(104, 140))
    assert edges(changes) == [
        ("turned_off", 40),
        ("turned_on", 60),
        ("turned_off", 100),
    ]


def test_while_the_offset_is_unknown_a_frame_soon_after_an_edge_of_the_timeline_does_not_undo_it():
    gap = [(3, Interrupted()), (12, read(item("turned_off", 10)))]
    _, changes = run(HOME, *stream(0, 3, DRYER), *gap, *stream(12, 14, DRYER), *stream(14, 30))
    assert published(changes) == [("turned_off", 10, "timeline", False)]


def test_a_change_soon_after_an_edge_of_the_timeline_that_lasts_is_published_with_the_time_at_which_it_began():
    gap = [(3, Interrupted()), (12, read(item("turned_off", 10)))]
    _, changes = run(HOME, *stream(0, 3, DRYER), *gap, *stream(12, 30, DRYER))
    assert published(changes) == [("turned_off", 10, "timeline", False), ("turned_on", 12, "reconnect", False)]
