"""Which edges of the timeline are known, and which are news: the rule of docs/decisions/0002."""

import pytest

from sense_mqtt.core.alignment import Known
from sense_mqtt.core.rules import DeviceRules
from sense_mqtt.core.timeline import TimelineItem
from sense_mqtt.core.witness import Witness, hear, judge, look_on, remember

DEVICE = "1a2b3c4d"
ON, OFF, IDLE = "turned_on", "turned_off", "idle"
RULES = DeviceRules(off_delay_s=2.0)
STREAM = Witness(horizon=0.0, looked=1000.0, sure=1000.0)  # frames looked on all the time
GAP = Witness(horizon=0.0, looked=1000.0, sure=1000.0, blind=((100.0, 400.0),))


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
    ("where frames looked on, they decide", STREAM, [], [item(ON, 200), item(OFF, 230)], [], []),
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
    ("flapping within the hold time is not told", GAP, [seen(ON, 50)], [item(OFF, 200), item(ON, 201)], [], []),
    (
        "the same further apart is",
        GAP,
        [seen(ON, 50)],
        [item(OFF, 200), item(ON, 203)],
        [(OFF, 200), (ON, 203)],
        [],
    ),
    ("idle ends a run", GAP, [seen(ON, 50)], [item(IDLE, 200), item(OFF, 300)], [(IDLE, 200), (OFF, 300)], []),
    (
        "the offset of the clocks is taken into account",
        Witness(horizon=0.0, looked=1000.0, sure=1000.0, offsets=(12.0, 12.0, 12.0)),
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
    verdict = judge(witness, rumours, known, RULES, gap=False, present=2000.0)
    assert [(each.edge, each.time) for each in verdict.news] == news
    assert list(verdict.offsets) == offsets


def test_while_frames_come_a_rumour_waits_until_they_have_passed_it():
    verdict = judge(STREAM, [item(ON, 995)], [], RULES, gap=False, present=2000.0)
    assert (verdict.news, verdict.waiting) == ((), (item(ON, 995),))


def test_in_a_gap_a_rumour_is_news_at_once():
    verdict = judge(STREAM, [item(ON, 1200)], [], RULES, gap=True, present=2000.0)
    assert verdict.news == (item(ON, 1200),)


def test_in_a_gap_what_frames_saw_before_it_is_no_news():
    verdict = judge(STREAM, [item(ON, 500)], [], RULES, gap=True, present=2000.0)
    assert verdict.news == ()


def test_a_device_with_thresholds_is_judged_by_frames_alone():
    verdict = judge(GAP, [item(ON, 200)], [], DeviceRules(on_above_w=50), gap=False, present=2000.0)
    assert (verdict.news, verdict.waiting) == ((), ())


def test_a_matched_edge_remembers_what_the_timeline_said():
    verdict = judge(STREAM, [item(ON, 204, "g1")], [seen(ON, 200)], RULES, gap=False, present=2000.0)
    assert verdict.known == (Known(ON, 200, 199.5, told=204, guid="g1"),)


# --- looking on


def test_frames_close_together_leave_nobody_blind():
    witness = Witness()
    for time in (10.0, 11.0, 13.5):
        witness = look_on(witness, time)
    assert (witness.horizon, witness.looked, witness.blind) == (10.0, 13.5, ())


def test_polls_make_one_span_of_many():
    witness = Witness()
    for time in (0.0, 60.0, 120.0, 180.0):
        witness = look_on(witness, time)
    assert witness.blind == ((0.0, 180.0),)


def test_two_gaps_are_two_spans():
    witness = Witness()
    for time in (0.0, 60.0, 61.0, 120.0):
        witness = look_on(witness, time)
    assert witness.blind == ((0.0, 60.0), (61.0, 120.0))


def test_what_is_long_past_is_forgotten():
    witness = look_on(look_on(look_on(Witness(), 0.0), 60.0), 60.5)
    witness = look_on(look_on(witness, 4000.0), 4001.0)
    assert (witness.horizon, witness.blind) == (401.0, ((60.5, 4000.0),))


# --- hearing


def test_nothing_is_heard_before_the_first_frame_ever():
    assert hear(Witness(), [item(ON, 5)], {}).rumours == ()


@pytest.mark.parametrize(
    "again",
    [item(ON, 200.2), item(ON, 300, "g1")],
    ids=["at the same time", "with the same guid"],
)
def test_what_was_told_is_not_heard_again(again):
    told = Known(ON, 199, 198, told=200, guid="g1")
    assert hear(STREAM, [again], {DEVICE: [told]}).rumours == ()


def test_a_rumour_that_waits_is_not_heard_twice():
    once = hear(STREAM, [item(ON, 200, "g1")], {})
    assert hear(once, [item(ON, 200.3), item(ON, 220, "g1")], {}).rumours == once.rumours


def test_an_edge_told_by_frames_alone_does_not_stop_the_timeline_from_being_heard():
    assert hear(STREAM, [item(ON, 200)], {DEVICE: [seen(ON, 200)]}).rumours == (item(ON, 200),)


def test_what_is_older_than_the_horizon_is_not_heard():
    witness = Witness(horizon=100.0, looked=1000.0, sure=1000.0, offsets=(10.0, 10.0, 10.0))
    assert hear(witness, [item(ON, 65), item(OFF, 75)], {}).rumours == (item(OFF, 75),)


def test_what_is_a_little_older_may_be_a_known_edge_and_is_no_news():
    witness = Witness(horizon=100.0, looked=1000.0, sure=1000.0, blind=((100.0, 400.0),))
    told = Known(ON, 110.0, 90.0)
    verdict = judge(witness, [item(ON, 95), item(OFF, 99)], [told], RULES, gap=False, present=2000.0)
    assert (verdict.known[0].told, verdict.news) == (95, ())


def test_edges_are_kept_as_long_as_the_timeline_may_tell_of_them():
    edges = [Known(ON, 0.0, 0.0), Known(OFF, 400.0, 400.0)]
    assert remember(edges, [Known(ON, 3700.0, 3700.0)]) == (edges[1], Known(ON, 3700.0, 3700.0))


def test_of_many_edges_the_newest_are_kept():
    edges = [Known(ON, float(time), float(time)) for time in range(70)]
    assert [edge.time for edge in remember(edges, [])] == [float(time) for time in range(6, 70)]


def test_of_a_device_with_more_edges_than_are_kept_older_ones_are_no_news():
    edges = [Known(ON, 100.0 + number, 100.0, told=101.0 + number) for number in range(64)]
    heard = hear(STREAM, [item(OFF, 100.5), item(OFF, 300)], {DEVICE: edges})
    assert heard.rumours == (item(OFF, 300),)
