"""The comparison itself: what is compared with the truth, and what counts as wrong."""

from dataclasses import replace

import pytest

from sense_mqtt.simulator.house.model import TrueTransition
from tests.support.faults.comparison import Conditions, ReceivedEvent, compare, read

ON = TrueTransition("a", "turned_on", 100.3)
OFF = TrueTransition("a", "turned_off", 110.7)
TOLD_ON = ReceivedEvent(1.0, "id1", "a", "turned_on", 100.0, "frame", late=False)
TOLD_OFF = ReceivedEvent(2.0, "id2", "a", "turned_off", 111.0, "frame", late=False)


def test_all_reported_once_is_all_well():
    comparison = compare([ON, OFF], [], [TOLD_ON, TOLD_OFF], Conditions())
    assert (comparison.transitions, comparison.delivered, comparison.sources) == (2, 2, {"frame": 2})
    assert not any([comparison.missing, comparison.invented, comparison.wrong_time, comparison.out_of_order])
    assert comparison.errors_s == {"frame": pytest.approx(0.3)}


def test_what_never_came_is_missing():
    comparison = compare([ON, OFF], [], [TOLD_ON], Conditions())
    assert (comparison.delivered, comparison.missing) == (1, ["a turned_off 110.700"])


def test_what_is_optional_may_come_and_need_not():
    assert compare([ON], [OFF], [TOLD_ON], Conditions()).missing == []
    assert compare([ON], [OFF], [TOLD_ON, TOLD_OFF], Conditions()).invented == []


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(replace(TOLD_ON, id="id3"), id="told under another id"),
        pytest.param(replace(TOLD_ON, id="id3", device="b"), id="of another device"),
        pytest.param(replace(TOLD_ON, id="id3", kind="idle"), id="of another kind"),
        pytest.param(read(3.0, {}), id="not even an event"),
        pytest.param(read(3.0, {"time": "yesterday"}), id="without a time"),
    ],
)
def test_an_event_that_reports_of_nothing_true_is_invented(event):
    comparison = compare([ON, OFF], [], [TOLD_ON, TOLD_OFF, event], Conditions())
    assert (len(comparison.invented), comparison.delivered) == (1, 2)


@pytest.mark.parametrize(
    ("source", "time", "is_right"),
    [
        pytest.param("frame", 99.4, True, id="a frame's second may have begun before"),
        pytest.param("frame", 99.2, False, id="but not more than one"),
        pytest.param("frame", 100.8, True, id="the next frame shows it"),
        pytest.param("frame", 101.0, False, id="the one after is too late"),
        pytest.param("timeline", 101.8, True, id="the timeline's clock is ahead by so much"),
        pytest.param("timeline", 100.3, False, id="and not by nothing"),
        pytest.param("reconnect", 140.0, True, id="found at the next checkpoint"),
        pytest.param("reconnect", 141.0, False, id="found after it"),
        pytest.param("reconnect", 99.0, False, id="found before it happened"),
    ],
)
def test_how_exact_a_time_must_be_depends_on_the_source(source, time, is_right):
    known = Conditions(checkpoints=(50.0, 140.0, 200.0), offset_s=1.5)
    comparison = compare([ON], [], [replace(TOLD_ON, source=source, time=time)], known)
    assert bool(comparison.wrong_time) is not is_right
    assert (comparison.missing, comparison.invented) == ([], [])


def test_a_frame_may_be_late_where_frames_were_lost():
    known = Conditions(checkpoints=(140.0,), lossy_spans=((90.0, 120.0),))
    assert compare([ON], [], [replace(TOLD_ON, time=115.0)], known).wrong_time == []


def test_a_polled_frame_is_reported_with_the_time_of_its_arrival_and_may_be_passed_over_once():
    known = Conditions(checkpoints=(120.0, 140.0), lag_s=1.0)
    assert compare([ON], [], [replace(TOLD_ON, time=141.0)], known).wrong_time == []
    assert compare([ON], [], [replace(TOLD_ON, time=142.0)], known).wrong_time != []


@pytest.mark.parametrize(
    ("known", "figures"),
    [
        pytest.param(Conditions(), (1, 0, 0), id="for no reason"),
        pytest.param(Conditions(kill_spans=((2.0, 3.0),)), (0, 1, 0), id="after a kill"),
        pytest.param(Conditions(connections=(2.0,)), (0, 0, 1), id="after a lost connection"),
        pytest.param(Conditions(kill_spans=((7.0, 8.0),), connections=(7.0,)), (1, 0, 0), id="the fault came later"),
    ],
)
def test_one_id_twice_is_doubled_and_the_reason_reported(known, figures):
    comparison = compare([ON], [], [TOLD_ON, replace(TOLD_ON, at=5.0)], known)
    assert (
        len(comparison.doubled_for_no_reason),
        comparison.doubled_after_kill,
        comparison.doubled_after_cut,
    ) == figures
    assert (comparison.delivered, comparison.invented) == (1, [])


@pytest.mark.parametrize("late", [False, True])
def test_only_a_late_event_may_come_after_a_newer_one(late):
    comparison = compare([ON, OFF], [], [TOLD_OFF, replace(TOLD_ON, late=late)], Conditions())
    assert bool(comparison.out_of_order) is not late
    assert comparison.delivered == 2
