"""Cycles of which not all was seen: gaps, restarts, polls, and what the timeline knows."""

from typing import Any

import pytest

from sense_mqtt.core.cycles.capability import CYCLES
from sense_mqtt.core.edges import EdgeKind, timeline_edge
from sense_mqtt.core.home.state import Interrupted
from sense_mqtt.core.home.timeline_events import TimelineRead
from tests.support.core.builders import HOME, KETTLE, START, frame, listed, readings, run
from tests.support.core.washer import ID, WASHER, finished, follow, frames, restarted


def test_a_restart_in_the_middle_of_a_phase_changes_nothing():
    home, before = follow(frames([(10, 1810)], 900))
    after, changes = follow(frames([(10, 1810)], 2200, since=900), home=restarted(home))
    [cycle] = finished([*before, *changes])
    assert cycle == {
        "time": 1810, "started": 10, "duration_s": 1800, "energy_kwh": 0.2, "peak_w": 400.0, "phases": 1
    }  # fmt: skip
    assert readings(changes, "running", ID) == ["ON", "OFF"]
    assert finished(follow(frames([], 2600, since=2200), home=restarted(after))[1]) == []  # nor is it told twice


def test_after_a_crash_in_a_phase_at_most_half_a_minute_of_frames_is_missing_and_filled_in():
    stored, home = HOME, HOME
    for at, seen in frames([(10, 1810)], 905):
        home, changes = run(home, (at, seen))
        if not all(type(change).__name__ == "Reading" for change in changes):
            stored = home
    [cycle] = finished(follow(frames([(10, 1810)], 2200, since=920), home=restarted(stored))[1])
    assert (cycle["started"], cycle["energy_kwh"], cycle["phases"]) == (10, 0.2, 1)


def test_energy_and_peak_are_absent_where_a_long_gap_hides_some_of_it():
    home, _ = follow(frames([(10, 1810)], 900), [(900, Interrupted())])
    [cycle] = finished(follow(frames([(10, 1810)], 2200, since=1200), home=home)[1])
    assert cycle == {"time": 1810, "started": 10, "duration_s": 1800, "phases": 1}


def test_energy_is_absent_where_what_a_short_gap_hides_is_more_than_a_hundredth():
    quiet, loud = frames([(10, 100)], 100), frames([(10, 300)], 700, since=160, w=4000.0)
    _, changes = follow(quiet, loud)
    [cycle] = finished(changes)
    assert "energy_kwh" not in cycle
    assert cycle["peak_w"] == 4000.0


def item(kind: EdgeKind, at: float) -> Any:
    return timeline_edge(ID, kind, START + at, f"{kind}-{at}")


def test_phases_in_an_outage_that_only_the_timeline_knows_belong_to_the_cycle_without_their_energy():
    home, _ = follow(frames([(10, 60)], 100), [(100, Interrupted())])
    timeline = TimelineRead(tuple(item(kind, at) for kind, at in [
        (EdgeKind.TURNED_ON, 200), (EdgeKind.TURNED_OFF, 260), (EdgeKind.TURNED_ON, 400), (EdgeKind.TURNED_OFF, 450),
    ]))  # fmt: skip
    _, changes = follow([(2000, timeline)], frames([], 2010, since=2000), home=home)
    assert finished(changes) == [{"time": 450, "started": 10, "duration_s": 440, "phases": 3}]


def test_two_loads_of_which_an_outage_hides_the_end_of_one_and_the_begin_of_the_other_are_two():
    home, _ = follow(frames([(10, 2000)], 100), [(100, Interrupted())])
    timeline = TimelineRead((item(EdgeKind.TURNED_OFF, 300), item(EdgeKind.TURNED_ON, 900)))
    _, changes = follow([(1200, timeline)], frames([(900, 1500)], 1900, since=1200), home=home)
    assert finished(changes) == [
        {"time": 300, "started": 10, "duration_s": 290, "phases": 1},
        {"time": 1500, "started": 900, "duration_s": 600, "phases": 1},
    ]


def test_an_end_that_nobody_saw_is_the_first_frame_that_shows_it():
    home, _ = follow(frames([(10, 2000)], 100), [(100, Interrupted())])
    _, changes = follow(frames([], 1900, since=1000), home=home)
    assert [(cycle["started"], cycle["time"]) for cycle in finished(changes)] == [(10, 1000)]


def test_after_a_gap_in_the_pause_the_timeline_has_time_to_tell_of_one_more_phase():
    home, _ = follow(frames([(10, 60)], 100), [(100, Interrupted())])
    home, changes = follow(frames([], 640, since=350), home=home)
    assert finished(changes) == []
    late = TimelineRead((item(EdgeKind.TURNED_ON, 200), item(EdgeKind.TURNED_OFF, 260)))
    _, changes = follow([(640, late)], frames([], 1000, since=640), home=home)
    assert [(cycle["started"], cycle["time"], cycle["phases"]) for cycle in finished(changes)] == [(10, 260, 2)]


def test_what_the_timeline_tells_of_a_cycle_that_was_told_changes_nothing():
    home, _ = follow(frames([(10, 60)], 100), [(100, Interrupted())])
    home, changes = follow(frames([], 1000, since=350), home=home)
    assert len(finished(changes)) == 1
    older = TimelineRead((item(EdgeKind.TURNED_ON, 2), item(EdgeKind.TURNED_OFF, 5)))
    _, changes = follow([(1000, older)], frames([], 1400, since=1000), home=home)
    assert finished(changes) == []
    assert readings(changes, "running", ID) == []


def test_without_frames_nobody_knows_whether_it_still_pauses():
    home, _ = follow(frames([(10, 60)], 100), [(100, Interrupted())])
    timeline = TimelineRead(())
    home, changes = follow([(4000, timeline)], home=home)
    assert finished(changes) == []
    _, changes = follow(frames([], 4010, since=4000), home=home)
    assert [(cycle["started"], cycle["time"]) for cycle in finished(changes)] == [(10, 60)]


def test_a_poll_a_minute_is_enough_for_a_steady_dryer():
    polls = [(at, frame(*([WASHER] if 60 <= at <= 3600 else []), at=None)) for at in range(0, 4800, 60)]
    _, changes = follow(polls)
    [cycle] = finished(changes)
    assert (cycle["started"], cycle["time"], cycle["phases"]) == (60, 3660, 1)
    assert cycle["energy_kwh"] == pytest.approx(0.4, rel=0.01)


def test_a_washer_that_ran_when_it_was_first_seen_has_no_begin_and_no_energy():
    _, changes = follow(frames([(0, 60)], 400))
    assert finished(changes) == [{"time": 60, "phases": 1}]
    assert readings(changes, "running", ID) == ["ON", "OFF"]


def test_a_monitor_whose_clock_is_set_back_ends_the_cycle():
    home, _ = follow(frames([(5010, 5060)], 5100, since=5000))
    back = [(5100.0 + at, frame(at=at)) for at in range(3)]
    assert len(finished(follow(back, home=home)[1])) == 1


def test_a_washer_that_is_gone_is_forgotten_and_one_that_comes_is_found():
    home, _ = follow(frames([(10, 20)], 100))
    gone = [(100 + 600 * number, listed(KETTLE)) for number in range(8)]
    home, _ = follow(gone, home=home)
    assert ID not in home.devices
    assert not CYCLES.state_of(home).appliances
    home, changes = follow(frames([(9000, 9010)], 9400, since=8990), home=home)
    assert len(finished(changes)) == 1
