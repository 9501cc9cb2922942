"""What one more observation changes about a home: readings and availability."""

import json

import pytest

from sense_mqtt.core.changes import Event
from sense_mqtt.core.home.state import Home, Tick
from sense_mqtt.core.publishing.reading_text import payload_of
from sense_mqtt.core.wire.devices import read_device_list
from sense_mqtt.core.wire.frames import Hello, MonitorInfo
from tests.support.core.builders import (
    ALWAYS_ON,
    DRYER,
    OTHER,
    PLUG,
    bare_frame,
    events,
    frame,
    policy,
    readings,
    run,
)

HOME = Home(monitor=7)
FRESH = read_device_list([DRYER, *({**row} for row in (ALWAYS_ON, OTHER))])


def test_readings_wait_for_their_interval_and_the_newest_value_wins():
    watts = [(0, 100.0), (5, 200.0), (9, 300.0), (10, 400.0)]
    _, changes = run(HOME, *((at, frame(at=at, w=w)) for at, w in watts))
    assert readings(changes, "power") == ["100.0", "400.0"]


def test_a_reading_that_became_due_without_a_frame_is_published_by_a_tick():
    _, changes = run(HOME, (0, frame(at=0, w=100.0)), (5, frame(at=5, w=200.0)), (11, Tick()))
    assert readings(changes, "power") == ["100.0", "200.0"]


def test_an_unchanged_value_is_not_published_again():
    _, changes = run(HOME, (0, frame(at=0)), (60, frame(at=60)), (120, frame(at=120, w=300.04)))
    assert readings(changes, "power") == ["300.0"]


def test_a_jump_is_published_at_once():
    _, changes = run(
        HOME, (0, frame()), (1, frame(at=1, w=450.0)), (2, frame(at=2, w=700.0)), wanted=policy(jump_w=200)
    )
    assert readings(changes, "power") == ["300.0", "700.0"]


def test_a_missing_field_is_not_published_as_zero():
    _, changes = run(HOME, (0, frame()))
    told = {c.key for c in changes if hasattr(c, "key") and c.device is None}
    assert told == {"power", "availability", "devices", "last_frame"}


def test_solar_readings():
    _, changes = run(HOME, (0, frame(solar_w=-2.6, grid_w=302, solar_pct=0)))
    assert readings(changes, "solar_power") == ["0.0"]
    assert readings(changes, "grid_power") == ["300.0"]
    assert readings(changes, "solar_share") == ["0"]


def test_a_home_without_solar_has_no_grid_power_of_its_own():
    _, changes = run(HOME, (0, frame(w=2736, grid_w=2654, solar_pct=0)))
    assert readings(changes, "grid_power") == readings(changes, "solar_share") == []


def test_consumption_is_never_below_zero():
    other, idle = {**OTHER, "w": -3.7}, {**PLUG, "w": -0.1, "attrs": ["Idle"]}
    home, _ = run(HOME, (0, bare_frame(ALWAYS_ON, PLUG)))
    _, changes = run(home, (60, bare_frame(ALWAYS_ON, other, idle, at=60, w=-0.04)))
    told = [(c.device, payload_of(c)) for c in changes if getattr(c, "key", None) == "power"]
    assert told == [(None, "0.0"), ("ssi-1f2e3d4c", "0"), ("unknown", "0.0")]
    assert [c.fields["power_w"] for c in changes if isinstance(c, Event)] == [0.0]


def test_always_on_is_published_without_the_share_of_the_plugs():
    _, changes = run(HOME, (0, frame(PLUG)))
    assert readings(changes, "power", "always_on") == ["245.0"]
    assert readings(changes, "state", "always_on") == []


def test_solar_is_no_device_topic():
    _, changes = run(HOME, (0, frame({"id": "solar", "name": "Solar", "w": 900.0}, solar_w=900.0)))
    assert not [c for c in changes if getattr(c, "device", None) == "solar" and hasattr(c, "key")]
    entries = json.loads(readings(changes, "devices")[-1])
    assert [(e["id"], e["kind"], e["on"]) for e in entries if e["id"] == "solar"] == [("solar", "virtual", None)]


def test_without_frames_a_house_goes_offline_and_comes_back():
    _, changes = run(HOME, (0, frame()), (45, Tick()), (46, Tick()), (50, frame(at=50)))
    assert readings(changes, "availability") == ["online", "offline", "online"]
    assert [kind for _, kind, _ in events(changes)] == ["monitor_offline", "monitor_online"]


def test_before_the_first_frame_a_house_is_offline_without_an_event():
    _, changes = run(HOME, (0, Tick()), (1, frame(at=1)))
    assert readings(changes, "availability") == ["offline", "online"]
    assert events(changes) == []


@pytest.mark.parametrize("greeting", [Hello(online=False), MonitorInfo(online=False)])
def test_a_monitor_that_says_it_is_offline_is_offline_at_once(greeting):
    _, changes = run(HOME, (0, frame()), (1, greeting))
    assert readings(changes, "availability") == ["online", "offline"]
