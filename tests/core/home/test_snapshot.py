"""What of a house survives a restart."""

import json

import pytest
from msgspec.structs import replace

from sense_mqtt.core.changes import Event
from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.edges import Edge, EdgeKind
from sense_mqtt.core.home.snapshot import restore, snapshot
from sense_mqtt.core.home.state import DevicesListed, Home, Tick
from sense_mqtt.core.transitions.coverage import Coverage
from sense_mqtt.core.wire.devices import read_device_list
from tests.support.core.builders import (
    ALWAYS_ON,
    DRYER,
    OTHER,
    PLUG,
    START,
    bare_frame,
    events,
    frame,
    policy,
    readings,
    run,
)

HOME = Home(monitor=7)
FAN = {"id": "ffee0011", "name": "Fan", "w": 30.0}


def restart(home, wanted=None):
    """Return the house as the next process knows it."""
    return restore(7, json.loads(json.dumps(snapshot(home))), wanted or policy())


def sources(changes):
    return [(c.event_type, c.fields["source"]) for c in changes if isinstance(c, Event) and c.device]


@pytest.mark.parametrize("firmware", ["1.64.2", None])
def test_the_firmware_is_remembered(firmware):
    assert restart(replace(HOME, firmware=firmware)).firmware == firmware


STORED = {
    "solar": None,
    "firmware": None,
    "listed": True,
    "newest": START + 9,
    "witness": {
        "horizon": START,
        "looked": START + 9,
        "sure": START + 9,
        "blind": [[START, START + 9]],
        "offsets": [],
    },
    "hidden": ["ffee0011"],
    "topic_ids": {},
    "devices": [
        {
            "id": "1a2b3c4d",
            "name": "Dryer",
            "kind": "detected",
            "framed_name": "Dryer",
            "listed_name": "Dryer",
            "state": "off",
            "since": START + 9,
            "last_on": START + 5,
            "last_off": START + 9,
            "known": [
                {"event_type": "turned_on", "time": START + 5, "earliest": START, "told": None, "guid": None},
                {"event_type": "turned_off", "time": START + 9, "earliest": START + 5, "told": None, "guid": None},
            ],
        },
        {"id": "always_on", "name": "Always On", "kind": "virtual", "state": None, "since": None,
         "last_on": None, "last_off": None},
        {"id": "ssi-1f2e3d4c", "name": "TV", "kind": "plug", "framed_name": "TV", "listed_name": "TV",
         "state": "on", "since": None, "last_on": None, "last_off": None},
        {"id": "unknown", "name": "Other", "kind": "virtual", "state": None, "since": None,
         "last_on": None, "last_off": None},
    ],
}  # fmt: skip


def test_what_is_remembered_is_what_is_known():
    seen = [(0, frame(PLUG)), (5, frame(PLUG, DRYER, at=5)), (9, frame(PLUG, at=9))]
    home, _ = run(
        HOME, *seen, (10, DevicesListed(read_device_list([DRYER, PLUG, {**FAN, "tags": {"UserDeleted": "true"}}])))
    )
    assert snapshot(home) == STORED
    assert snapshot(restart(home)) == snapshot(home)


def test_what_changed_during_a_restart_is_reported_as_reconnect():
    home, _ = run(HOME, (0, frame(DRYER)))
    home, changes = run(restart(home), (60, frame(PLUG, at=60)), (61, frame(DRYER, PLUG, at=61)))
    assert events(changes) == [
        ("1a2b3c4d", "turned_off", 60),
        ("ssi-1f2e3d4c", "turned_on", 60),
        ("1a2b3c4d", "turned_on", 61),
    ]
    assert sources(changes) == [("turned_off", "reconnect"), ("turned_on", "reconnect"), ("turned_on", "frame")]


def test_an_unchanged_house_makes_no_event_after_a_restart_but_is_reported_in_full():
    home, _ = run(HOME, (0, frame(DRYER, PLUG)))
    _, changes = run(restart(home), (0.5, Tick()), (1, frame(DRYER, PLUG, at=1)))
    assert events(changes) == []
    assert readings(changes, "availability") == ["offline", "online"]
    assert readings(changes, "state", "1a2b3c4d") == ["ON"]
    assert readings(changes, "power", "1a2b3c4d") == ["5584.7"]
    assert len(readings(changes, "attributes", "1a2b3c4d")) == 1
    assert len(readings(changes, "devices")) == 1


def test_nothing_remembered_is_reported_before_a_frame_confirms_it():
    home, _ = run(HOME, (0, frame(DRYER)))
    _, changes = run(restart(home), (60, DevicesListed(read_device_list([DRYER, ALWAYS_ON, OTHER]))), (61, Tick()))
    assert readings(changes, "state", "1a2b3c4d") == []


def test_a_run_that_began_before_a_restart_has_a_duration_and_no_energy():
    home, _ = run(HOME, (0, frame()), (1, frame(DRYER, at=1)))
    _, changes = run(restart(home), (60, frame(DRYER, at=60)), (101, frame(at=101)))
    off = next(c for c in changes if isinstance(c, Event))
    assert off.fields["duration_s"] == 100
    assert "energy_kwh" not in off.fields


def test_a_cached_frame_after_a_restart_tells_nothing():
    home, _ = run(HOME, (0, frame(DRYER)), (10, frame(at=10)))
    _, changes = run(restart(home), (60, frame(DRYER, at=5)), (61, frame(at=61)))
    assert events(changes) == []


def test_a_first_frame_without_a_pseudo_device_keeps_what_was_remembered():
    home, _ = run(HOME, (0, frame(DRYER)))
    _, changes = run(restart(home), (60, bare_frame(at=60)), (61, frame(DRYER, at=61)))
    assert events(changes) == []


def test_an_edge_that_was_held_back_at_the_end_is_seen_anew():
    held = policy({"1a2b3c4d": DeviceRules(off_delay_s=30)})
    home, _ = run(HOME, (0, frame(DRYER)), (1, frame(at=1)), wanted=held)
    _, changes = run(restart(home, held), (60, frame(at=60)), (90, frame(at=90)), wanted=held)
    assert events(changes) == [("1a2b3c4d", "turned_off", 60)]


def test_the_present_configuration_names_what_is_recalled():
    home, _ = run(HOME, (0, frame(DRYER)))
    named = policy({"1a2b3c4d": DeviceRules(name="My dryer")})
    assert restart(home, named).devices["1a2b3c4d"].name == "My dryer"


def test_the_description_of_a_device_is_recalled():
    row = {**PLUG, "icon": "tv", "make": "LG", "model": "C1", "location": "Den", "tags": {"UserDeviceType": "TV"}}
    home, _ = run(HOME, (0, frame(row)))
    recalled = restart(home).devices["ssi-1f2e3d4c"].info
    assert recalled == home.devices["ssi-1f2e3d4c"].info
    _, changes = run(restart(home), (1, DevicesListed(read_device_list([row]))))
    assert [c for c in changes if getattr(c, "device", None) == "ssi-1f2e3d4c"] == []


def test_a_solar_house_stays_one():
    home, _ = run(HOME, (0, frame(solar_w=1.0)))
    assert restart(home).solar is True


DAMAGED = [
    pytest.param({}, id="empty"),
    pytest.param({"devices": None, "hidden": 5, "listed": 1, "newest": "now", "solar": "yes"}, id="types"),
    pytest.param({"devices": {"a": 1}, "hidden": {"a": 1}, "newest": float("nan")}, id="mappings for lists"),
    pytest.param({"devices": [None, 3, {}, {"id": "a"}, {"id": "a", "kind": "x"}, {"kind": "plug"}]}, id="rows"),
    pytest.param({"hidden": [1, None, ["a"]]}, id="ids that are no text"),
]


@pytest.mark.parametrize("document", DAMAGED)
def test_what_cannot_be_read_is_as_if_it_were_not_known(document):
    assert restore(7, document, policy()) == Home(monitor=7, devices={})


def test_a_device_with_fields_that_cannot_be_read_keeps_the_others():
    entry = {"id": "a", "kind": "plug", "name": 3, "state": "banana", "since": "x", "last_on": [], "icon": 4}
    device = restore(7, {"devices": [entry]}, policy()).devices["a"]
    assert (device.name, device.is_on, device.switch.since, device.last_on, device.info.icon) == (
        "a",
        None,
        None,
        None,
        None,
    )


def test_edges_and_spans_that_cannot_be_read_are_forgotten():
    known = [{"event_type": "turned_on"}, {"time": 5}, {"event_type": "turned_on", "time": 7.0}]
    devices = [{"id": "1a2b3c4d", "kind": "detected", "known": known}]
    witness = {"horizon": "x", "blind": [[1], [1, None], [1, 2], 5], "offsets": ["y", 3]}
    home = restore(7, {"devices": devices, "witness": witness}, policy())
    assert home.devices["1a2b3c4d"].edges == (Edge("1a2b3c4d", EdgeKind.TURNED_ON, 7.0, 7.0),)
    assert home.coverage == Coverage(unobserved=((1.0, 2.0),), clock_offsets=(3.0,))


def test_a_document_as_the_first_release_wrote_it_is_read():
    document = {
        "solar": True, "listed": True, "newest": START + 9, "hidden": ["ffee0011"],
        "witness": {"horizon": START, "looked": START + 9, "sure": START + 9, "blind": [[START, START + 9]],
                    "offsets": []},
        "devices": [
            {"id": "1a2b3c4d", "name": "Dryer", "kind": "detected", "framed_name": "Dryer", "listed_name": "Dryer",
             "state": "off", "since": START + 9, "last_on": START + 5, "last_off": START + 9, "known": [
                {"event_type": "turned_off", "time": START + 9, "earliest": START + 5, "told": None, "guid": None}]},
            {"id": "unknown", "name": "Other", "kind": "virtual", "state": None, "since": None, "last_on": None,
             "last_off": None},
        ],
    }  # fmt: skip
    home = restore(7, json.loads(json.dumps(document)), policy())
    assert {**snapshot(home), **document} == snapshot(home)
    _, changes = run(home, (20, frame(DRYER, at=20, solar_w=100.0)))
    assert sources(changes) == [("turned_on", "reconnect")]
    assert readings(changes, "grid_power") == ["200.0"]
