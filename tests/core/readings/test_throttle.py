"""When a present value is told, and as what."""

import json

import pytest

from sense_mqtt.core.changes import Event, Reading
from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.home.state import DevicesListed, Home, Interrupted, Tick
from sense_mqtt.core.readings.throttle import device_readings, publish_availability
from sense_mqtt.core.wire.devices import read_device_list
from tests.support.core.builders import DRYER, PLUG, START, frame, moment, policy, readings, run

HOME = Home(monitor=7)
WATTS = {"id": "1a2b3c4d", "name": "Dryer"}


def weigh(*seconds_and_watts, **wanted):
    """Return what is told of a device's power that is seen with these watts at these seconds."""
    seen = [(at, frame({**WATTS, "w": w}, at=at)) for at, w in seconds_and_watts]
    _, changes = run(HOME, *seen, wanted=policy(**wanted))
    return readings(changes, "power", "1a2b3c4d")


PACES = [
    pytest.param([(0, 10), (59, 20), (60, 30)], {}, ["10.0", "30.0"], id="a minute apart, the newest wins"),
    pytest.param([(0, 10), (5, 20)], {"device_interval_s": 5}, ["10.0", "20.0"], id="as the user set it"),
    pytest.param([(0, 10), (60, 10.04), (61, 10.06)], {}, ["10.0", "10.1"], id="only what differs once rounded"),
    pytest.param([(0, 10), (1, 109.9), (2, 110), (3, 111)], {"jump_w": 100}, ["10.0", "110.0"], id="a jump at once"),
    pytest.param([(0, 210), (1, 110)], {"jump_w": 100}, ["210.0", "110.0"], id="a jump down"),
    pytest.param([(0, 10), (60, 10), (61, 20)], {}, ["10.0", "20.0"], id="an unchanged value starts no new interval"),
]


@pytest.mark.parametrize(("seen", "wanted", "told"), PACES)
def test_a_device_reading_waits_for_its_interval(seen, wanted, told):
    assert weigh(*seen, **wanted) == told


def test_a_transition_tells_power_at_once_and_opens_a_new_interval():
    _, changes = run(
        HOME,
        (0, frame(DRYER)),
        (1, frame(at=1)),
        (2, frame(DRYER, at=2)),
        (30, frame({**DRYER, "w": 1.0}, at=30)),
        (62, frame({**DRYER, "w": 2.0}, at=62)),
    )
    assert readings(changes, "power", "1a2b3c4d") == ["5584.7", "0", "5584.7", "2.0"]


def test_a_device_that_turns_on_without_watts_is_not_told_to_draw_nothing():
    _, changes = run(HOME, (0, frame(WATTS)), (1, frame(at=1)), (2, frame(WATTS, at=2)), (62, Tick()))
    assert readings(changes, "power", "1a2b3c4d") == ["0"]
    entry = json.loads(readings(changes, "attributes", "1a2b3c4d")[-1])
    assert (entry["on"], entry["power_w"]) == (True, None)


def test_pseudo_devices_without_watts_keep_what_was_known():
    bare = {"id": "unknown", "name": "Other"}
    _, changes = run(HOME, (0, frame(PLUG)), (60, frame(PLUG, bare, at=60)), (120, Tick()))
    assert readings(changes, "power", "unknown") == ["50.0"]


def test_always_on_is_never_below_zero():
    _, changes = run(HOME, (0, frame({**PLUG, "ao_w": 300.0})))
    assert readings(changes, "power", "always_on") == ["0.0"]


# --- nothing stale


def test_without_fresh_frames_no_value_is_reported():
    seen = [
        (0, frame(DRYER)),
        (5, frame({**DRYER, "w": 1.0}, at=5)),
        (61, Tick()),
        (62, DevicesListed(read_device_list([DRYER]))),
    ]
    _, changes = run(HOME, *seen)
    assert readings(changes, "power", "1a2b3c4d") == ["5584.7"]


def test_a_switch_that_settles_without_fresh_frames_reports_of_its_device_only():
    held = policy({"1a2b3c4d": DeviceRules(off_delay_s=60)})
    seen = [(0, frame(DRYER, w=300.0)), (1, frame(at=1, w=400.0)), (62, Tick())]
    home, _ = run(HOME, *seen[:2], wanted=held)
    _, changes = run(home, seen[2], wanted=held)
    assert readings(changes, "state", "1a2b3c4d") == ["OFF"]
    assert readings(changes, "power", "1a2b3c4d") == ["0"]
    assert readings(changes, "power") == []


# --- the time of the newest frame


def test_last_frame_is_reported_at_most_once_a_minute():
    _, changes = run(HOME, *((at, frame(at=at)) for at in (0, 30, 59, 60, 61)))
    assert readings(changes, "last_frame") == ["2026-11-18T11:06:40.000Z", "2026-11-18T11:07:40.000Z"]


def test_last_frame_of_polled_frames_is_when_they_came_not_when_it_is_reported():
    slow = policy(stale_after_s=600)
    _, changes = run(HOME, (0, frame(at=None)), (60, Tick()), (90, frame(at=None)), (150, Tick()), wanted=slow)
    assert readings(changes, "last_frame") == ["2026-11-18T11:06:40.000Z", "2026-11-18T11:08:10.000Z"]


# --- availability


def test_availability_is_an_event_once_it_was_online():
    home, changes = publish_availability(HOME, online=False, now=moment(0))
    assert changes == (Reading(None, "availability", value=False),)
    home, changes = publish_availability(home, online=True, now=moment(1))
    assert changes == (Reading(None, "availability", value=True),)
    home, changes = publish_availability(home, online=False, now=moment(2))
    assert changes == (Reading(None, "availability", value=False), Event(None, "monitor_offline", START + 2))
    home, changes = publish_availability(home, online=False, now=moment(3))
    assert changes == ()
    _, changes = publish_availability(home, online=True, now=moment(4))
    assert changes == (Reading(None, "availability", value=True), Event(None, "monitor_online", START + 4))


def test_an_interruption_alone_leaves_a_house_online():
    _, changes = run(HOME, (0, frame()), (1, Interrupted()), (40, Tick()))
    assert readings(changes, "availability") == ["online"]


# --- documents


def test_the_list_of_devices_says_what_the_contract_asks():
    row = {**PLUG, "icon": "tv", "make": "LG", "model": "C1", "location": "Den", "tags": {"UserDeviceType": "TV"}}
    _, changes = run(HOME, (0, frame()), (1, frame(row, at=1)), (2, frame(at=2)))
    entries = json.loads(readings(changes, "devices")[-1])
    assert [entry["id"] for entry in entries] == ["always_on", "ssi-1f2e3d4c", "unknown"]
    assert entries[1] == {
        "id": "ssi-1f2e3d4c",
        "name": "TV",
        "icon": "tv",
        "make": "LG",
        "model": "C1",
        "location": "Den",
        "type": "TV",
        "kind": "plug",
        "on": False,
        "power_w": 0.0,
        "last_on": "2026-11-18T11:06:41.000Z",
        "last_off": "2026-11-18T11:06:42.000Z",
    }
    assert json.loads(readings(changes, "attributes", "ssi-1f2e3d4c")[-1]) == entries[1]


def test_the_list_is_reported_when_a_device_appears_or_switches_and_not_otherwise():
    frames = [frame(), frame(DRYER, at=1), frame({**DRYER, "w": 1.0}, at=100), frame(at=101)]
    told = []
    home = HOME
    for at, thing in enumerate(frames):
        home, changes = run(home, (at, thing))
        told.append(len(readings(changes, "devices")))
    assert told == [1, 1, 0, 1]


def test_the_list_can_be_reported_anyway():
    home, _ = run(HOME, (0, frame()))
    assert device_readings(home, frozenset())[1] == ()
    assert [reading.key for reading in device_readings(home, frozenset(), anyway=True)[1]] == ["devices"]


def test_names_of_any_script_are_written_and_half_surrogates_survive():
    odd = {"id": "\ud800x", "name": "Küche \udfff", "w": 1.0}
    _, changes = run(HOME, (0, frame()), (1, frame(odd, at=1)))
    entries = json.loads(readings(changes, "devices")[-1].encode())
    assert [entry["name"] for entry in entries if entry["id"] == "\ud800x"] == ["Küche \udfff"]
    assert [c.event_type for c in changes if isinstance(c, Event)] == ["turned_on"]


def test_a_device_that_draws_nothing_while_it_is_on_and_one_that_goes_off_are_reported_apart():
    asleep = {**DRYER, "w": 0.0}
    _, changes = run(HOME, (0, frame(asleep)), (100, frame(asleep, at=100)), (103, frame(at=103)))
    assert readings(changes, "power", "1a2b3c4d") == ["0.0", "0"]
