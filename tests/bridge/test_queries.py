"""What the capabilities read of one account: each query once at a time."""

from sense_mqtt.bridge.jobs import RunQuery
from sense_mqtt.bridge.queries import Queries
from sense_mqtt.core.capability import Query
from tests.support.core.builders import moment

WEEK = RunQuery(7, "energy", "week")


class MonitorThatWants:
    """A monitor of which the energy of the week is wanted."""

    def queries(self, _now):
        return {WEEK: Query("energy", {"scale": "WEEK"}, due=0.0, refused_wait_s=5.0)}


def test_a_query_that_is_tried_again_while_it_is_read_is_not_begun_twice():
    queries, monitor = Queries(scheduler=None), MonitorThatWants()
    assert queries.begin(WEEK, monitor, moment(0)) is not None
    assert queries.begin(WEEK, monitor, moment(1)) is None
    assert queries.end(WEEK) == 5.0
    assert queries.begin(WEEK, monitor, moment(2)) is not None
