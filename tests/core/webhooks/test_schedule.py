"""When the next post to a webhook may begin."""

import math

from sense_mqtt.core.backoff import Backoff
from sense_mqtt.core.webhooks.schedule import PostSchedule


def schedule() -> PostSchedule:
    return PostSchedule(lambda _least, most: most, Backoff(1.0, 8.0))


def test_a_new_hook_is_tried_at_once():
    new = schedule()
    assert (new.due(), new.waiting_lanes(0.0), new.next_lane_due(0.0)) == (-math.inf, frozenset(), math.inf)


def test_a_hook_that_is_away_is_tried_with_waits_that_grow_up_to_a_bound():
    hook, due = schedule(), []
    for _ in range(5):
        hook.away(100.0, 0.0)
        due.append(hook.due() - 100.0)
    assert due == [1, 2, 4, 8, 8]
    hook.delivered("dryer")
    hook.away(100.0, 0.0)
    assert hook.due() == 101.0


def test_what_the_hook_asks_for_is_waited():
    hook = schedule()
    hook.away(100.0, 60.0)
    assert hook.due() == 160.0


def test_an_event_that_is_refused_holds_up_its_own_lane_only():
    hook = schedule()
    hook.refused("dryer", 100.0)
    hook.refused("dryer", 101.0)
    hook.refused("kettle", 101.5)
    assert hook.due() == -math.inf
    assert hook.waiting_lanes(102.0) == {"dryer", "kettle"}
    assert hook.next_lane_due(102.0) == 102.5
    assert hook.waiting_lanes(102.5) == {"dryer"}
    hook.delivered("kettle")
    assert (hook.waiting_lanes(103.0), hook.next_lane_due(103.0)) == (frozenset(), math.inf)
    hook.delivered("dryer")
    hook.refused("dryer", 103.0)
    assert hook.next_lane_due(103.0) == 104.0
