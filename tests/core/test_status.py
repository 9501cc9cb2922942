"""The monitor's status: when it is read, and what of it is published."""

import json

from sense_mqtt.core.changes import DeviceChanged
from sense_mqtt.core.home.state import Home, QueryResult
from sense_mqtt.core.status import CHANGED_WAIT_S, EVERY_S, LEAST_S, STATUS
from sense_mqtt.core.wire.frames import DataChange
from tests.core.wire.test_monitor_status import TOLD
from tests.support.core.builders import HOME, frame, introduced, moment, policy, readings, run

READ = QueryResult("status", "status", TOLD)
A, B, C = DataChange("1", "1", False), DataChange("2", "1", True), DataChange("2", "2", None)


def due_s(home: Home) -> float:
    """Return when the status is read next, in seconds after START."""
    return STATUS.queries(home, moment(0), policy())["status"].due - moment(0).monotonic


def test_the_status_is_read_at_once_and_then_each_hour():
    assert due_s(HOME) < 0
    home, _ = run(HOME, (5, READ), (100, frame(at=100)))
    assert due_s(home) == 5 + EVERY_S


def test_the_status_is_read_soon_after_sense_says_that_something_changed():
    home, _ = run(HOME, (5, READ), (6, A), (1000, B))
    assert due_s(home) == 1000 + CHANGED_WAIT_S
    home, _ = run(home, (1001, C))
    assert due_s(home) == 1000 + CHANGED_WAIT_S
    home, _ = run(home, (1006, READ), (1007, A))
    assert due_s(home) == 1006 + LEAST_S  # however often it changes


def test_what_sense_says_at_each_connection_is_no_change():
    home, _ = run(HOME, (5, READ), (6, A), (900, A), (1800, A))
    assert due_s(home) == 5 + EVERY_S


def test_the_status_is_published_once_and_again_when_it_differs():
    weaker = {**TOLD, "monitor_info": {**TOLD["monitor_info"], "wifi_strength": 40}}
    _, changes = run(HOME, (5, READ), (3605, READ), (7205, QueryResult("status", "status", weaker)))
    assert [json.loads(payload)["wifi_strength"] for payload in readings(changes, "status")] == [92, 40]
    assert "serial" not in readings(changes, "status")[0]


def test_a_new_device_that_sense_has_found_is_part_of_the_status():
    _, changes = run(HOME, (1, A), (5, READ), (6, B), (7, C))
    assert [json.loads(payload)["new_device_found"] for payload in readings(changes, "status")] == [False, True]


def test_an_answer_that_says_nothing_leaves_the_status_as_it_was():
    home, changes = run(HOME, (5, READ), (3605, QueryResult("status", "status", {})))
    assert len(readings(changes, "status")) == 1
    assert due_s(home) == 3605 + EVERY_S
    _, changes = run(HOME, (5, QueryResult("status", "status", {})))
    assert readings(changes, "status") == []


def test_a_new_firmware_is_shown_and_one_that_is_not_reported_changes_nothing():
    home, changes = run(HOME, (5, READ), (6, QueryResult("status", "status", {})), (7, READ))
    assert home.firmware == "1.64.2-release"
    assert introduced(changes) == [None]
    assert [change for change in changes if isinstance(change, DeviceChanged)] == [DeviceChanged(None)]
