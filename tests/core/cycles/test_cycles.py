"""Cycles, through `observe`: of a washer that pauses, two loads, gaps, restarts, polls, and of the timeline."""

from typing import Any

import pytest

from sense_mqtt.core.changes import DeviceChanged, Event, ReadingRemoved, StateChanged
from sense_mqtt.core.cycles.capability import CYCLES
from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.stored_home import restore, snapshot
from sense_mqtt.core.timestamps import to_datetime
from tests.support.core.builders import KETTLE, START, frame, listed, policy, readings, written_events
from tests.support.core.washer import ID, WASHER, finished, follow, frames, restarted


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


def test_another_device_that_switches_within_a_cycle_is_no_phase_of_it():
    rows = [(at, frame(*[WASHER] * (10 <= at < 40), *[KETTLE] * (20 <= at < 30), at=at)) for at in range(400)]
    _, changes = follow(rows)
    [cycle] = finished(changes)
    assert (cycle["started"], cycle["time"], cycle["phases"]) == (10, 40, 1)


def test_the_event_has_what_every_event_has_and_an_id_that_does_not_change():
    _, changes = follow(frames([(10, 20)], 400))
    [told] = [c for c in changes if isinstance(c, Event) and c.event_type == "cycle_finished"]
    assert told.fields["name"] == "Washer"
    assert told.fields["source"] == "frame"
    assert told.fields["late"] is True  # told more than a minute after it
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
    assert changes.count(ReadingRemoved(ID, "running")) == 1
    assert not CYCLES.has_entities(CYCLES.state_of(after), ID)


def test_a_washer_that_has_a_cycle_again_has_running_again():
    off = policy({ID: DeviceRules(off_delay_s=0.0, cycle_pause_s=0.0)})
    home, _ = follow(frames([(10, 20)], 100), frames([], 400, since=100))
    home, changes = follow([(400, listed({**WASHER, "name": "W"}))], frames([], 410, since=401), wanted=off, home=home)
    assert ReadingRemoved(ID, "running") in changes
    _, changes = follow([(410, listed(WASHER))], frames([], 420, since=411), home=home)
    assert readings(changes, "running", ID) == ["OFF"]


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


def test_what_is_told_of_a_cycle_is_stored_for_good_and_its_progress_need_not_survive_a_cut_of_power():
    _, changes = follow(frames([(10, 60)], 400))
    stored = [each.synced for each in changes if isinstance(each, StateChanged) and each.capability == "cycles"]
    assert stored[0]  # `running` is ON
    assert len(stored) > 30
    assert not any(stored[1:])
