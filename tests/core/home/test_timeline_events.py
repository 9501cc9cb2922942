"""What Sense's timeline tells while frames come."""

import json

from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.home.snapshot import restore, snapshot
from sense_mqtt.core.home.state import DevicesListed, Interrupted, Tick
from sense_mqtt.core.wire.devices import read_device_list
from sense_mqtt.core.wire.frames import TimelineChange
from tests.support.core.builders import DRYER, HOME, events, frame, policy, readings, run
from tests.support.core.timeline import D, item, published, pushed, read, stream


def test_what_frame_and_timeline_both_show_is_one_event():
    pushed = TimelineChange(added=(item("turned_on", 5.4, guid="a"),))
    rewritten = TimelineChange(updated=(item("turned_on", 5.4, guid="a"), item("turned_off", 9.2, guid="b")))
    _, changes = run(
        HOME, *stream(0, 5), *stream(5, 9, DRYER), (8, pushed), *stream(9, 40), (40, rewritten), *stream(41, 80)
    )
    assert events(changes) == [(D, "turned_on", 5), (D, "turned_off", 9)]


def test_an_edge_that_the_timeline_tells_before_the_next_frame_is_published_by_that_frame():
    pushed = TimelineChange(added=(item("turned_on", 5.4),))
    _, changes = run(HOME, *stream(0, 5), (5, pushed), *stream(6, 60, DRYER))
    assert published(changes) == [("turned_on", 6, "frame", False)]


def test_what_the_timeline_tells_while_frames_show_no_such_edge_is_not_published():
    pushed = TimelineChange(added=(item("turned_on", 5.4), item("turned_off", 7)))
    _, changes = run(HOME, *stream(0, 8), (8, pushed), *stream(8, 60))
    assert published(changes) == []


def test_a_short_run_that_no_frame_showed_is_published_soon_after_its_end():
    known = [*stream(0, 5, DRYER), *stream(5, 20)]  # so that the house knows the device
    home, _ = run(HOME, *known)
    run_of_4_s = [(31, pushed(item("turned_on", 30.2))), (35, pushed(item("turned_off", 34.4)))]
    home, changes = run(home, *stream(20, 31), *run_of_4_s[:1], *stream(31, 35), *run_of_4_s[1:], *stream(35, 49))
    assert published(changes) == []
    _, changes = run(home, *stream(49, 52))
    assert published(changes) == [("turned_on", 30.2, "timeline", False), ("turned_off", 34.4, "timeline", False)]


def test_an_edge_in_a_gap_of_seconds_is_decided_by_the_frames_after_it():
    known = [*stream(0, 5, DRYER), *stream(5, 20)]
    on = (26, pushed(item("turned_on", 22.3)))
    _, changes = run(HOME, *known, (26, frame(at=23)), on, *stream(27, 60, DRYER))
    assert events(changes)[1:] == [(D, "turned_on", 27)]


def test_a_change_that_is_held_back_when_the_feed_ends_is_published_once():
    held = policy({D: DeviceRules(off_delay_s=2)})
    seen = [*stream(0, 5, DRYER), (5, frame(at=5)), (5.5, Interrupted()), (6, read(item("turned_off", 5.2)))]
    _, changes = run(HOME, *seen, (9, Tick()), (10, Tick()), *stream(40, 60), wanted=held)
    assert published(changes) == [("turned_off", 5, "frame", False)]


def test_a_frame_that_shows_what_the_timeline_reported_just_before_is_the_same_edge():
    known = [*stream(0, 5, DRYER), *stream(5, 20)]
    gap = [(20, Interrupted()), (24, pushed(item("turned_on", 22.3)))]
    _, changes = run(HOME, *known, *gap, (25, frame(at=23)), *stream(24, 60, DRYER))
    assert events(changes)[1:] == [(D, "turned_on", 22.3)]
    assert readings(changes, "state", D)[-1] == "ON"


def test_the_offset_of_the_clocks_is_learned():
    seen = []
    for n in range(4):
        begin = n * 100
        seen += [*stream(begin, begin + 10), *stream(begin + 10, begin + 20, DRYER), *stream(begin + 20, begin + 60)]
        seen.append((begin + 60, read(item("turned_on", begin + 22), item("turned_off", begin + 32))))
        seen += stream(begin + 60, begin + 100)
    home, changes = run(HOME, *seen)
    assert home.coverage.offset_s == 12
    assert len(published(changes)) == 8


def test_overtaken_edges_are_late_even_if_the_hosts_clock_is_hours_behind():
    behind = [(at - 7200, thing) for at, thing in [*stream(0, 5, DRYER), (5, Interrupted())]]
    late = (-7000, read(item("turned_off", 60), item("turned_on", 90), item("turned_off", 100)))
    later = (-6999, read(item("turned_off", 20), item("turned_on", 40)))
    _, changes = run(HOME, *behind, late, later)
    assert [(edge, at, is_late) for edge, at, _, is_late in published(changes)] == [
        ("turned_off", 60, False),
        ("turned_on", 90, False),
        ("turned_off", 100, False),
        ("turned_off", 20, True),
        ("turned_on", 40, True),
    ]


def test_an_item_of_a_device_that_is_not_known_yet_waits_for_the_device():
    strange = item("turned_on", 20, device="ffee0011")
    listed = DevicesListed(read_device_list([{"id": "ffee0011", "name": "Fan"}, {"id": "always_on"}]))
    home, changes = run(HOME, *stream(0, 3), (3, Interrupted()), (40, read(strange)))
    assert published(changes) == []
    _, changes = run(home, (41, listed), (42, Tick()))
    assert published(changes) == [("turned_on", 20, "timeline", False)]


def test_items_of_a_hidden_device_are_dropped_and_those_of_an_unknown_one_after_a_while():
    hidden = {"id": "ffee0011", "name": "Fan", "tags": {"UserDeleted": "true"}}
    items = read(item("turned_on", 20, device="ffee0011"), item("turned_on", 20, device="nobody"))
    home, _ = run(
        HOME, *stream(0, 3), (1, DevicesListed(read_device_list([hidden, DRYER]))), (3, Interrupted()), (40, items)
    )
    assert [item.device for item in home.pending_items] == ["nobody"]
    home, _ = run(home, (400, frame(at=400)))
    assert home.pending_items == ()


def test_after_a_restart_nothing_is_published_twice_and_nothing_is_missing():
    home, before = run(HOME, *stream(0, 5), *stream(5, 9, DRYER), *stream(9, 12))
    home = restore(7, json.loads(json.dumps(snapshot(home))), policy())
    timeline = read(item("turned_on", 5.3), item("turned_off", 9.4), item("turned_on", 100), item("turned_off", 150))
    _, after = run(home, (200, timeline), *stream(200, 203))
    assert [kind for kind, *_ in published(before)] == ["turned_on", "turned_off"]
    assert published(after) == [("turned_on", 100, "timeline", True), ("turned_off", 150, "timeline", False)]
