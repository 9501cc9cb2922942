"""Frames that are a minute apart: nobody knows when in between a device switched, and no meter may shrink."""

import random

import pytest

from sense_mqtt.core.capability import HOUSE
from sense_mqtt.core.meters.total import METERS
from tests.support.core.builders import HOME, KETTLE, START, frame, policy, run
from tests.support.core.meter_figures import HOUR, NIGHT, figures, kilowatts, restarted, told, totals

POLLS = policy(stale_after_s=150.0)
KETTLE_ID, KW = "99aabbcc", 1.5
METER = (KETTLE_ID, "consumption_kwh")
FIRST = (NIGHT - START) / HOUR  # when the hour that holds START begins, in hours after START


def polls(first, last, *runs):
    """Return a frame each minute, the kettle on between both times of each of `runs`; all in hours after START."""
    times = [first * HOUR + 60 * number for number in range(round((last - first) * 60))]
    off = {**KETTLE, "w": 0.0}
    return [(at, frame(KETTLE if any(on <= at / HOUR < end for on, end in runs) else off, at=at)) for at in times]


def settled(*kwh):
    """Return Sense's answers about the kettle's hours since FIRST, the last of which is over: said twice."""
    over = FIRST + len(kwh)
    return [((over + late) * HOUR, told(*[1.0] * len(kwh), devices={KETTLE_ID: kwh})) for late in (0.1, 0.3)]


@pytest.mark.parametrize("used_s", [61, 90, 119])
def test_of_a_short_run_nothing_is_published_that_its_hour_does_not_settle(used_s):
    home, changes = run(HOME, *polls(0, 1.9, (1.499, 1.501)), wanted=POLLS)
    assert totals(home)[METER] == pytest.approx(KW * 60 / 3600, abs=0.001)
    true = KW * used_s / 3600
    assert max(figures(changes, KETTLE_ID)) < true
    home, changes = run(home, *settled(0.0, true), wanted=POLLS)
    assert figures(changes, KETTLE_ID) == [pytest.approx(true, abs=0.001)]


def test_what_a_device_is_certain_to_have_used_is_published_before_its_hour_is_settled():
    _, changes = run(HOME, *polls(0, 1.0, (0.1, 2.0)), wanted=POLLS)
    true = KW * 0.9
    assert 0.97 * true < figures(changes, KETTLE_ID)[-1] < true


def test_what_is_counted_of_frames_that_follow_each_other_closely_is_certain():
    seen = [(at, frame(*([KETTLE] if 100 <= at < 200 else []), at=at)) for at in range(0, 300, 2)]
    _, changes = run(HOME, *seen)
    assert figures(changes, KETTLE_ID)[-1] == pytest.approx(KW * 100 / 3600, abs=0.001)


def test_of_the_house_all_that_is_counted_is_published_as_it_never_stands_still():
    home, changes = run(HOME, *kilowatts(1.0, 0, 0.2), *kilowatts(3.0, 0.21, 0.4))
    assert figures(changes)[-1] == pytest.approx(totals(home)[HOUSE, "consumption_kwh"], abs=0.03)


@pytest.mark.parametrize("seed", range(2))
def test_after_each_hour_of_short_runs_the_settled_figure_is_the_truth(seed):
    chance, used = random.Random(seed), [0.0]
    home, _ = run(HOME, *polls(0, 0.9), wanted=POLLS)
    for hour in range(1, 5):
        runs = [(on := hour + part + chance.uniform(0, 0.2), on + chance.uniform(0.01, 0.08)) for part in (0.0, 0.4)]
        used.append(sum(KW * (end - on) for on, end in runs))
        home, _ = run(home, *polls(hour - 0.1, hour + 0.9, *runs), *settled(*used), wanted=POLLS)
        home, _ = run(home, *polls(hour + 1.2, hour + 1.3), wanted=POLLS)
        newest = home.published[KETTLE_ID, "energy/total"].value["consumption_kwh"]
        assert newest == pytest.approx(sum(used), abs=0.001)


def test_what_is_not_certain_is_not_published_after_a_crash_either():
    before = polls(0, 1.5, (1.299, 1.301), (1.4, 1.6))
    home, _ = run(HOME, *before, wanted=POLLS)
    before = METERS.state_of(home)
    assert before.shown[METER] < before.totals[METER]
    home, changes = run(restarted(home), *polls(1.5, 1.52, (1.4, 1.6)), wanted=POLLS)
    assert figures(changes, KETTLE_ID) == []
    home, changes = run(home, *polls(1.52, 1.9, (1.4, 1.6)), *settled(0.0, 0.31), wanted=POLLS)
    assert figures(changes, KETTLE_ID)[-1] == pytest.approx(0.31, abs=0.001)
