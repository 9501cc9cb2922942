"""What Sense's timeline tells between polls."""

import json

import pytest

from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.home.snapshot import restore, snapshot
from sense_mqtt.core.home.state import DevicesListed, Interrupted, Tick
from sense_mqtt.core.wire.devices import read_device_list
from tests.support.core.builders import DRYER, HOME, frame, policy, readings, run
from tests.support.core.timeline import D, edges, item, published, read


@pytest.mark.parametrize("polls", [range(0, 600, 60)])
def test_runs_between_polls_are_published_from_the_timeline(polls):
    frames = [(at, frame(at=None)) for at in polls]
    listed = DevicesListed(read_device_list([DRYER, {"id": "always_on"}]))
    runs = read(item("turned_on", 130), item("turned_off", 140), item("turned_on", 250), item("turned_off", 262))
    _, changes = run(HOME, (0, listed), *frames, (600, runs), (600, frame(at=None)), (601, Tick()))
    assert edges(changes) == [
        ("turned_on", 130),
        ("turned_off", 140),
        ("turned_on", 250),
        ("turned_off", 262),
    ]


def test_a_poll_that_shows_the_device_on_and_the_item_of_that_time_are_one_edge():
    _, changes = run(
        HOME,
        (0, frame(at=None)),
        (60, frame(DRYER, at=None)),
        (120, frame(DRYER, at=None)),
        (130, read(item("turned_on", 12), item("turned_off", 20), item("turned_on", 55))),
        (180, frame(DRYER, at=None)),
    )
    assert edges(changes) == [("turned_on", 60), ("turned_on", 12), ("turned_off", 20)]


def test_a_poll_that_may_be_older_than_an_edge_of_the_timeline_does_not_undo_it():
    listed = DevicesListed(read_device_list([DRYER]))
    seen = [(0, frame(at=None)), (1, listed), (2, Interrupted()), (60, read(item("turned_on", 50)))]
    _, changes = run(HOME, *seen, (60, frame(at=None)), (120, frame(DRYER, at=None)), (180, frame(at=None)))
    assert edges(changes) == [("turned_on", 50), ("turned_off", 180)]


def test_polls_say_nothing_of_the_offset_of_the_clocks():
    polls = [(at, frame(*([DRYER] if at % 4 else []), at=None)) for at in range(0, 40, 2)]
    home, _ = run(HOME, *polls, (40, read(*(item("turned_on", at - 9) for at in range(10, 38, 4)))))
    assert home.coverage.offset_s == 0


def test_an_edge_that_the_timeline_reported_before_a_poll_showed_it_is_published_once():
    listed = DevicesListed(read_device_list([DRYER]))
    seen = [(0, frame(at=None)), (1, listed), (60, frame(at=None)), (61, read(item("turned_on", 45)))]
    _, changes = run(HOME, *seen, (120, frame(DRYER, at=None)), (180, frame(DRYER, at=None)))
    assert edges(changes) == [("turned_on", 45)]
    assert readings(changes, "state", D) == ["OFF", "ON"]
    assert readings(changes, "power", D) == ["0", "5584.7"]


def test_after_a_restart_while_the_change_of_a_poll_is_held_back_nothing_is_published_twice():
    held = policy({D: DeviceRules(off_delay_s=2)})
    polls = [(0, frame(at=None)), (60, frame(DRYER, at=None)), (120, frame(DRYER, at=None))]
    between = [(121, read(item("turned_on", 50), item("turned_off", 110))), (180, frame(at=None))]
    home, before = run(HOME, *polls, *between, wanted=held)
    home = restore(7, json.loads(json.dumps(snapshot(home))), held)
    _, after = run(home, (300, frame(at=None)), (301, Tick()), (304, Tick()), wanted=held)
    assert edges([*before, *after]) == [("turned_on", 60), ("turned_off", 110)]


def test_a_poll_that_agrees_with_the_timeline_is_not_ignored():
    listed = DevicesListed(read_device_list([DRYER]))
    polls = [(at, frame(DRYER, at=None)) for at in (141, 161, 181)]
    _, changes = run(
        HOME, (0, frame(at=None)), (1, listed), (121, frame(at=None)), (125, read(item("turned_on", 120.6))), *polls
    )
    assert published(changes) == [("turned_on", 120.6, "timeline", False)]
    assert readings(changes, "state", D) == ["OFF", "ON"]


def test_power_that_may_be_that_of_an_earlier_run_is_corrected_by_the_next_poll():
    listed = DevicesListed(read_device_list([DRYER]))
    seen = [(0, frame(at=None)), (1, listed), (60, frame(at=None)), (75, read(item("turned_on", 70)))]
    polls = [(80, frame({**DRYER, "w": 77.0}, at=None)), (100, frame(DRYER, at=None)), (120, frame(DRYER, at=None))]
    _, changes = run(HOME, *seen, *polls)
    assert readings(changes, "power", D) == ["0", "77.0", "5584.7"]
