"""The readings of the house are one set: of one frame, on one clock, and they fit together."""

import pytest

from sense_mqtt.core.changes import Reading
from sense_mqtt.core.edges import EdgeKind, timeline_edge
from sense_mqtt.core.home.state import Home, Interrupted, Tick
from sense_mqtt.core.home.timeline_events import TimelineRead
from sense_mqtt.core.observe import observe
from sense_mqtt.core.publishing.reading_text import payload_of
from sense_mqtt.simulator.house.builtin import BEGINS, BuiltInHouse
from tests.support.core.builders import DRYER, KETTLE, PSEUDO, START, bare_frame, frame, moment, policy, readings, run
from tests.support.core.published_values import frames, show

HOME = Home(monitor=7)
MORNING, NOON = BEGINS + 10 * 3600.0, BEGINS + 16 * 3600.0  # UTC: the house is in New York


def told_at(*seen, wanted=None):
    """Return the readings of the house by the second at which they were told."""
    home, told = HOME, {}
    for after_s, thing in seen:
        home, changes = observe(home, thing, moment(after_s), wanted or policy())
        of_house = {c.key: payload_of(c) for c in changes if isinstance(c, Reading) and c.device is None}
        told[after_s] = {key: of_house[key] for key in of_house if key in KEYS}
    return told


KEYS = ("power", "solar_power", "grid_power", "solar_share", "frequency", "leg_1_voltage")

LIVES = [
    pytest.param(2, NOON, 0.5, {}, id="two frames a second"),
    pytest.param(1, MORNING, 0.5, {}, id="plugs and washers before noon"),
    pytest.param(2, NOON, 0.5, {"jump_w": 50.0}, id="jumps told at once"),
    pytest.param(2, NOON, 0.5, {"device_interval_s": 1.0}, id="devices told faster than the house"),
    pytest.param(2, NOON, 60.0, {"stale_after_s": 150.0}, id="polled once a minute"),
]


@pytest.mark.no_cover
@pytest.mark.parametrize("lasts_s", [100.0, pytest.param(300.0, marks=pytest.mark.long)])
@pytest.mark.parametrize(("seed", "since", "every_s", "wanted"), LIVES)
def test_what_is_shown_of_a_house_fits_together_at_all_times(seed, since, every_s, wanted, lasts_s):
    seen = frames(BuiltInHouse(seed), since, lasts_s * max(1.0, every_s), every_s=every_s)
    shown = show(seen, policy(**wanted))
    assert shown.messages > 50
    assert {kind for kind, moments in shown.mismatches.items() if moments} == set()
    assert set(shown.mismatches) >= {"grid off by more than 0.0 W", "share", "device above house"}


# --- one clock


def test_what_did_not_change_when_the_set_was_reported_waits_with_the_others():
    seen = [(0, frame(hz=60.0)), (10, frame(at=10, w=400.0, hz=60.0)), (12, frame(at=12, w=410.0, hz=60.1))]
    told = told_at(*seen, (19, Tick()), (20, Tick()))
    assert told[10] == {"power": "400.0"}
    assert told[12] == told[19] == {}
    assert told[20] == {"power": "410.0", "frequency": "60.10"}


def test_a_set_of_which_nothing_changed_starts_no_new_interval():
    told = told_at((0, frame()), (10, frame(at=10)), (11, frame(at=11, w=400.0)))
    assert told[11] == {"power": "400.0"}


def test_a_jump_of_one_reading_brings_the_whole_set():
    seen = [(0, frame(solar_w=100.0, hz=60.0)), (1, frame(at=1, w=310.0, solar_w=250.0, hz=60.1))]
    told = told_at(*seen, wanted=policy(jump_w=150.0))
    assert told[1] == {
        "power": "310.0", "solar_power": "250.0", "grid_power": "60.0", "solar_share": "81", "frequency": "60.10"
    }  # fmt: skip


def test_a_jump_of_what_the_house_was_never_told_to_have_is_none():
    told = told_at((0, frame()), (1, frame(at=1, w=310.0, channels=[310.0, 0.0])), wanted=policy(jump_w=150.0))
    assert told[1] == {}


# --- edges


def test_an_edge_brings_the_set_of_its_frame():
    told = told_at((0, frame(solar_w=100.0)), (1, frame(DRYER, at=1, w=5900.0, solar_w=100.0)))
    assert told[1] == {"power": "5900.0", "grid_power": "5800.0", "solar_share": "2"}


def test_after_an_edge_the_set_waits_for_its_interval_anew():
    seen = [(0, frame()), (5, frame(DRYER, at=5, w=5900.0)), (10, frame(DRYER, at=10, w=5910.0))]
    told = told_at(*seen, (14.5, Tick()), (15, Tick()))
    assert told[10] == told[14.5] == {}
    assert told[15] == {"power": "5910.0"}


def test_an_edge_of_the_timeline_brings_the_set_of_the_newest_frame():
    seen = [(0, frame(DRYER, w=5900.0)), (1, frame(DRYER, at=1, w=5950.0)), (2, Interrupted())]
    home, _ = run(HOME, *seen)
    _, changes = run(home, (8, TimelineRead((timeline_edge("1a2b3c4d", EdgeKind.TURNED_OFF, START + 5),))))
    assert [(c.device, c.key, payload_of(c)) for c in changes if isinstance(c, Reading)][:3] == [
        (None, "power", "5950.0"),
        ("1a2b3c4d", "state", "OFF"),
        ("1a2b3c4d", "power", "0"),
    ]


# --- no device above the house


def test_a_device_that_was_told_to_draw_more_than_the_house_does_now_is_reported_with_the_house():
    seen = [(0, frame(DRYER, w=5900.0)), (20, frame({**DRYER, "w": 200.0}, KETTLE, at=20, w=2100.0))]
    _, changes = run(HOME, (-1, frame(DRYER, KETTLE, at=-1, w=7400.0)), *seen, wanted=policy())
    assert readings(changes, "power", "1a2b3c4d") == ["5584.7", "200.0"]


def test_a_device_that_draws_more_than_the_house_was_told_to_brings_the_house():
    quiet = {**DRYER, "w": 10.0}
    told = told_at(
        (0, frame(quiet, w=400.0)),
        (55, frame(quiet, at=55, w=410.0)),
        (60, frame({**DRYER, "w": 1000.0}, at=60, w=1400.0)),
    )
    assert told[60] == {"power": "1400.0"}


# --- a frame without the sun


def dark(at, **fields):
    return bare_frame(*PSEUDO, at=at, **{"w": 500.0, **fields})


def test_a_frame_without_the_sun_is_passed_over_where_the_sun_was_reported():
    seen = [(0, frame(solar_w=100.0)), (10, dark(10)), (11, Tick()), (12, frame(at=12, w=510.0, solar_w=110.0))]
    told = told_at(*seen)
    assert told[10] == told[11] == {}
    assert told[12] == {"power": "510.0", "solar_power": "110.0", "grid_power": "400.0", "solar_share": "22"}


def test_where_the_sun_stays_away_the_house_is_reported_without_it_and_what_was_reported_of_it_is_taken_back():
    seen = [(0, frame(solar_w=100.0)), *((at, dark(at, w=500.0 + at)) for at in range(10, 70, 10))]
    told = told_at(*seen, (75, frame(at=75, solar_w=100.0)))
    assert [told[at] for at in (10, 20, 30, 40)] == [{}] * 4
    assert told[50] == {"power": "550.0", "solar_power": "", "grid_power": "", "solar_share": ""}
    assert told[60] == {"power": "560.0"}
    assert told[75] == {"power": "300.0", "solar_power": "100.0", "grid_power": "200.0", "solar_share": "33"}


def test_a_home_of_which_no_sun_was_reported_waits_for_none():
    told = told_at((0, frame()), (10, frame(at=10, w=400.0)))
    assert told[10] == {"power": "400.0"}
