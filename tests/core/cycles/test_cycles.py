"""Cycles, through `observe`: of a washer that pauses, two loads, gaps, restarts, polls, and of the timeline."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from sense_mqtt.core.changes import Change, DeviceChanged, Event
from sense_mqtt.core.cycles.capability import CYCLES
from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.edges import EdgeKind, timeline_edge
from sense_mqtt.core.home.state import Home, Interrupted, Policy
from sense_mqtt.core.home.timeline_events import TimelineRead
from sense_mqtt.core.observe import Seen
from sense_mqtt.core.stored_home import restore, snapshot
from sense_mqtt.core.timestamps import to_datetime
from tests.support.core.builders import HOME, KETTLE, START, frame, listed, policy, readings, run, written_events

ID = "71fd0a56"
TAGS = {"UserDeviceType": "Washer"}
WASHER = {"id": ID, "name": "Washer", "icon": "washer", "tags": TAGS, "w": 400.0}
PAUSE_S = 300

Runs = Iterable[tuple[int, int]]  # seconds after START: first with and first without power


def frames(runs: Runs, until: int, since: int = 0, step_s: int = 2, **washer: Any) -> list[tuple[float, Seen]]:
    """Return a frame each `step_s`; in the runs the washer draws 400 W."""
    device = {**WASHER, **washer}
    on = [range(start, end) for start, end in runs]
    return [
        (at, frame(*([device] if any(at in span for span in on) else []), at=at)) for at in range(since, until, step_s)
    ]


def follow(
    *parts: Iterable[tuple[float, Seen]], wanted: Policy | None = None, home: Home = HOME
) -> tuple[Home, list[Change]]:
    return run(home, *(seen for part in parts for seen in part), wanted=wanted)


def finished(changes: list[Change]) -> list[Mapping[str, Any]]:
    """Return the cycles that were told, times in seconds after START, without id and name."""
    cycles = [change for change in changes if isinstance(change, Event) and change.event_type == "cycle_finished"]
    return [{"time": cycle.time - START, **_plain(cycle.fields)} for cycle in cycles]


def _plain(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    started = {"started": fields["started"].timestamp() - START} if "started" in fields else {}
    return {key: value for key, value in fields.items() if key not in ("name", "source", "late")} | started


def restarted(home: Home, wanted: Policy | None = None) -> Home:
    return restore(7, {key: json.loads(json.dumps(row)) for key, row in snapshot(home).items()}, wanted or policy())


def test_phases_with_pauses_between_them_are_one_cycle_told_once_nothing_has_run_for_the_pause():
    pulses = [(at, at + 30) for at in range(60, 3660, 120)]
    home, changes = follow([*frames(pulses, 3570 + 299)])
    assert finished(changes) == []
    assert readings(changes, "running", ID) == ["ON"]
    _, changes = follow(frames(pulses, 4000, since=3570 + 299), home=home)
    assert finished(changes) == [
        {"time": 3570, "started": 60, "duration_s": 3510, "energy_kwh": 0.1, "peak_w": 400.0, "phases": 30}
    ]
    assert readings(changes, "running", ID) == ["OFF"]


def test_two_loads_in_a_row_are_two_cycles_and_a_pause_of_just_the_limit_belongs_to_one():
    _, changes = follow(frames([(10, 20), (320, 330), (700, 720)], 1100))
    assert [(cycle["started"], cycle["time"], cycle["phases"]) for cycle in finished(changes)] == [
        (10, 330, 2),
        (700, 720, 1),
    ]
    assert readings(changes, "running", ID) == ["ON", "OFF", "ON", "OFF"]


def test_the_event_has_what_every_event_has_and_an_id_that_does_not_change():
    _, changes = follow(frames([(10, 20)], 400))
    [told] = [c for c in changes if isinstance(c, Event) and c.event_type == "cycle_finished"]
    assert told.fields["name"] == "Washer"
    assert told.fields["source"] == "frame"
    assert told.fields["late"] is True  # told more than a minute after it (contract 2.1)
    assert told.fields["started"] == to_datetime(START + 10)
    home, _ = follow(frames([(10, 20)], 100))
    _, again = follow(frames([], 400, since=101), home=restarted(home))
    assert {event["id"] for event in written_events(again)} == {written_events([told])[0]["id"]}


@pytest.mark.parametrize("pause_s", [30.0, 600.0])
def test_the_pause_is_what_is_configured_and_a_short_one_is_told_in_time(pause_s: float):
    wanted = policy({ID: DeviceRules(off_delay_s=0.0, cycle_pause_s=pause_s)})
    _, changes = follow(frames([(10, 20)], 20 + int(pause_s)), wanted=wanted)
    assert finished(changes) == []
    _, changes = follow(frames([(10, 20)], 21 + int(pause_s)), wanted=wanted)
    [told] = [c for c in changes if isinstance(c, Event) and c.event_type == "cycle_finished"]
    assert told.fields["late"] is (pause_s > 60)


def test_a_device_of_another_type_has_no_cycle_unless_it_is_configured():
    kettle = [(at, frame(*([KETTLE] if 10 <= at < 20 else []), at=at)) for at in range(400)]
    _, changes = follow(kettle)
    assert readings(changes, "running", "99aabbcc") == []
    _, changes = follow(kettle, wanted=policy({"99aabbcc": DeviceRules(cycle_pause_s=300.0)}))
    assert readings(changes, "running", "99aabbcc") == ["ON", "OFF"]
    assert len(finished(changes)) == 1


def test_a_washer_without_a_cycle_by_configuration_has_none_and_its_entity_is_described_anew():
    home, _ = follow(frames([(10, 20)], 100))
    off = policy({ID: DeviceRules(off_delay_s=0.0, cycle_pause_s=0.0)})
    after, changes = follow(frames([], 500, since=101), wanted=off, home=restarted(home, off))
    assert finished(changes) == []
    assert DeviceChanged(ID) in changes
    assert not CYCLES.has_entities(CYCLES.state_of(after), ID)


# --- delays, plugs, thresholds


def test_delays_hold_edges_back_but_lose_no_energy_and_no_time():
    wanted = policy({ID: DeviceRules(on_delay_s=20.0, off_delay_s=30.0)})
    _, changes = follow(frames([(100, 1000)], 1400), wanted=wanted)
    [cycle] = finished(changes)
    assert (cycle["started"], cycle["time"], cycle["energy_kwh"], cycle["phases"]) == (100, 1000, 0.1, 1)


def test_a_flicker_shorter_than_the_delay_begins_no_cycle_and_adds_nothing_to_the_next():
    wanted = policy({ID: DeviceRules(on_delay_s=20.0, off_delay_s=0.0)})
    _, changes = follow(frames([(10, 20), (100, 1000)], 1400), wanted=wanted)
    [cycle] = finished(changes)
    assert (cycle["started"], cycle["energy_kwh"]) == (100, 0.1)


def test_a_phase_that_is_held_back_at_the_end_of_the_pause_still_belongs_to_the_cycle():
    wanted = policy({ID: DeviceRules(on_delay_s=60.0, off_delay_s=0.0)})
    _, changes = follow(frames([(100, 200), (490, 600)], 1000), wanted=wanted)
    assert [(cycle["started"], cycle["time"], cycle["phases"]) for cycle in finished(changes)] == [(100, 600, 2)]


def test_a_plug_that_idles_between_its_phases_runs_on_and_its_standby_counts_as_energy():
    def plug(at: int) -> dict[str, Any]:
        is_on = 0 < at <= 100 or 200 < at <= 300
        return {
            **WASHER,
            "w": 360.0 if is_on else 36.0 if 100 < at <= 200 else 1.0,
            "sd": {},
            "attrs": [] if is_on else ["Idle"],
        }

    _, changes = follow((at, frame(plug(at), at=at)) for at in range(700))
    [cycle] = finished(changes)
    assert (cycle["started"], cycle["time"], cycle["phases"]) == (1, 301, 2)
    assert cycle["energy_kwh"] == round((200 * 360 + 100 * 36) / 3.6e6, 3)


# --- gaps, restarts, the timeline, polls


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


# --- what is stored


@pytest.mark.parametrize(
    "damaged",
    [
        {}, {"cycle": {"phases": "x"}}, {"cycle": {"phases": 0}}, {"cycle": 3},
        {"last": [1], "tally": [1, 2]}, {"tally": [None, 0.0, 0.0, True]}, {"last": ["a", 1.0]},
    ],
)  # fmt: skip
def test_damaged_storage_is_as_if_nothing_were_known(damaged: Any):
    home, _ = follow(frames([(10, 400)], 100))
    rows = {**snapshot(home), ("cycles", ID): damaged}
    _, changes = follow(frames([(10, 400)], 800, since=100), home=restore(7, rows, policy()))
    assert finished(changes) == [{"time": 400, "started": 10, "duration_s": 390, "phases": 1}]


def test_a_home_without_such_devices_stores_nothing():
    home, _ = follow((at, frame(KETTLE, at=at)) for at in range(3))
    assert not [key for key in snapshot(home) if key[0] == "cycles"]


def test_a_washer_that_no_frame_has_shown_yet_is_neither_running_nor_not():
    home, changes = follow([(0, listed(WASHER))])
    assert CYCLES.has_entities(CYCLES.state_of(home), ID)
    assert readings(changes, "running", ID) == []
    assert readings(follow(frames([], 4), home=home)[1], "running", ID) == ["OFF"]
