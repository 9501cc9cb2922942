"""Items of Sense's timeline, made into edges."""

import pytest

from sense_mqtt.core.edges import EdgeKind, timeline_edge
from sense_mqtt.core.wire.timeline import read_items

T0, T1 = "2026-11-21T00:00:00Z", "2026-11-21T00:07:00.500Z"
S0, S1 = 1795219200.0, 1795219620.5
ON = {"type": "DeviceOn", "device_id": "a", "time": T0, "guid": "g1"}
OFF = {"type": "DeviceOff", "device_id": "a", "time": T1, "guid": "g2"}
IDLE = {**OFF, "type": "DeviceIdle"}
RUN = {"type": "DeviceWasOn", "device_id": "a", "start_time": T0, "time": T1, "guid": "g1"}
STARTED = timeline_edge("a", EdgeKind.TURNED_ON, S0, "g1")

ITEMS = [
    pytest.param([ON], [STARTED], id="on"),
    pytest.param([OFF], [timeline_edge("a", EdgeKind.TURNED_OFF, S1, "g2")], id="off"),
    pytest.param([IDLE], [timeline_edge("a", EdgeKind.IDLE, S1, "g2")], id="idle"),
    pytest.param(
        [OFF, ON], [STARTED, timeline_edge("a", EdgeKind.TURNED_OFF, S1, "g2")], id="newest first becomes oldest first"
    ),
    pytest.param([RUN], [STARTED, timeline_edge("a", EdgeKind.TURNED_OFF, S1, "g1")], id="a run without children"),
    pytest.param(
        [{**RUN, "device_state": "DeviceIdle"}],
        [STARTED, timeline_edge("a", EdgeKind.IDLE, S1, "g1")],
        id="a run that ended idle",
    ),
    pytest.param(
        [{**RUN, "device_state": "DeviceOn"}],
        [STARTED, timeline_edge("a", EdgeKind.TURNED_OFF, S1, "g1")],
        id="a finished run that claims to be on",
    ),
    pytest.param(
        [{**RUN, "children": [OFF, ON]}],
        [STARTED, timeline_edge("a", EdgeKind.TURNED_OFF, S1, "g2")],
        id="a run with both children is told once",
    ),
    pytest.param(
        [{**RUN, "children": [ON]}], [STARTED, timeline_edge("a", EdgeKind.TURNED_OFF, S1, "g1")], id="start only"
    ),
    pytest.param([{**RUN, "children": [IDLE]}], [STARTED, timeline_edge("a", EdgeKind.IDLE, S1, "g2")], id="end only"),
    pytest.param(
        [{**RUN, "children": [{**RUN, "children": [ON]}]}],
        [STARTED, timeline_edge("a", EdgeKind.TURNED_OFF, S1, "g1")],
        id="runs do not nest",
    ),
    pytest.param([{**ON, "guid": 5}], [timeline_edge("a", EdgeKind.TURNED_ON, S0)], id="no guid"),
    pytest.param([{**ON, "type": "Info", "subtype": "NewDeviceFound"}], [], id="no edge"),
    pytest.param([{**ON, "type": ["DeviceOn"]}], [], id="a type of the wrong type"),
    pytest.param([{**ON, "time": "yesterday"}], [], id="no time"),
    pytest.param([{**ON, "time": 1795219200}], [], id="a time that is a number"),
    pytest.param([{**ON, "device_id": ""}], [], id="no device"),
    pytest.param(
        [{**RUN, "start_time": None}], [timeline_edge("a", EdgeKind.TURNED_OFF, S1, "g1")], id="a run without start"
    ),
]


@pytest.mark.parametrize(("items", "edges"), ITEMS)
def test_items_become_edges(items, edges):
    assert read_items(items) == tuple(edges)


def test_runs_nested_however_deep_are_read():
    run = RUN
    for _ in range(5000):
        run = {**RUN, "children": [run]}
    assert read_items([run]) == (STARTED, timeline_edge("a", EdgeKind.TURNED_OFF, S1, "g1"))
