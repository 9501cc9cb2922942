"""What one more thing seen changes about a house."""

import json

import pytest

from sense_mqtt.core.changes import Event
from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.home.state import DevicesListed, Home, Interrupted, Tick
from sense_mqtt.core.observe import observe
from sense_mqtt.core.publishing.reading_text import payload_of
from sense_mqtt.core.wire.devices import read_device_list
from sense_mqtt.core.wire.frames import Hello, MonitorInfo, UnknownFrame, read_update
from tests.support.core.builders import (
    ALWAYS_ON,
    DRYER,
    OTHER,
    PLUG,
    START,
    bare_frame,
    events,
    frame,
    moment,
    policy,
    readings,
    run,
)

HOME = Home(monitor=7)
FRESH = read_device_list([DRYER, *({**row} for row in (ALWAYS_ON, OTHER))])


def test_first_frame_makes_state_and_no_event():
    _, changes = run(HOME, (0, frame(DRYER)))
    assert events(changes) == []
    assert readings(changes, "state", "1a2b3c4d") == ["ON"]
    assert readings(changes, "power", "1a2b3c4d") == ["5584.7"]
    assert readings(changes, "availability") == ["online"]


def test_device_in_the_next_frame_turned_on_and_gone_from_it_turned_off():
    _, changes = run(HOME, (0, frame()), (1, frame(DRYER, at=1)), (5, frame(at=5)))
    assert events(changes) == [("1a2b3c4d", "turned_on", 1), ("1a2b3c4d", "turned_off", 5)]
    assert readings(changes, "state", "1a2b3c4d") == ["ON", "OFF"]
    assert readings(changes, "power", "1a2b3c4d") == ["5584.7", "0"]


def test_an_event_says_what_the_contract_asks():
    _, changes = run(HOME, (0, frame()), (1, frame(DRYER, at=1)), (3, frame(DRYER, at=3)), (5, frame(at=5)))
    on, off = [c for c in changes if isinstance(c, Event)]
    told = {key: value for key, value in on.fields.items() if key != "id"}
    assert told == {"name": "Dryer", "power_w": 5584.7, "source": "frame", "late": False}
    assert off.fields["duration_s"] == 4
    assert off.fields["energy_kwh"] == 0.006  # 5584.7 W for 4 s, kWh with 3 decimals (contract 2.2)


def test_the_same_transition_has_the_same_id_whoever_sees_it():
    _, first = run(HOME, (0, frame()), (1, frame(DRYER, at=1)))
    _, second = run(HOME, (3, frame(at=-60)), (9, frame(DRYER, at=1)))
    ids = [c.fields["id"] for c in (*first, *second) if isinstance(c, Event)]
    assert len(ids) == 2
    assert ids[0] == ids[1]


def test_an_event_told_more_than_a_minute_after_it_happened_is_late():
    _, changes = run(HOME, (0, frame()), (61.5, frame(DRYER, at=1)))
    assert [c.fields["late"] for c in changes if isinstance(c, Event)] == [True]


@pytest.mark.parametrize(
    "no_evidence",
    [
        pytest.param(bare_frame(at=1), id="empty list"),
        pytest.param(read_update({"w": 1.0, "epoch": START + 1}), id="no list"),
        pytest.param(bare_frame(PLUG, at=1), id="no pseudo device"),
    ],
)
def test_a_frame_without_a_pseudo_device_proves_nobody_off(no_evidence):
    home, _ = run(HOME, (0, frame(DRYER)))
    _, changes = run(home, (1, no_evidence))
    assert ("1a2b3c4d", "turned_off", 1) not in events(changes)


def test_a_device_that_flaps_within_its_hold_time_is_not_told():
    held = policy({"1a2b3c4d": DeviceRules(off_delay_s=2)})
    frames = [(0, frame(DRYER)), (1, frame(at=1)), (2, frame(DRYER, at=2)), (9, frame(DRYER, at=9))]
    _, changes = run(HOME, *frames, wanted=held)
    assert events(changes) == []


def test_an_off_that_lasts_is_told_with_the_time_at_which_it_began():
    held = policy({"1a2b3c4d": DeviceRules(off_delay_s=2)})
    _, changes = run(HOME, (0, frame(DRYER)), (1, frame(at=1)), (2, frame(at=2)), (3, frame(at=3)), wanted=held)
    assert events(changes) == [("1a2b3c4d", "turned_off", 1)]


def test_an_off_that_is_held_back_is_told_when_no_further_frame_comes():
    held = policy({"1a2b3c4d": DeviceRules(off_delay_s=2)})
    _, changes = run(HOME, (0, frame(DRYER)), (1, frame(at=1)), (3, Tick()), (4, Tick()), wanted=held)
    assert events(changes) == [("1a2b3c4d", "turned_off", 1)]
    assert readings(changes, "state", "1a2b3c4d") == ["ON", "OFF"]


def test_on_delay_holds_back_an_on():
    held = policy({"1a2b3c4d": DeviceRules(on_delay_s=3, off_delay_s=0)})
    frames = [(0, frame()), (1, frame(DRYER, at=1)), (3, frame(DRYER, at=3)), (4, frame(DRYER, at=4))]
    _, changes = run(HOME, *frames[:3], wanted=held)
    assert events(changes) == []
    _, changes = run(HOME, *frames, wanted=held)
    assert events(changes) == [("1a2b3c4d", "turned_on", 1)]


THRESHOLDS = [
    pytest.param({"on_above_w": 100}, [50, 120, 90, 120], ["turned_on", "turned_off", "turned_on"], id="above only"),
    pytest.param({"off_below_w": 100}, [50, 120, 90], ["turned_on", "turned_off"], id="below only"),
    pytest.param({"on_above_w": 100, "off_below_w": 20}, [50, 120, 50, 10], ["turned_on", "turned_off"], id="both"),
]


@pytest.mark.parametrize(("thresholds", "watts", "told"), THRESHOLDS)
def test_thresholds_replace_presence(thresholds, watts, told):
    wanted = policy({"1a2b3c4d": DeviceRules(off_delay_s=0, **thresholds)})
    frames = [(n + 1, frame({**DRYER, "w": w}, at=n + 1)) for n, w in enumerate(watts)]
    _, changes = run(HOME, (0, frame()), *frames, wanted=wanted)
    assert [kind for _, kind, _ in events(changes)] == told


def test_a_plug_that_goes_idle_is_off_but_keeps_its_watts():
    idle = {**PLUG, "w": 0.9, "attrs": ["Idle"]}
    _, changes = run(HOME, (0, frame()), (1, frame(PLUG, at=1)), (2, frame(idle, at=2)), (3, frame(at=3)))
    assert [kind for _, kind, _ in events(changes)] == ["turned_on", "idle", "turned_off"]
    assert readings(changes, "state", "ssi-1f2e3d4c") == ["ON", "OFF"]
    assert readings(changes, "power", "ssi-1f2e3d4c") == ["80.0", "0.9", "0"]


def test_what_changed_in_a_gap_is_told_as_reconnect():
    _, changes = run(HOME, (0, frame()), (1, Interrupted()), (60, frame(DRYER, at=60)), (61, frame(at=61)))
    sources = [c.fields["source"] for c in changes if isinstance(c, Event)]
    assert sources == ["reconnect", "frame"]


def test_a_cached_first_frame_tells_nothing():
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
    assert len({c.fields["id"] for c in changes if isinstance(c, Event)}) == 3


# --- readings


def test_readings_wait_for_their_interval_and_the_newest_value_wins():
    watts = [(0, 100.0), (5, 200.0), (9, 300.0), (10, 400.0)]
    _, changes = run(HOME, *((at, frame(at=at, w=w)) for at, w in watts))
    assert readings(changes, "power") == ["100.0", "400.0"]


def test_a_reading_that_became_due_without_a_frame_is_told_by_a_tick():
    _, changes = run(HOME, (0, frame(at=0, w=100.0)), (5, frame(at=5, w=200.0)), (11, Tick()))
    assert readings(changes, "power") == ["100.0", "200.0"]


def test_an_unchanged_value_is_not_told_again():
    _, changes = run(HOME, (0, frame(at=0)), (60, frame(at=60)), (120, frame(at=120, w=300.04)))
    assert readings(changes, "power") == ["300.0"]


def test_a_jump_is_told_at_once():
    _, changes = run(
        HOME, (0, frame()), (1, frame(at=1, w=450.0)), (2, frame(at=2, w=700.0)), wanted=policy(jump_w=200)
    )
    assert readings(changes, "power") == ["300.0", "700.0"]


def test_a_missing_field_is_not_told_as_zero():
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


def test_always_on_is_told_net_of_the_plugs_share():
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
def test_a_monitor_that_says_it_is_offline_is_believed(greeting):
    _, changes = run(HOME, (0, frame()), (1, greeting))
    assert readings(changes, "availability") == ["online", "offline"]


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
def test_one_frame_from_the_future_spoils_nothing_that_comes_after_it(ahead_s):
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
