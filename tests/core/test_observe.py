"""What one more observation changes about a home: edges of devices."""

import pytest

from sense_mqtt.core.changes import Event
from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.home.state import DevicesListed, Home, Interrupted, Tick
from sense_mqtt.core.observe import observe
from sense_mqtt.core.wire.devices import read_device_list
from sense_mqtt.core.wire.frames import Hello, UnknownFrame, read_update
from tests.support.core.builders import (
    ALWAYS_ON,
    DRYER,
    OTHER,
    PLUG,
    START,
    bare_frame,
    event_ids,
    events,
    frame,
    moment,
    policy,
    readings,
    run,
)

HOME = Home(monitor=7)
FRESH = read_device_list([DRYER, *({**row} for row in (ALWAYS_ON, OTHER))])


def test_the_first_frame_gives_the_state_and_no_event():
    _, changes = run(HOME, (0, frame(DRYER)))
    assert events(changes) == []
    assert readings(changes, "state", "1a2b3c4d") == ["ON"]
    assert readings(changes, "power", "1a2b3c4d") == ["5584.7"]
    assert readings(changes, "availability") == ["online"]


def test_a_device_that_the_next_frame_lists_turned_on_and_one_that_it_omits_turned_off():
    _, changes = run(HOME, (0, frame()), (1, frame(DRYER, at=1)), (5, frame(at=5)))
    assert events(changes) == [("1a2b3c4d", "turned_on", 1), ("1a2b3c4d", "turned_off", 5)]
    assert readings(changes, "state", "1a2b3c4d") == ["ON", "OFF"]
    assert readings(changes, "power", "1a2b3c4d") == ["5584.7", "0"]


def test_an_event_has_the_fields_of_the_contract():
    _, changes = run(HOME, (0, frame()), (1, frame(DRYER, at=1)), (3, frame(DRYER, at=3)), (5, frame(at=5)))
    on, off = [c for c in changes if isinstance(c, Event)]
    assert on.fields == {"name": "Dryer", "power_w": 5584.7, "source": "frame", "late": False}
    assert off.fields["duration_s"] == 4
    assert off.fields["energy_kwh"] == 0.006  # 5584.7 W for 4 s, kWh with 3 decimals


def test_a_transition_has_the_same_id_in_whichever_frames_it_shows():
    _, first = run(HOME, (0, frame()), (1, frame(DRYER, at=1)))
    _, second = run(HOME, (3, frame(at=-60)), (9, frame(DRYER, at=1)))
    one, other = event_ids([*first, *second])
    assert one == other


def test_an_event_published_more_than_a_minute_after_it_happened_is_late():
    _, changes = run(HOME, (0, frame()), (61.5, frame(DRYER, at=1)))
    assert [c.fields["late"] for c in changes if isinstance(c, Event)] == [True]


@pytest.mark.parametrize(
    "without",
    [
        pytest.param(bare_frame(at=1), id="empty list"),
        pytest.param(read_update({"w": 1.0, "epoch": START + 1}), id="no list"),
        pytest.param(bare_frame(PLUG, at=1), id="no virtual device"),
    ],
)
def test_a_frame_without_a_virtual_device_does_not_show_that_a_device_is_off(without):
    home, _ = run(HOME, (0, frame(DRYER)))
    _, changes = run(home, (1, without))
    assert ("1a2b3c4d", "turned_off", 1) not in events(changes)


def test_a_held_back_change_is_published_when_no_further_frame_comes():
    held = policy({"1a2b3c4d": DeviceRules(off_delay_s=2)})
    _, changes = run(HOME, (0, frame(DRYER)), (1, frame(at=1)), (3, Tick()), (4, Tick()), wanted=held)
    assert events(changes) == [("1a2b3c4d", "turned_off", 1)]
    assert readings(changes, "state", "1a2b3c4d") == ["ON", "OFF"]


def test_a_plug_that_goes_idle_is_off_but_keeps_its_watts():
    idle = {**PLUG, "w": 0.9, "attrs": ["Idle"]}
    _, changes = run(HOME, (0, frame()), (1, frame(PLUG, at=1)), (2, frame(idle, at=2)), (3, frame(at=3)))
    assert [kind for _, kind, _ in events(changes)] == ["turned_on", "idle", "turned_off"]
    assert readings(changes, "state", "ssi-1f2e3d4c") == ["ON", "OFF"]
    assert readings(changes, "power", "ssi-1f2e3d4c") == ["80.0", "0.9", "0"]


def test_a_change_in_a_gap_has_the_source_reconnect():
    _, changes = run(HOME, (0, frame()), (1, Interrupted()), (60, frame(DRYER, at=60)), (61, frame(at=61)))
    sources = [c.fields["source"] for c in changes if isinstance(c, Event)]
    assert sources == ["reconnect", "frame"]


def test_an_outdated_first_frame_is_ignored():
    home, _ = run(HOME, (0, frame(DRYER)), (10, frame(at=10)), (11, Interrupted()))
    _, changes = run(home, (12, frame(DRYER, at=5)), (13, frame(at=13)))
    assert events(changes) == []


def test_a_clock_that_was_set_back_is_believed_at_the_second_frame():
    home, _ = run(HOME, (3600, frame(at=3600)), (3601, Interrupted()))
    _, changes = run(home, (3602, frame(at=2)), (3603, frame(DRYER, at=3)))
    assert events(changes) == [("1a2b3c4d", "turned_on", 3)]


def test_two_frames_of_one_second_do_not_end_a_gap_early():
    home, _ = run(HOME, (0, frame(at=0)), (1, Interrupted()))
    _, changes = run(home, (1.2, frame(at=0)), (2, frame(DRYER, at=2)))
    assert [c.fields["source"] for c in changes if isinstance(c, Event)] == ["reconnect"]


def test_transitions_within_one_second_keep_their_order_and_differ_in_id():
    _, changes = run(HOME, (0, frame()), (1, frame(DRYER, at=1)), (1.5, frame(at=1)), (1.9, frame(DRYER, at=1)))
    assert [(kind, at) for _, kind, at in events(changes)] == [
        ("turned_on", 1),
        ("turned_off", 1.001),
        ("turned_on", 1.002),
    ]
    assert len(set(event_ids(changes))) == 3


@pytest.mark.parametrize("seen", [Hello(online=None), Hello(online=True), UnknownFrame("x")])
def test_other_messages_change_nothing(seen):
    assert observe(HOME, seen, moment(0), policy()) == (HOME, ())


def test_a_list_after_the_first_frame_brings_devices_that_are_off():
    _, changes = run(HOME, (0, frame()), (1, DevicesListed(FRESH)))
    assert readings(changes, "state", "1a2b3c4d") == ["OFF"]
    assert readings(changes, "power", "1a2b3c4d") == ["0"]
    assert events(changes) == []


AHEAD = [pytest.param(1800, id="half an hour"), pytest.param(7200, id="two hours"), pytest.param(86_400, id="a day")]


@pytest.mark.parametrize("ahead_s", AHEAD)
def test_after_one_frame_from_the_future_later_edges_are_as_usual(ahead_s):
    home, changes = run(
        HOME,
        (0, frame()),
        (1, frame(DRYER, at=1 + ahead_s)),
        *((at, frame(DRYER, at=at)) for at in range(2, 8)),
        (8, frame(at=8)),
        (9, frame(at=9)),
        (10, frame(DRYER, at=10)),
    )
    told = [change for change in changes if isinstance(change, Event)]
    assert events(changes)[1:] == [("1a2b3c4d", "turned_off", 8.0), ("1a2b3c4d", "turned_on", 10.0)]
    assert "duration_s" not in told[1].fields
    assert [event.fields["late"] for event in told[1:]] == [False, False]
    assert (home.devices["1a2b3c4d"].last_on, home.devices["1a2b3c4d"].last_off) == (START + 10, START + 8)


def test_snapshots_that_come_once_a_minute_are_successive_frames():
    wanted = policy(stale_after_s=150.0)
    seen = ((0, frame()), (60, frame(at=60)), (120, frame(DRYER, at=120)), (280, frame(at=280)))
    _, changes = run(HOME, *seen, wanted=wanted)
    assert [change.fields["source"] for change in changes if isinstance(change, Event)] == ["frame", "reconnect"]
