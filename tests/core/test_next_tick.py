"""A home is looked at when that is due, and nothing is published otherwise than by looking each second."""

import math
from random import Random

import pytest

from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.energy.by_period import EnergyByPeriod
from sense_mqtt.core.home.state import Interrupted, Tick
from sense_mqtt.core.home.timeline_events import TimelineRead
from sense_mqtt.core.next_tick import next_tick
from sense_mqtt.core.observe import observe
from sense_mqtt.core.timestamps import write_timestamp
from sense_mqtt.core.wire.timeline import read_items
from tests.support.core.builders import DRYER, HOME, KETTLE, SOLAR, START, frame, moment, policy, readings, run
from tests.support.seeds import seeds

WANTED = policy({"1a2b3c4d": DeviceRules(on_delay_s=3.0, off_delay_s=20.0)}, stale_after_s=45.0)


def due_after_frame(*, at):
    """Return in how many seconds the Tick after one at `at` is due; the only frame came at 0."""
    home, _ = run(HOME, (0.0, frame(KETTLE)), (at, Tick()), wanted=WANTED)
    return next_tick(home, moment(at).monotonic, WANTED) - moment(at).monotonic


def test_a_home_without_frames_is_not_due():
    assert next_tick(HOME, 0.0, WANTED) == math.inf


def test_a_home_that_went_offline_is_not_due():
    assert due_after_frame(at=46.0) == math.inf


@pytest.mark.parametrize(
    ("at", "due_s"),
    [
        pytest.param(1.0, 9.0, id="the interval of the house's readings"),
        pytest.param(10.0, 35.0, id="the home goes offline"),
        pytest.param(45.0, 0.0, id="at the very end of the time without frames"),
    ],
)
def test_a_home_is_due_when_its_next_interval_is_over(at, due_s):
    assert due_after_frame(at=at) == pytest.approx(due_s, abs=0.01)


def test_an_interval_that_ends_between_two_frames_is_left_to_the_next_one_while_frames_come():
    home, _ = run(HOME, (0.0, frame(w=100.0)), (9.7, frame(at=9.7, w=200.0)), wanted=WANTED)
    ticked, nothing = run(home, (10.1, Tick()), wanted=WANTED)
    assert readings(nothing, "power") == []
    assert next_tick(ticked, moment(10.1).monotonic, WANTED) == pytest.approx(moment(10.7).monotonic, abs=0.01)
    _, changes = run(ticked, (10.2, frame(at=10.2, w=300.0)), wanted=WANTED)
    assert readings(changes, "power") == ["300.0"]
    _, changes = run(ticked, (10.7, Tick()), wanted=WANTED)  # no frame came
    assert readings(changes, "power") == ["200.0"]


def test_a_home_with_a_change_held_back_is_due_at_once():
    home, _ = run(HOME, (0.0, frame()), (1.0, frame(DRYER, at=1.0)), (2.0, frame(at=2.0)), wanted=WANTED)
    home, _ = run(home, (3.0, frame(DRYER, at=3.0)), wanted=WANTED)
    assert next_tick(home, moment(3.0).monotonic, WANTED) == moment(3.0).monotonic


class EachMinute(EnergyByPeriod):
    """A capability that time alone changes."""

    def tick_after_s(self, _state, _now):
        return 60.0


@pytest.mark.parametrize(
    ("at", "due_s"), [pytest.param(46.0, 60.0, id="offline"), pytest.param(1.0, 9.0, id="another interval ends before")]
)
def test_a_capability_gets_its_ticks_also_while_the_home_is_offline(at, due_s):
    home, _ = run(HOME, (0.0, frame(KETTLE)), (at, Tick()), wanted=WANTED)
    now = moment(at).monotonic
    assert next_tick(home, now, WANTED, [EachMinute()]) - now == pytest.approx(due_s, abs=0.01)


def happenings(random):
    """Yield (second, what is observed then) of an hour with frames, silences, gaps and the timeline."""
    at, is_on = 0, False
    while at < 3600:
        is_on ^= random.random() < 0.2
        draws = [{**DRYER, "w": random.uniform(1, 9000)}] if is_on else []
        solar = {"solar_w": random.uniform(0, 900)} if random.random() < 0.7 else {}
        polled = random.random() < 0.3
        yield at, frame(*draws, KETTLE, SOLAR, at=None if polled else at, w=random.uniform(100, 9999), **solar)
        if random.random() < 0.1:
            yield at, Interrupted()
        if random.random() < 0.1:
            item = {
                "type": "DeviceOn",
                "device_id": "1a2b3c4d",
                "time": write_timestamp(START + at - 5),
                "guid": f"g{at}",
            }
            yield at, TimelineRead(read_items([item]))
        at += random.choice([1, 1, 2, 7, 30, 60, 200])


def watch(seen, *, each_second):
    """Return (second, change) of all changes; ticks come each second, or only when one is due."""
    home, changes, due = HOME, [], -math.inf
    by_second = {}
    for at, thing in seen:
        by_second.setdefault(at, []).append(thing)
    for at in range(3800):
        now = moment(float(at))
        for thing in by_second.get(at, ()):
            home, more = observe(home, thing, now, WANTED)
            changes += [(at, change) for change in more]
            due = now.monotonic
        if each_second or now.monotonic >= due:
            home, more = observe(home, Tick(), now, WANTED)
            changes += [(at, change) for change in more]
            due = next_tick(home, now.monotonic, WANTED)
    return changes


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", seeds(5, quick=1))
def test_ticks_that_are_not_due_would_change_nothing(seed):
    seen = list(happenings(Random(seed)))
    assert watch(seen, each_second=False) == watch(seen, each_second=True)
