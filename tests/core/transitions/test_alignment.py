"""Which items of the timeline are paired with which published edges."""

import pytest
from msgspec.structs import replace

from sense_mqtt.core.transitions.alignment import align, is_same_item, items_of, match, unmatch
from tests.support.core.edges import IDLE, OFF, ON, item, shown

TOLERANCE_S = 5.0
CASES = [
    # claim, published edges, items, clock offset, index of the item of each edge
    ("an item inside the span of an edge is its item", [shown(ON, 100, not_before=50)], [item(ON, 70)], 0, [0]),
    ("an item within the tolerance of the span is its item", [shown(ON, 100)], [item(ON, 105)], 0, [0]),
    ("an item beyond the tolerance is not", [shown(ON, 100)], [item(ON, 105.1)], 0, [None]),
    ("an item of another kind is not", [shown(OFF, 100)], [item(IDLE, 100)], 0, [None]),
    ("the offset of the clocks is taken off first", [shown(ON, 100)], [item(ON, 112)], 12, [0]),
    (
        "more pairs are better than nearer ones",
        [shown(ON, 100), shown(ON, 104)],
        [item(ON, 96), item(ON, 100)],
        0,
        [0, 1],
    ),
    ("of equally many pairs the nearer are taken", [shown(ON, 100)], [item(ON, 97), item(ON, 101)], 0, [1]),
    (
        "of equally near items the newest is taken",
        [shown(ON, 400, not_before=100)],
        [item(ON, 150), item(ON, 300)],
        0,
        [1],
    ),
    (
        "no two pairs cross",
        [shown(OFF, 100, not_before=50), shown(ON, 101, not_before=100)],
        [item(ON, 99), item(OFF, 100)],
        0,
        [1, None],
    ),
]


@pytest.mark.parametrize(
    ("edges", "items", "offset_s", "expected"), [pytest.param(*case[1:], id=case[0]) for case in CASES]
)
def test_pairs(edges, items, offset_s, expected):
    paired = list(align(edges, items, offset_s, TOLERANCE_S))
    assert paired == [None if index is None else items[index] for index in expected]


def test_an_edge_gives_its_item_to_another_edge_when_a_better_one_comes():
    first, second = shown(ON, 100), replace(shown(ON, 104), timeline_time=100.0)
    matched, left = match([item(ON, 104)], [first, second], 0.0, TOLERANCE_S)
    assert ([edge.timeline_time for edge in matched], left) == ([100, 104], [])


def test_an_edge_from_the_timeline_keeps_its_item():
    published = item(ON, 100, "g1")
    matched, left = match([item(ON, 101, "g2")], [published], 0.0, TOLERANCE_S)
    assert (matched, left) == ([published], [item(ON, 101, "g2")])


def test_a_removed_item_leaves_its_edge_but_not_an_edge_from_the_timeline():
    paired, own = replace(shown(ON, 100), timeline_time=101.0, guid="g1"), item(ON, 200, "g2")
    assert unmatch([paired, own], [item(ON, 101), item(ON, 200)]) == (shown(ON, 100), own)


SAME = [
    pytest.param(item(ON, 100.4), True, id="its time"),
    pytest.param(item(ON, 100.5), False, id="not a time further away"),
    pytest.param(item(ON, 300, "g1"), True, id="its guid"),
    pytest.param(item(OFF, 100, "g1"), False, id="not the other edge of its run"),
    pytest.param(replace(item(ON, 100, "g1"), device="other"), False, id="not another device"),
]


@pytest.mark.parametrize(("other", "is_same"), SAME)
def test_a_rewritten_item_is_recognised_by(other, is_same):
    assert is_same_item(item(ON, 100, "g1"), other) is is_same


def test_the_item_of_an_edge_has_the_time_that_the_timeline_reported():
    paired = replace(shown(ON, 100), timeline_time=103.0, guid="g1")
    assert list(items_of([paired, shown(OFF, 110)])) == [item(ON, 103, "g1")]
