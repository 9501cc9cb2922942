"""How long published edges are kept."""

from sense_mqtt.core.transitions.published_edges import add_published
from tests.support.core.edges import OFF, ON, shown


def test_edges_are_kept_as_long_as_the_timeline_may_tell_of_them():
    edges = [shown(ON, 0.0), shown(OFF, 400.0)]
    assert add_published(edges, [shown(ON, 3700.0)]) == (edges[1], shown(ON, 3700.0))


def test_of_many_edges_the_newest_are_kept():
    edges = [shown(ON, float(time)) for time in range(70)]
    assert [edge.time for edge in add_published(edges, [])] == [float(time) for time in range(6, 70)]
