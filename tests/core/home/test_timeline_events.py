"""What the timeline tells of a house, beside frames, gaps and restarts."""

import json

import pytest

from sense_mqtt.core.changes import Event
from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.home.snapshot import restore, snapshot
from sense_mqtt.core.home.state import DevicesListed, Home, Interrupted, Tick
from sense_mqtt.core.home.timeline_events import TimelineRead
from sense_mqtt.core.wire.devices import read_device_list
from sense_mqtt.core.wire.frames import TimelineChange
from sense_mqtt.core.wire.timeline import TimelineItem
from tests.support.core.builders import DRYER, START, events, frame, policy, readings, run

HOME = Home(monitor=7)
D = "1a2b3c4d"


def item(edge, at, device=D, guid=None):
    return TimelineItem(device, edge, START + at, guid)


def read(*items):
    return TimelineRead(items)


def told(changes):
    return [
        (c.event_type, round(c.time - START, 3), c.fields["source"], c.fields["late"])
        for c in changes
        if isinstance(c, Event) and c.device
    ]


def stream(begin, end, *devices):
    """Frames, one a second."""
    return [(at, frame(*devices, at=at)) for at in range(begin, end)]


def test_a_run_in_a_gap_is_told_with_its_own_times_before_the_first_frame():
    _, changes = run(
        HOME,
        *stream(0, 3, DRYER),
        (3, Interrupted()),
        (50, read(item("turned_off", 10), item("turned_on", 30))),
        *stream(50, 53, DRYER),
    )
    assert told(changes) == [("turned_off", 10, "timeline", False), ("turned_on", 30, "timeline", False)]


def test_a_run_in_a_gap_changes_the_state_on_its_way():
    _, changes = run(HOME, *stream(0, 3, DRYER), (3, Interrupted()), (50, read(item("turned_off", 10))))
    assert readings(changes, "state", D) == ["ON", "OFF"]
    assert readings(changes, "power", D)[-1] == "0"


def test_the_end_of_a_run_that_only_the_timeline_knows_has_its_duration():
    _, changes = run(
        HOME, *stream(0, 2), *stream(2, 5, DRYER), (5, Interrupted()), (60, read(item("turned_off", 22.5)))
    )
    assert [c.fields.get("duration_s") for c in changes if isinstance(c, Event)] == [None, 20.5]


def test_what_frame_and_timeline_both_saw_is_one_event():
    pushed = TimelineChange(added=(item("turned_on", 5.4, guid="a"),))
    rewritten = TimelineChange(updated=(item("turned_on", 5.4, guid="a"), item("turned_off", 9.2, guid="b")))
    _, changes = run(
        HOME, *stream(0, 5), *stream(5, 9, DRYER), (8, pushed), *stream(9, 40), (40, rewritten), *stream(41, 80)
    )
    assert events(changes) == [(D, "turned_on", 5), (D, "turned_off", 9)]


def test_the_timeline_may_be_first():
    pushed = TimelineChange(added=(item("turned_on", 5.4),))
    _, changes = run(HOME, *stream(0, 5), (5, pushed), *stream(6, 60, DRYER))
    assert told(changes) == [("turned_on", 6, "frame", False)]


def test_what_frames_looked_on_and_did_not_see_is_not_told():
    pushed = TimelineChange(added=(item("turned_on", 5.4), item("turned_off", 7)))
    _, changes = run(HOME, *stream(0, 8), (8, pushed), *stream(8, 60))
    assert told(changes) == []


def test_an_edge_found_after_a_gap_is_not_told_again_by_a_late_timeline():
    _, changes = run(
        HOME, *stream(0, 3), (3, Interrupted()), *stream(100, 130, DRYER), (130, read(item("turned_on", 50)))
    )
    assert told(changes) == [("turned_on", 100, "reconnect", False)]


def test_earlier_edges_of_a_gap_that_come_after_a_newer_one_are_late():
    late = read(item("turned_on", 80), item("turned_off", 85), item("turned_on", 90))
    _, changes = run(HOME, *stream(0, 3), (3, Interrupted()), *stream(100, 120, DRYER), (120, late), (121, Tick()))
    assert told(changes) == [
        ("turned_on", 100, "reconnect", False),
        ("turned_on", 80, "timeline", True),
        ("turned_off", 85, "timeline", True),
    ]


def test_a_late_edge_does_not_change_the_state():
    late = read(item("turned_on", 80), item("turned_off", 85))
    listed = DevicesListed(read_device_list([DRYER]))
    gap = [(2, listed), (3, Interrupted()), *stream(100, 120)]
    _, changes = run(HOME, *stream(0, 3), *gap, (120, late), (121, Tick()))
    assert [kind for kind, *_ in told(changes)] == ["turned_on", "turned_off"]
    assert readings(changes, "state", D) == ["OFF"]


@pytest.mark.parametrize("polls", [range(0, 600, 60)])
def test_runs_between_polls_are_told_by_the_timeline(polls):
    frames = [(at, frame(at=None)) for at in polls]
    listed = DevicesListed(read_device_list([DRYER, {"id": "always_on"}]))
    runs = read(item("turned_on", 130), item("turned_off", 140), item("turned_on", 250), item("turned_off", 262))
    _, changes = run(HOME, (0, listed), *frames, (600, runs), (600, frame(at=None)), (601, Tick()))
    assert [(kind, at) for kind, at, *_ in told(changes)] == [
        ("turned_on", 130),
        ("turned_off", 140),
        ("turned_on", 250),
        ("turned_off", 262),
    ]


def test_a_poll_that_shows_the_device_on_is_the_same_edge():
    _, changes = run(
        HOME,
        (0, frame(at=None)),
        (60, frame(DRYER, at=None)),
        (120, frame(DRYER, at=None)),
        (130, read(item("turned_on", 12), item("turned_off", 20), item("turned_on", 55))),
        (180, frame(DRYER, at=None)),
    )
    assert [(kind, at) for kind, at, *_ in told(changes)] == [("turned_on", 60), ("turned_on", 12), ("turned_off", 20)]


def test_a_change_that_is_held_back_when_the_feed_drops_is_told_once():
    held = policy({D: DeviceRules(off_delay_s=2)})
    seen = [*stream(0, 5, DRYER), (5, frame(at=5)), (5.5, Interrupted()), (6, read(item("turned_off", 5.2)))]
    _, changes = run(HOME, *seen, (9, Tick()), (10, Tick()), *stream(40, 60), wanted=held)
    assert told(changes) == [("turned_off", 5, "frame", False)]


def test_a_device_that_is_not_known_yet_is_waited_for():
    strange = item("turned_on", 20, device="ffee0011")
    listed = DevicesListed(read_device_list([{"id": "ffee0011", "name": "Fan"}, {"id": "always_on"}]))
    home, changes = run(HOME, *stream(0, 3), (3, Interrupted()), (40, read(strange)))
    assert told(changes) == []
    _, changes = run(home, (41, listed), (42, Tick()))
    assert told(changes) == [("turned_on", 20, "timeline", False)]


def test_a_device_that_is_hidden_or_never_known_is_forgotten():
    hidden = {"id": "ffee0011", "name": "Fan", "tags": {"UserDeleted": "true"}}
    items = read(item("turned_on", 20, device="ffee0011"), item("turned_on", 20, device="nobody"))
    home, _ = run(
        HOME, *stream(0, 3), (1, DevicesListed(read_device_list([hidden, DRYER]))), (3, Interrupted()), (40, items)
    )
    assert [rumour.device for rumour in home.coverage.pending_items] == ["nobody"]
    home, _ = run(home, (400, frame(at=400)))
    assert home.coverage.pending_items == ()


def test_a_restart_tells_nothing_twice_and_nothing_less():
    home, before = run(HOME, *stream(0, 5), *stream(5, 9, DRYER), *stream(9, 12))
    home = restore(7, json.loads(json.dumps(snapshot(home))), policy())
    timeline = read(item("turned_on", 5.3), item("turned_off", 9.4), item("turned_on", 100), item("turned_off", 150))
    _, after = run(home, (200, timeline), *stream(200, 203))
    assert [kind for kind, *_ in told(before)] == ["turned_on", "turned_off"]
    assert told(after) == [("turned_on", 100, "timeline", True), ("turned_off", 150, "timeline", False)]


def test_the_offset_of_the_clocks_is_learned():
    seen = []
    for n in range(4):
        begin = n * 100
        seen += [*stream(begin, begin + 10), *stream(begin + 10, begin + 20, DRYER), *stream(begin + 20, begin + 60)]
        seen.append((begin + 60, read(item("turned_on", begin + 22), item("turned_off", begin + 32))))
        seen += stream(begin + 60, begin + 100)
    home, changes = run(HOME, *seen)
    assert home.coverage.offset_s == 12
    assert len(told(changes)) == 8


def test_after_an_edge_of_the_timeline_the_next_frame_tells_the_watts_at_once():
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
    assert [(kind, at) for kind, at, *_ in told(changes)] == [("turned_on", 40.4), ("turned_off", 50.4)]


def test_a_poll_that_may_be_older_than_an_edge_of_the_timeline_does_not_undo_it():
    listed = DevicesListed(read_device_list([DRYER]))
    seen = [(0, frame(at=None)), (1, listed), (2, Interrupted()), (60, read(item("turned_on", 50)))]
    _, changes = run(HOME, *seen, (60, frame(at=None)), (120, frame(DRYER, at=None)), (180, frame(at=None)))
    assert [(kind, at) for kind, at, *_ in told(changes)] == [("turned_on", 50), ("turned_off", 180)]


def test_a_change_that_is_held_back_after_a_hole_takes_the_last_edge_of_the_timeline():
    held = policy({D: DeviceRules(off_delay_s=2)})
    runs = read(item("turned_off", 20), item("turned_on", 40), item("turned_off", 60))
    _, changes = run(HOME, *stream(0, 5, DRYER), *stream(100, 102), (102, runs), *stream(102, 130), wanted=held)
    assert told(changes) == [
        ("turned_off", 20, "timeline", True),
        ("turned_on", 40, "timeline", True),
        ("turned_off", 100, "reconnect", False),
    ]


def test_a_cached_first_frame_that_is_newer_than_ours_does_not_hide_the_gap():
    gap = [(9, Interrupted()), (300, frame(at=20)), (301, frame(DRYER, at=301))]
    _, changes = run(HOME, *stream(0, 9), *gap)
    assert told(changes) == [("turned_on", 301, "reconnect", False)]


def test_an_edge_at_the_brink_of_a_gap_is_not_told_twice():
    gap = [(3, Interrupted()), (50, read(item("turned_off", 1.9)))]
    _, changes = run(HOME, *stream(0, 3, DRYER), *gap, *stream(50, 55))
    assert told(changes) == [("turned_off", 1.9, "timeline", False)]


def test_a_frame_older_than_an_edge_of_the_timeline_tells_no_watts():
    gap = [(3, Interrupted()), (50, read(item("turned_off", 40))), (51, frame({**DRYER, "w": 77.0}, at=30))]
    _, changes = run(HOME, *stream(0, 3, DRYER), *gap, *stream(51, 53))
    assert readings(changes, "power", D) == ["5584.7", "0"]


def test_polls_say_nothing_of_the_offset_of_the_clocks():
    polls = [(at, frame(*([DRYER] if at % 4 else []), at=None)) for at in range(0, 40, 2)]
    home, _ = run(HOME, *polls, (40, read(*(item("turned_on", at - 9) for at in range(10, 38, 4)))))
    assert home.coverage.offset_s == 0


def test_an_edge_that_the_timeline_told_before_a_poll_showed_it_is_told_once():
    listed = DevicesListed(read_device_list([DRYER]))
    seen = [(0, frame(at=None)), (1, listed), (60, frame(at=None)), (61, read(item("turned_on", 45)))]
    _, changes = run(HOME, *seen, (120, frame(DRYER, at=None)), (180, frame(DRYER, at=None)))
    assert [(kind, at) for kind, at, *_ in told(changes)] == [("turned_on", 45)]
    assert readings(changes, "state", D) == ["OFF", "ON"]
    assert readings(changes, "power", D) == ["0", "5584.7"]


def test_a_cached_frame_of_the_gap_undoes_no_edge_that_the_timeline_told():
    gap = [(3, Interrupted()), (400, read(item("turned_off", 380))), (401, frame(DRYER, at=200)), (402, frame(at=402))]
    _, changes = run(HOME, *stream(0, 3, DRYER), *gap, (403, frame(at=403)))
    assert told(changes) == [("turned_off", 380, "timeline", False)]


def test_an_edge_found_after_a_gap_does_not_take_an_item_from_before_the_edge_before_it():
    gap = [(3, Interrupted()), (100, read(item("turned_off", 40), item("turned_on", 60)))]
    late = read(item("turned_off", 40), item("turned_on", 60), item("turned_off", 95))
    _, changes = run(HOME, *stream(0, 3, DRYER), *gap, *stream(100, 104), (104, late), *stream(104, 140))
    assert [(kind, at) for kind, at, *_ in told(changes)] == [
        ("turned_off", 40),
        ("turned_on", 60),
        ("turned_off", 100),
    ]


def test_while_the_clocks_are_not_known_a_frame_soon_after_an_edge_of_the_timeline_is_doubted():
    gap = [(3, Interrupted()), (12, read(item("turned_off", 10)))]
    _, changes = run(HOME, *stream(0, 3, DRYER), *gap, *stream(12, 14, DRYER), *stream(14, 30))
    assert told(changes) == [("turned_off", 10, "timeline", False)]


def test_and_what_lasts_is_told_with_the_time_at_which_it_began():
    gap = [(3, Interrupted()), (12, read(item("turned_off", 10)))]
    _, changes = run(HOME, *stream(0, 3, DRYER), *gap, *stream(12, 30, DRYER))
    assert told(changes) == [("turned_off", 10, "timeline", False), ("turned_on", 12, "reconnect", False)]


def test_a_restart_while_the_next_poll_is_held_back_tells_nothing_twice():
    held = policy({D: DeviceRules(off_delay_s=2)})
    polls = [(0, frame(at=None)), (60, frame(DRYER, at=None)), (120, frame(DRYER, at=None))]
    between = [(121, read(item("turned_on", 50), item("turned_off", 110))), (180, frame(at=None))]
    home, before = run(HOME, *polls, *between, wanted=held)
    home = restore(7, json.loads(json.dumps(snapshot(home))), held)
    _, after = run(home, (300, frame(at=None)), (301, Tick()), (304, Tick()), wanted=held)
    assert [(kind, at) for kind, at, *_ in told([*before, *after])] == [("turned_on", 60), ("turned_off", 110)]


def test_a_poll_that_agrees_with_the_timeline_is_not_passed_over():
    listed = DevicesListed(read_device_list([DRYER]))
    polls = [(at, frame(DRYER, at=None)) for at in (141, 161, 181)]
    _, changes = run(
        HOME, (0, frame(at=None)), (1, listed), (121, frame(at=None)), (125, read(item("turned_on", 120.6))), *polls
    )
    assert told(changes) == [("turned_on", 120.6, "timeline", False)]
    assert readings(changes, "state", D) == ["OFF", "ON"]


def test_watts_that_may_be_those_of_an_earlier_run_are_corrected_by_the_next_poll():
    listed = DevicesListed(read_device_list([DRYER]))
    seen = [(0, frame(at=None)), (1, listed), (60, frame(at=None)), (75, read(item("turned_on", 70)))]
    polls = [(80, frame({**DRYER, "w": 77.0}, at=None)), (100, frame(DRYER, at=None)), (120, frame(DRYER, at=None))]
    _, changes = run(HOME, *seen, *polls)
    assert readings(changes, "power", D) == ["0", "77.0", "5584.7"]


def pushed(*items):
    return TimelineChange(added=items)


def test_a_short_run_that_no_frame_showed_is_told_soon_after_its_end():
    known = [*stream(0, 5, DRYER), *stream(5, 20)]  # so that the house knows the device
    home, _ = run(HOME, *known)
    run_of_4_s = [(31, pushed(item("turned_on", 30.2))), (35, pushed(item("turned_off", 34.4)))]
    home, changes = run(home, *stream(20, 31), *run_of_4_s[:1], *stream(31, 35), *run_of_4_s[1:], *stream(35, 49))
    assert told(changes) == []
    _, changes = run(home, *stream(49, 52))
    assert told(changes) == [("turned_on", 30.2, "timeline", False), ("turned_off", 34.4, "timeline", False)]


def test_in_a_hole_of_seconds_the_frames_after_it_decide():
    known = [*stream(0, 5, DRYER), *stream(5, 20)]
    on = (26, pushed(item("turned_on", 22.3)))
    _, changes = run(HOME, *known, (26, frame(at=23)), on, *stream(27, 60, DRYER))
    assert events(changes)[1:] == [(D, "turned_on", 27)]


def test_a_frame_that_shows_what_the_timeline_told_just_before_is_the_same_edge():
    known = [*stream(0, 5, DRYER), *stream(5, 20)]
    gap = [(20, Interrupted()), (24, pushed(item("turned_on", 22.3)))]
    _, changes = run(HOME, *known, *gap, (25, frame(at=23)), *stream(24, 60, DRYER))
    assert events(changes)[1:] == [(D, "turned_on", 22.3)]
    assert readings(changes, "state", D)[-1] == "ON"


def test_late_edges_stay_late_where_the_hosts_clock_is_hours_behind():
    behind = [(at - 7200, thing) for at, thing in [*stream(0, 5, DRYER), (5, Interrupted())]]
    late = (-7000, read(item("turned_off", 60), item("turned_on", 90), item("turned_off", 100)))
    later = (-6999, read(item("turned_off", 20), item("turned_on", 40)))
    _, changes = run(HOME, *behind, late, later)
    assert [(edge, at, is_late) for edge, at, _, is_late in told(changes)] == [
        ("turned_off", 60, False),
        ("turned_on", 90, False),
        ("turned_off", 100, False),
        ("turned_off", 20, True),
        ("turned_on", 40, True),
    ]


# --- what Sense takes back


def removed(*items, **more):
    return TimelineChange(removed=items, **more)


SHORT_RUN = (item("turned_on", 30.2, guid="a"), item("turned_off", 34.4, guid="b"))
KNOWN_AND_OFF = [*stream(0, 5, DRYER), *stream(5, 35)]

TAKEN_BACK = [
    pytest.param([(35.5, removed(*SHORT_RUN))], [], id="both edges"),
    pytest.param([(35.5, removed(SHORT_RUN[0])), (35.6, removed(SHORT_RUN[1]))], [], id="one after the other"),
    pytest.param([(35.5, removed(SHORT_RUN[1]))], [], id="its end alone: a run without an end is none"),
    pytest.param(
        [(35.5, removed(*(TimelineItem(D, i.edge, i.time) for i in SHORT_RUN)))], [], id="known by their times alone"
    ),
    pytest.param(
        [(35.5, removed(SHORT_RUN[1], updated=SHORT_RUN))], [30.2, 34.4], id="not: its end was taken into its run"
    ),
    pytest.param(
        [(35.5, removed(*SHORT_RUN)), (36, TimelineChange(added=SHORT_RUN))], [30.2, 34.4], id="not: it was added again"
    ),
    pytest.param([(35.5, removed(item("turned_on", 31.5, guid="z")))], [30.2, 34.4], id="not: it is another edge"),
    pytest.param([(90, removed(*SHORT_RUN))], [30.2, 34.4], id="not: it was told before"),
]


@pytest.mark.parametrize(("pushed_later", "told_at"), TAKEN_BACK)
def test_what_sense_takes_back_before_it_was_told_is_not_told(pushed_later, told_at):
    seen = [*stream(35, 140), (35, TimelineChange(added=SHORT_RUN)), *pushed_later]
    home, _ = run(HOME, *KNOWN_AND_OFF)
    _, changes = run(home, *sorted(seen, key=lambda each: each[0]))
    assert [at for _, at, *_ in told(changes)] == told_at


def test_an_edge_whose_item_was_taken_back_takes_the_next_one():
    gap = [(6, Interrupted()), (60, read(item("turned_on", 20, guid="a"))), *stream(60, 63, DRYER)]
    home, changes = run(
        HOME, *stream(0, 2), (1, DevicesListed(read_device_list([DRYER]))), *stream(2, 6), *gap[:1], *gap[2:]
    )
    assert told(changes) == [("turned_on", 60, "reconnect", False)]
    seen = [gap[1], (64, removed(item("turned_on", 20, guid="a"))), (65, pushed(item("turned_on", 50, guid="b")))]
    home, changes = run(home, *((63 + n, thing) for n, (_, thing) in enumerate(seen)), *stream(66, 120, DRYER))
    assert told(changes) == []
    assert [edge.told - START for edge in home.devices[D].known] == [50]


def test_what_is_taken_back_before_anything_was_seen_changes_nothing():
    home, changes = run(HOME, (0, removed(*SHORT_RUN)))
    assert (home, changes) == (HOME, [])
