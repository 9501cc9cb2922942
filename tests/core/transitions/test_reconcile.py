"""Which edges of the timeline are published: the rules of docs/decisions/0002-reconciling-frames-and-timeline.md."""

from itertools import product

import pytest
from msgspec.structs import replace

from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.edges import Edge
from sense_mqtt.core.transitions.on_off import Context
from sense_mqtt.core.transitions.reconcile import DECISIONS, PUBLISHED, Decision, Observed, Shape, reconcile
from tests.support.core.edges import DEVICE, IDLE, OFF, ON, STREAM, item, shown

RULES = DeviceRules(off_delay_s=2.0)
GAP = replace(STREAM, unobserved=((100.0, 400.0),))
INTERRUPTED = replace(STREAM, is_interrupted=True)


def decide(coverage, items, edges=(), rules=RULES, *, is_on=False):
    return reconcile(items, Context(DEVICE, rules, edges, coverage), 2000.0, is_on=is_on)


def test_every_combination_has_a_decision():
    assert set(DECISIONS) == set(product(Observed, Shape))
    assert set(DECISIONS.values()) == {Decision.WAIT, Decision.DROP_OBSERVED, *PUBLISHED}


CASES = [
    # claim, coverage, published edges, items, items that are published, clock offsets
    ("an edge that a frame showed is the same edge", STREAM, [shown(ON, 200)], [item(ON, 204)], [], [4.0]),
    ("an edge in a gap is published", GAP, [], [item(ON, 200)], [(ON, 200)], []),
    ("a whole run in a gap is published", GAP, [], [item(ON, 200), item(OFF, 230)], [(ON, 200), (OFF, 230)], []),
    ("a long run while frames cover the time is dropped", STREAM, [], [item(ON, 200), item(OFF, 261)], [], []),
    ("a short run before the first frame is dropped", STREAM, [], [item(ON, -5), item(OFF, -1)], [], []),
    ("a single edge while frames cover the time is dropped", STREAM, [], [item(ON, 200)], [], []),
    (
        "a whole short run is published while frames cover the time",
        STREAM,
        [],
        [item(ON, 200), item(OFF, 204)],
        [(ON, 200), (OFF, 204)],
        [],
    ),
    (
        "a short run between runs that frames showed is published",
        STREAM,
        [shown(ON, 100), shown(OFF, 150), shown(ON, 300)],
        [item(ON, 101), item(OFF, 151), item(ON, 200), item(IDLE, 230), item(ON, 301)],
        [(ON, 200), (IDLE, 230)],
        [1.0, 1.0, 1.0],
    ),
    (
        "no short run while the device was on",
        STREAM,
        [shown(ON, 100)],
        [item(ON, 200), item(OFF, 204)],
        [],
        [],
    ),
    (
        "no short run before frames showed that the device turned off",
        STREAM,
        [shown(OFF, 300)],
        [item(ON, 200), item(OFF, 204)],
        [],
        [],
    ),
    (
        "no short run where a frame's edge is within the tolerance",
        STREAM,
        [shown(ON, 230)],
        [item(ON, 200), item(OFF, 211)],
        [],
        [],
    ),
    ("an edge found after a gap is its last one", GAP, [shown(OFF, 400, not_before=100)], [item(OFF, 230)], [], []),
    (
        "the runs before an edge found after a gap are published",
        GAP,
        [shown(ON, 50), shown(OFF, 400, not_before=100)],
        [item(OFF, 150), item(ON, 200), item(OFF, 230)],
        [(OFF, 150), (ON, 200)],
        [],
    ),
    (
        "two runs close together each find their own",
        STREAM,
        [shown(ON, 200), shown(OFF, 210), shown(ON, 220), shown(OFF, 230)],
        [item(ON, 201), item(OFF, 211), item(ON, 221), item(OFF, 231)],
        [],
        [1.0, 1.0, 1.0, 1.0],
    ),
    (
        "a later edge does not take the place of a published one",
        STREAM,
        [shown(ON, 980), shown(OFF, 990)],
        [item(ON, 981), item(OFF, 991), item(ON, 999)],
        [],
        [1.0, 1.0],
    ),
    ("a repeated state is no edge", GAP, [shown(ON, 90)], [item(ON, 200)], [], []),
    (
        "a pause of a second between two runs in a gap is published",
        GAP,
        [shown(ON, 50)],
        [item(OFF, 200), item(ON, 201)],
        [(OFF, 200), (ON, 201)],
        [],
    ),
    (
        "two runs a second apart in a gap of seconds are two",
        replace(STREAM, unobserved=((200.0, 208.0),)),
        [],
        [item(ON, 201), item(OFF, 203), item(ON, 204), item(OFF, 207)],
        [(ON, 201), (OFF, 203), (ON, 204), (OFF, 207)],
        [],
    ),
    ("idle ends a run", GAP, [shown(ON, 50)], [item(IDLE, 200), item(OFF, 300)], [(IDLE, 200), (OFF, 300)], []),
    (
        "the offset of the clocks is taken into account",
        replace(STREAM, clock_offsets=(12.0, 12.0, 12.0)),
        [shown(ON, 200), shown(OFF, 210), shown(ON, 220)],
        [item(ON, 212), item(OFF, 222), item(ON, 232)],
        [],
        [12.0, 12.0, 12.0],
    ),
]


@pytest.mark.parametrize(
    ("coverage", "edges", "items", "new", "offsets"), [pytest.param(*case[1:], id=case[0]) for case in CASES]
)
def test_what_is_published(coverage, edges, items, new, offsets):
    result = decide(coverage, items, edges)
    assert [(each.kind, each.time) for each in result.new_events] == new
    assert list(result.clock_offsets) == offsets


FLAPPING = [
    pytest.param(
        DeviceRules(off_delay_s=30), [item(OFF, 200), item(ON, 229)], [], id="off for less than the hold time"
    ),
    pytest.param(DeviceRules(off_delay_s=30), [item(OFF, 200), item(ON, 230)], [200, 230], id="off for the hold time"),
    pytest.param(
        DeviceRules(on_delay_s=5), [item(OFF, 150), item(ON, 200), item(OFF, 204)], [150], id="on for less than it"
    ),
]


@pytest.mark.parametrize(("rules", "items", "times"), FLAPPING)
def test_in_a_gap_the_users_hold_time_counts_for_the_timeline_too(rules, items, times):
    result = decide(GAP, items, [shown(ON, 50)], rules)
    assert [each.time for each in result.new_events] == times


def test_an_item_is_pending_until_frames_have_passed_it():
    result = decide(STREAM, [item(ON, 995)])
    assert (result.new_events, result.pending) == ((), (item(ON, 995),))


def test_a_device_that_was_on_since_the_first_frame_had_no_short_run():
    result = decide(STREAM, [item(ON, 200), item(OFF, 204)], is_on=True)
    assert result.new_events == ()


def test_a_turned_on_may_begin_a_short_run_for_a_minute():
    result = decide(STREAM, [item(ON, 940)])
    assert result.pending == (item(ON, 940),)


def test_in_a_gap_an_item_is_published_at_once():
    result = decide(INTERRUPTED, [item(ON, 1200)])
    assert result.new_events == (item(ON, 1200),)


def test_in_a_gap_an_item_from_before_it_is_dropped():
    result = decide(INTERRUPTED, [item(ON, 500)])
    assert result.new_events == ()


def test_a_device_with_thresholds_is_decided_by_frames_alone():
    result = decide(GAP, [item(ON, 200)], [], DeviceRules(on_above_w=50))
    assert (result.new_events, result.pending) == ((), ())


def test_the_end_of_a_run_known_only_from_the_timeline_is_published():
    begun = item(ON, 200.0)
    result = decide(STREAM, [item(OFF, 290)], [begun])
    assert result.new_events == (item(OFF, 290),)


def test_a_matched_edge_keeps_its_item():
    result = decide(STREAM, [item(ON, 204, "g1")], [shown(ON, 200)])
    assert result.edges == (Edge(DEVICE, ON, 200, 199.5, timeline_time=204, guid="g1"),)


def test_an_item_shortly_before_known_since_may_be_a_published_edge():
    coverage = replace(GAP, known_since=100.0)
    edge = Edge(DEVICE, ON, 110.0, 90.0)
    result = decide(coverage, [item(ON, 95), item(OFF, 99)], [edge])
    assert (result.edges[0].timeline_time, result.new_events) == (95, ())
