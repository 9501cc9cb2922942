"""Which edges of the timeline are news: the rule of docs/decisions/0002."""

import pytest

from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.transitions.alignment import Known
from sense_mqtt.core.transitions.coverage import Coverage
from sense_mqtt.core.transitions.reconcile import judge
from sense_mqtt.core.wire.timeline import TimelineItem

DEVICE = "1a2b3c4d"
ON, OFF, IDLE = "turned_on", "turned_off", "idle"
RULES = DeviceRules(off_delay_s=2.0)
STREAM = Coverage(
    known_since=0.0, last_observed_at=1000.0, last_observed_earliest=1000.0
)  # frames looked on all the time
GAP = Coverage(known_since=0.0, last_observed_at=1000.0, last_observed_earliest=1000.0, unobserved=((100.0, 400.0),))


def item(edge, time, guid=None):
    return TimelineItem(DEVICE, edge, time, guid)


def seen(edge, time):
    """An edge that a stream showed."""
    return Known(edge, time, time - 0.5)


def found(edge, time, since):
    """An edge that was found on the first frame after a gap."""
    return Known(edge, time, since)


CASES = [
    # sentence, witness, known edges, rumours, news, offsets
    ("an edge that a frame showed is the same", STREAM, [seen(ON, 200)], [item(ON, 204)], [], [4.0]),
    ("an edge that nobody saw is news", GAP, [], [item(ON, 200)], [(ON, 200)], []),
    ("a whole run in a gap is news", GAP, [], [item(ON, 200), item(OFF, 230)], [(ON, 200), (OFF, 230)], []),
    ("where frames looked on, they decide", STREAM, [], [item(ON, 200), item(OFF, 261)], [], []),
    ("a short run before the first frame is none", STREAM, [], [item(ON, -5), item(OFF, -1)], [], []),
    ("of a single edge too", STREAM, [], [item(ON, 200)], [], []),
    ("but a whole short run is news", STREAM, [], [item(ON, 200), item(OFF, 204)], [(ON, 200), (OFF, 204)], []),
    (
        "also between runs that frames showed",
        STREAM,
        [seen(ON, 100), seen(OFF, 150), seen(ON, 300)],
        [item(ON, 101), item(OFF, 151), item(ON, 200), item(IDLE, 230), item(ON, 301)],
        [(ON, 200), (IDLE, 230)],
        [1.0, 1.0, 1.0],
    ),
    (
        "not where the device was on all the while",
        STREAM,
        [seen(ON, 100)],
        [item(ON, 200), item(OFF, 204)],
        [],
        [],
    ),
    (
        "nor before frames showed that it turned off",
        STREAM,
        [seen(OFF, 300)],
        [item(ON, 200), item(OFF, 204)],
        [],
        [],
    ),
    (
        "nor where an edge is so near that it may be one of the two",
        STREAM,
        [seen(ON, 230)],
        [item(ON, 200), item(OFF, 211)],
        [],
        [],
    ),
    ("an edge found after a gap is its last one", GAP, [found(OFF, 400, 100)], [item(OFF, 230)], [], []),
    (
        "the runs before an edge that was found are news",
        GAP,
        [seen(ON, 50), found(OFF, 400, 100)],
        [item(OFF, 150), item(ON, 200), item(OFF, 230)],
        [(OFF, 150), (ON, 200)],
        [],
    ),
    (
        "two runs close together each find their own",
        STREAM,
        [seen(ON, 200), seen(OFF, 210), seen(ON, 220), seen(OFF, 230)],
        [item(ON, 201), item(OFF, 211), item(ON, 221), item(OFF, 231)],
        [],
        [1.0, 1.0, 1.0, 1.0],
    ),
    (
        "an edge of the future does not take the place of a known one",
        STREAM,
        [seen(ON, 980), seen(OFF, 990)],
        [item(ON, 981), item(OFF, 991), item(ON, 999)],
        [],
        [1.0, 1.0],
    ),
    ("a repeated state is no edge", GAP, [seen(ON, 90)], [item(ON, 200)], [], []),
    (
        "a pause of a second between two runs in a gap is news",
        GAP,
        [seen(ON, 50)],
        [item(OFF, 200), item(ON, 201)],
        [(OFF, 200), (ON, 201)],
        [],
    ),
    (
        "two runs a second apart in a hole of seconds are two",
        Coverage(known_since=0.0, last_observed_at=1000.0, last_observed_earliest=1000.0, unobserved=((200.0, 208.0),)),
        [],
        [item(ON, 201), item(OFF, 203), item(ON, 204), item(OFF, 207)],
        [(ON, 201), (OFF, 203), (ON, 204), (OFF, 207)],
        [],
    ),
    ("idle ends a run", GAP, [seen(ON, 50)], [item(IDLE, 200), item(OFF, 300)], [(IDLE, 200), (OFF, 300)], []),
    (
        "the offset of the clocks is taken into account",
        Coverage(
            known_since=0.0, last_observed_at=1000.0, last_observed_earliest=1000.0, clock_offsets=(12.0, 12.0, 12.0)
        ),
        [seen(ON, 200), seen(OFF, 210), seen(ON, 220)],
        [item(ON, 212), item(OFF, 222), item(ON, 232)],
        [],
        [12.0, 12.0, 12.0],
    ),
]


@pytest.mark.parametrize(
    ("witness", "known", "rumours", "news", "offsets"), [pytest.param(*case[1:], id=case[0]) for case in CASES]
)
def test_rule(witness, known, rumours, news, offsets):
    verdict = judge(witness, rumours, known, RULES, gap=False, present=2000.0, on=False)
    assert [(each.edge, each.time) for each in verdict.news] == news
    assert list(verdict.clock_offsets) == offsets


FLAPPING = [
    pytest.param(
        DeviceRules(off_delay_s=30), [item(OFF, 200), item(ON, 229)], [], id="off for less than the user says"
    ),
    pytest.param(DeviceRules(off_delay_s=30), [item(OFF, 200), item(ON, 230)], [200, 230], id="off for as long"),
    pytest.param(DeviceRules(on_delay_s=5), [item(OFF, 150), item(ON, 200), item(OFF, 204)], [150], id="on too short"),
]


@pytest.mark.parametrize(("rules", "rumours", "news"), FLAPPING)
def test_in_a_gap_the_users_hold_time_counts_for_the_timeline_too(rules, rumours, news):
    verdict = judge(GAP, rumours, [seen(ON, 50)], rules, gap=False, present=2000.0, on=False)
    assert [each.time for each in verdict.news] == news


def test_while_frames_come_a_rumour_waits_until_they_have_passed_it():
    verdict = judge(STREAM, [item(ON, 995)], [], RULES, gap=False, present=2000.0, on=False)
    assert (verdict.news, verdict.waiting) == ((), (item(ON, 995),))


def test_a_device_that_was_on_since_we_first_looked_had_no_short_run():
    verdict = judge(STREAM, [item(ON, 200), item(OFF, 204)], [], RULES, gap=False, present=2000.0, on=True)
    assert verdict.news == ()


def test_what_turned_on_may_be_a_short_run_until_a_minute_has_passed():
    verdict = judge(STREAM, [item(ON, 940)], [], RULES, gap=False, present=2000.0, on=False)
    assert verdict.waiting == (item(ON, 940),)


def test_in_a_gap_a_rumour_is_news_at_once():
    verdict = judge(STREAM, [item(ON, 1200)], [], RULES, gap=True, present=2000.0, on=False)
    assert verdict.news == (item(ON, 1200),)


def test_in_a_gap_what_frames_saw_before_it_is_no_news():
    verdict = judge(STREAM, [item(ON, 500)], [], RULES, gap=True, present=2000.0, on=False)
    assert verdict.news == ()


def test_a_device_with_thresholds_is_judged_by_frames_alone():
    verdict = judge(GAP, [item(ON, 200)], [], DeviceRules(on_above_w=50), gap=False, present=2000.0, on=False)
    assert (verdict.news, verdict.waiting) == ((), ())


def test_what_ends_a_run_of_which_only_the_timeline_told_is_news_too():
    begun = Known(ON, 200.0, 200.0, told=200.0)
    verdict = judge(STREAM, [item(OFF, 290)], [begun], RULES, gap=False, present=2000.0, on=False)
    assert verdict.news == (item(OFF, 290),)


def test_a_matched_edge_remembers_what_the_timeline_said():
    verdict = judge(STREAM, [item(ON, 204, "g1")], [seen(ON, 200)], RULES, gap=False, present=2000.0, on=False)
    assert verdict.known == (Known(ON, 200, 199.5, told=204, guid="g1"),)


def test_what_is_a_little_older_may_be_a_known_edge_and_is_no_news():
    witness = Coverage(
        known_since=100.0, last_observed_at=1000.0, last_observed_earliest=1000.0, unobserved=((100.0, 400.0),)
    )
    told = Known(ON, 110.0, 90.0)
    verdict = judge(witness, [item(ON, 95), item(OFF, 99)], [told], RULES, gap=False, present=2000.0, on=False)
    assert (verdict.known[0].told, verdict.news) == (95, ())
