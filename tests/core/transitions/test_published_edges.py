"""The published edges of one device: how long they are kept, and what the newest says of samples."""

import pytest
from msgspec.structs import replace

from sense_mqtt.core.edges import State
from sense_mqtt.core.transitions.published_edges import add_published, occurred_at, timeline_state
from tests.support.core.edges import OFF, ON, STREAM, item, shown

OFFSET_12 = replace(STREAM, clock_offsets=(12.0, 12.0, 12.0))


def test_edges_are_kept_as_long_as_the_timeline_may_report_of_them():
    edges = [shown(ON, 0.0), shown(OFF, 400.0)]
    assert add_published(edges, [shown(ON, 3700.0)]) == (edges[1], shown(ON, 3700.0))


def test_of_many_edges_the_newest_are_kept():
    edges = [shown(ON, float(time)) for time in range(70)]
    assert [edge.time for edge in add_published(edges, [])] == [float(time) for time in range(6, 70)]


OCCURRED = [
    pytest.param(shown(ON, 100), 100, id="as frames show it"),
    pytest.param(replace(shown(ON, 100, not_before=50), timeline_time=82.0), 70, id="as the timeline tells it"),
    pytest.param(replace(shown(ON, 100), timeline_time=111.0), 99.5, id="but not before its span"),
    pytest.param(replace(shown(ON, 100), timeline_time=114.0), 100, id="nor after it"),
    pytest.param(item(ON, 100), 88, id="from the timeline, by the frames' clock"),
]


@pytest.mark.parametrize(("edge", "expected"), OCCURRED)
def test_an_edge_occurred(edge, expected):
    assert occurred_at(edge, OFFSET_12) == expected


def test_the_timeline_says_nothing_of_an_edge_that_only_frames_showed():
    assert timeline_state([], STREAM) is None
    assert timeline_state([item(OFF, 100), shown(ON, 200)], STREAM) is None


UNCERTAIN = [
    pytest.param(item(ON, 200), STREAM, (201, 205), id="1 s and 5 s after an edge from the timeline"),
    pytest.param(item(ON, 212), OFFSET_12, (201, 201), id="1 s after it, the offset being known"),
    pytest.param(replace(shown(ON, 200), timeline_time=199.8), STREAM, (199.8, 199.8), id="not after a matched edge"),
]


@pytest.mark.parametrize(("edge", "coverage", "expected"), UNCERTAIN)
def test_samples_that_show_another_state_are_ignored_and_doubted_until(edge, coverage, expected):
    told = timeline_state([shown(OFF, 100), edge], coverage)
    assert (told.state, (told.ignore_before, told.uncertain_until)) == (State.ON, expected)


SAME = [
    pytest.param(shown(ON, 260), 150, True, id="after the last sample that surely did not show it"),
    pytest.param(shown(ON, 219), 210, True, id="within the tolerance of the clocks"),
    pytest.param(shown(ON, 260), 210, False, id="not before that sample"),
    pytest.param(shown(OFF, 200), 150, False, id="not an edge of another kind"),
]


@pytest.mark.parametrize(("edge", "observed_before", "expected"), SAME)
def test_an_edge_is_published_from_the_timeline_already(edge, observed_before, expected):
    assert timeline_state([item(ON, 200)], STREAM).is_same(edge, observed_before) is expected


def test_a_matched_edge_is_no_edge_from_the_timeline():
    told = timeline_state([replace(shown(ON, 200), timeline_time=200.0)], STREAM)
    assert not told.is_same(shown(ON, 200), 100)
