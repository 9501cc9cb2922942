"""What Sense removes from its timeline."""

import pytest

from sense_mqtt.core.edges import timeline_edge
from sense_mqtt.core.home.state import DevicesListed, Interrupted
from sense_mqtt.core.wire.devices import read_device_list
from sense_mqtt.core.wire.frames import TimelineChange
from tests.support.core.builders import DRYER, HOME, START, run
from tests.support.core.timeline import D, item, published, pushed, read, removed, stream

SHORT_RUN = (item("turned_on", 30.2, guid="a"), item("turned_off", 34.4, guid="b"))


KNOWN_AND_OFF = [*stream(0, 5, DRYER), *stream(5, 35)]


TAKEN_BACK = [
    pytest.param([(35.5, removed(*SHORT_RUN))], [], id="both edges"),
    pytest.param([(35.5, removed(SHORT_RUN[0])), (35.6, removed(SHORT_RUN[1]))], [], id="one after the other"),
    pytest.param([(35.5, removed(SHORT_RUN[1]))], [], id="its end alone: a run without an end is none"),
    pytest.param(
        [(35.5, removed(*(timeline_edge(D, i.kind, i.time) for i in SHORT_RUN)))], [], id="known by their times alone"
    ),
    pytest.param(
        [(35.5, removed(SHORT_RUN[1], updated=SHORT_RUN))], [30.2, 34.4], id="not: its end was taken into its run"
    ),
    pytest.param(
        [(35.5, removed(*SHORT_RUN)), (36, TimelineChange(added=SHORT_RUN))], [30.2, 34.4], id="not: it was added again"
    ),
    pytest.param([(35.5, removed(item("turned_on", 31.5, guid="z")))], [30.2, 34.4], id="not: it is another edge"),
    pytest.param([(90, removed(*SHORT_RUN))], [30.2, 34.4], id="not: it was told before"),
]


@pytest.mark.parametrize(("pushed_later", "told_at"), TAKEN_BACK)
def test_an_item_that_sense_removes_before_it_is_published_is_not_published(pushed_later, told_at):
    seen = [*stream(35, 140), (35, TimelineChange(added=SHORT_RUN)), *pushed_later]
    home, _ = run(HOME, *KNOWN_AND_OFF)
    _, changes = run(home, *sorted(seen, key=lambda each: each[0]))
    assert [at for _, at, *_ in published(changes)] == told_at


def test_an_edge_whose_item_was_removed_is_paired_with_the_next_one():
    gap = [(6, Interrupted()), (60, read(item("turned_on", 20, guid="a"))), *stream(60, 63, DRYER)]
    home, changes = run(
        HOME, *stream(0, 2), (1, DevicesListed(read_device_list([DRYER]))), *stream(2, 6), *gap[:1], *gap[2:]
    )
    assert published(changes) == [("turned_on", 60, "reconnect", False)]
    seen = [gap[1], (64, removed(item("turned_on", 20, guid="a"))), (65, pushed(item("turned_on", 50, guid="b")))]
    home, changes = run(home, *((63 + n, thing) for n, (_, thing) in enumerate(seen)), *stream(66, 120, DRYER))
    assert published(changes) == []
    assert [edge.timeline_time - START for edge in home.devices[D].edges] == [50]


def test_removed_items_before_the_first_frame_change_nothing():
    home, changes = run(HOME, (0, removed(*SHORT_RUN)))
    assert (home, changes) == (HOME, [])
