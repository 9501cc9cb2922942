"""Readings that have changed while their interval runs."""

import math

from sense_mqtt.core.home.state import Home, Tick, Waiting
from tests.support.core.builders import DRYER, frame, policy, readings, run

DRYER_POWER, DAY = ("1a2b3c4d", "power"), (None, "energy/day")


def test_what_waits_is_due_when_its_interval_is_over_the_first_first():
    waiting = Waiting().with_more({DRYER_POWER: 60.0, DAY: 70.0})
    assert waiting.first == 60.0
    assert waiting.due(59.0) == []
    assert waiting.due(60.0) == [DRYER_POWER]
    device, key = DRYER_POWER
    assert waiting.not_held([device, "other"], key, 59.0) == ["other"]
    assert waiting.not_held([device], key, 60.0) == [device]


def test_what_is_done_waits_no_more():
    waiting = Waiting().with_more({DRYER_POWER: 60.0}).without([DRYER_POWER], {})
    assert (waiting.due(60.0), waiting.first) == ([], math.inf)


def test_what_is_due_goes_on_waiting_while_something_else_begins_to():
    waiting = Waiting().with_more({DRYER_POWER: 60.0}).with_more({DAY: 100.0})
    assert waiting.due(61.0) == [DRYER_POWER]


def test_a_device_that_changes_while_its_interval_runs_is_published_once_that_is_over_without_a_further_change():
    wanted = policy(stale_after_s=300.0)
    other = DRYER | {"w": 5000.0}
    home, _ = run(Home(7), (0.0, frame(DRYER)), (5.0, frame(other, at=5.0)), (5.5, frame(other, at=5.5)), wanted=wanted)
    home, early = run(home, (59.0, Tick()), (59.5, frame(other, at=59.5)), wanted=wanted)
    _, changes = run(home, (60.0, Tick()), (60.5, frame(other, at=60.5)), wanted=wanted)
    assert readings(early, "power", "1a2b3c4d") == []
    assert readings(changes, "power", "1a2b3c4d") == ["5000.0"]


def test_a_device_that_is_as_published_when_its_interval_is_over_is_not_published():
    wanted = policy(stale_after_s=300.0)
    seen = [(at, frame(DRYER | {"w": w}, at=at)) for at, w in ((0.0, 10.0), (5.0, 20.0), (6.0, 10.0), (61.0, 10.0))]
    home, changes = run(Home(7), *seen, wanted=wanted)
    assert readings(changes, "power", "1a2b3c4d") == ["10.0"]
    assert home.waiting == Waiting()
