"""What is stored of a home, and when."""

import json

import pytest
from msgspec.structs import replace

from sense_mqtt.core.changes import DeviceChanged, DeviceRemoved, Event, Reading, StateChanged
from sense_mqtt.core.edges import State
from sense_mqtt.core.home.state import DevicesListed, Home, Interrupted, Tick
from sense_mqtt.core.observe import observe
from sense_mqtt.core.stored_home import (
    HOME,
    must_store,
    must_sync,
    restore,
    snapshot,
    snapshot_progress,
    split_by_storing,
)
from sense_mqtt.core.wire.devices import read_device_list
from tests.support.core.builders import DRYER, PLUG, START, frame, moment, policy, run

EMPTY = Home(monitor=7)


def stored(before, seen, at):
    """Return whether a home is stored after it has seen this."""
    home, changes = observe(before, seen, moment(at), policy())
    return must_store(before, home, changes)


def test_a_home_is_a_row_and_so_is_each_device():
    home, _ = run(EMPTY, (0, frame(DRYER, PLUG)))
    rows = snapshot(home)
    ids = {"1a2b3c4d", "ssi-1f2e3d4c", "always_on", "unknown"}
    assert set(rows) == {HOME, *(("device", identity) for identity in ids)}
    assert "devices" not in rows[HOME]


def test_what_was_stored_comes_back():
    home, _ = run(EMPTY, (0, frame(DRYER, PLUG)), (5, frame(PLUG, at=5)))
    rows = {key: json.loads(json.dumps(document)) for key, document in snapshot(home).items()}
    assert snapshot(restore(7, rows, policy())) == snapshot(home)


def test_where_nothing_was_stored_nothing_is_known():
    assert restore(7, {}, policy()) == Home(monitor=7, devices={})


def test_rows_of_another_capability_are_no_devices():
    assert restore(7, {("counters", "a"): {"id": "a", "kind": "plug"}}, policy()).devices == {}


def test_one_device_that_switches_changes_its_own_row_and_that_of_the_home_and_adds_one_of_its_edge():
    home, _ = run(EMPTY, (0, frame(DRYER, PLUG)))
    before, after = snapshot(home), snapshot(run(home, (5, frame(PLUG, at=5)))[0])
    edge = ("edge", f"1a2b3c4d turned_off {START + 5}")
    assert {key for key, document in after.items() if before.get(key) != document} == {
        HOME,
        ("device", "1a2b3c4d"),
        edge,
    }
    assert after[edge]["device"] == "1a2b3c4d"


def test_edges_that_were_stored_in_the_row_of_their_device_come_back_too():
    home, _ = run(EMPTY, (0, frame(DRYER, PLUG)), (5, frame(PLUG, at=5)), (9, frame(DRYER, PLUG, at=9)))
    rows = dict(snapshot(home))
    edges = [rows.pop(key) for key in list(rows) if key[0] == "edge"]
    rows["device", "1a2b3c4d"] = {**rows["device", "1a2b3c4d"], "known": edges}
    assert [edge.time for edge in restore(7, rows, policy()).devices["1a2b3c4d"].edges] == [START + 5, START + 9]
    assert snapshot(restore(7, rows, policy())) == snapshot(home)


def test_edges_come_back_in_their_order_whatever_that_of_the_rows():
    home, _ = run(EMPTY, (0, frame(DRYER)), (5, frame(at=5)), (9, frame(DRYER, at=9)), (15, frame(at=15)))
    rows = dict(reversed(snapshot(home).items()))
    assert restore(7, rows, policy()).devices["1a2b3c4d"].edges == home.devices["1a2b3c4d"].edges


SEEN = [
    pytest.param(frame(DRYER, at=5), False, id="the same frame once more"),
    pytest.param(frame({**DRYER, "w": 9.0}, at=5), False, id="other watts"),
    pytest.param(Tick(), False, id="a second without a frame"),
    pytest.param(frame(at=5), True, id="a device that switches"),
    pytest.param(frame(DRYER, PLUG, at=5), True, id="a new device"),
    pytest.param(DevicesListed(read_device_list([DRYER])), True, id="the first list of devices"),
]


@pytest.mark.parametrize(("seen", "expected"), SEEN)
def test_a_home_is_stored_when_something_lasting_changed(seen, expected):
    home, _ = run(EMPTY, (0, frame(DRYER)))
    assert stored(home, seen, 5) is expected


def test_a_home_is_stored_with_the_first_frame_of_a_process():
    home, _ = run(EMPTY, (0, frame(DRYER)))
    assert stored(restore(7, snapshot(home), policy()), frame(DRYER, at=5), 5)


def test_a_state_that_is_known_only_now_is_stored_though_it_makes_no_event():
    listed, _ = run(EMPTY, (0, DevicesListed(read_device_list([DRYER]))), (1, frame(at=1, devices=[])))
    assert stored(listed, frame(DRYER, at=2), 2)


@pytest.mark.parametrize("synced", [True, False])
def test_what_a_cut_of_power_may_take_back_needs_no_sync(synced):
    home, _ = run(Home(monitor=7), (0, frame()))
    changes = [StateChanged("cycles", synced)]
    assert must_store(home, home, changes)
    assert must_sync(home, home, changes) is synced


def test_progress_is_the_row_of_the_home_and_those_of_the_capability_as_they_are_in_the_whole():
    home, _ = run(EMPTY, (0, frame(DRYER)), (1, frame(DRYER, at=1)))
    home, _ = observe(home, Interrupted(), moment(2), policy())  # the meters have rows
    whole, progress = snapshot(home), snapshot_progress(home, [StateChanged("meters", synced=False)])
    assert progress == {key: row for key, row in whole.items() if key == HOME or key[0] == "meters"}
    assert progress.keys() < whole.keys()
    assert len(progress) > 1


READING, EVENT = Reading("1a2b3c4d", "state", "ON"), Event("1a2b3c4d", "turned_on", 1.0)


def test_readings_may_be_published_before_they_are_stored_and_events_may_not():
    assert split_by_storing((EVENT, READING)) == ([READING], [EVENT])


@pytest.mark.parametrize("change", [DeviceChanged("1a2b3c4d"), DeviceRemoved("1a2b3c4d")], ids=["changed", "removed"])
def test_what_is_said_of_a_device_that_is_new_or_gone_is_stored_before_all_of_it_is_published(change):
    assert split_by_storing((change, READING)) == ((), (change, READING))


def test_a_device_that_is_in_another_state_without_an_event_is_stored():
    before, _ = run(EMPTY, (0, frame(DRYER, PLUG)))
    dryer = before.devices["1a2b3c4d"]
    for device in (replace(dryer, last_on=5.0), replace(dryer, switch=replace(dryer.switch, state=State.OFF))):
        assert must_store(before, replace(before, devices={**before.devices, "1a2b3c4d": device}), ())
    drawing = replace(dryer, power_w=1.0)
    assert not must_store(before, replace(before, devices={**before.devices, "1a2b3c4d": drawing}), ())
