"""Why something was published or not, for the log at debug."""

import pytest
from msgspec.structs import replace

from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.edges import EdgeKind, timeline_edge
from sense_mqtt.core.home.identities import Identities
from sense_mqtt.core.home.reasons import explain
from sense_mqtt.core.home.state import Interrupted, Tick
from sense_mqtt.core.home.timeline_events import TimelineRead
from sense_mqtt.core.observe import observe
from sense_mqtt.core.wire.frames import Hello, TimelineChange
from tests.support.core.builders import DRYER, HOME, KETTLE, START, frame, listed, moment, policy
from tests.support.core.merges import FAN, OTHER_DEVICE, PARENT, PUMP, VANISHED

D = DRYER["id"]
HELD_LONG = policy({D: DeviceRules(off_delay_s=5.0)})
HELD = policy({D: DeviceRules(off_delay_s=2.0)})
THRESHOLDS = policy({D: DeviceRules(on_above_w=100.0)})


def reasons(*seen, wanted=None):
    """Return (device, what, seconds after START, some fact) of each reason."""
    home, told = HOME, []
    for after_s, thing in seen:
        now = moment(after_s)
        before = home
        home, changes = observe(home, thing, now, wanted or policy())
        told += [(r.device, r.what, r.time and round(r.time - START, 3)) for r in explain(before, home, thing, changes)]
    return told


def of_device(told):
    return [(what, time) for device, what, time in told if device == D]


def stream(begin, end, *devices):
    return [(at, frame(*devices, at=at)) for at in range(begin, end)]


def item(edge, at, device=D):
    return timeline_edge(device, EdgeKind(edge), START + at, f"{edge}{at}")


def read(*items):
    return TimelineRead(items)


ON, OFF = "turned_on", "turned_off"
CASES = [
    pytest.param([*stream(0, 3, DRYER)], None, [], id="a device in the first frame is new, which is no transition"),
    pytest.param([*stream(0, 2), *stream(2, 3, DRYER)], None, [("event", 2)], id="one that comes later turned on"),
    pytest.param([*stream(0, 3, DRYER), *stream(3, 5)], None, [("event", 3)], id="a transition that is told"),
    pytest.param(
        [*stream(0, 3, DRYER), *stream(3, 6)], HELD, [("held_back", 3), ("event", 3)], id="one that is held back first"
    ),
    pytest.param(
        [*stream(0, 3, DRYER), *stream(3, 4), *stream(4, 6, DRYER)],
        HELD,
        [("held_back", 3), ("not_lasting", 3)],
        id="one that does not last",
    ),
    pytest.param(
        [*stream(0, 3, DRYER), (3, Interrupted()), (50, read(item(OFF, 20))), *stream(50, 53)],
        None,
        [("unobserved_edge", 20), ("event", 20)],
        id="an edge in a gap, told by the timeline only",
    ),
    pytest.param(
        [*stream(0, 3, DRYER), *stream(3, 6), (6, read(item(OFF, 4))), *stream(6, 8)],
        None,
        [("event", 3), ("matched", 4)],
        id="an edge that a frame showed before the timeline told of it",
    ),
    pytest.param(
        [*stream(0, 30, DRYER), (30, read(item(OFF, 25))), *stream(30, 60, DRYER)],
        None,
        [("waits", 25), ("frames_decide", 25)],
        id="an edge that no frame shows, though they show that time",
    ),
    pytest.param(
        [*stream(0, 3, DRYER), *stream(3, 90), (90, read(item(ON, 60), item(OFF, 64))), *stream(90, 92)],
        None,
        [("event", 3), ("short_run", 60), ("short_run", 64), ("event", 60), ("event", 64)],
        id="a run too short for frames",
    ),
    pytest.param(
        [*stream(0, 3, DRYER), (3, Interrupted()), (90, read(item(OFF, 20), item(OFF, 60)))],
        None,
        [("unobserved_edge", 20), ("no_change", 60), ("event", 20)],
        id="an edge to the state that the device was in already",
    ),
    pytest.param(
        [*stream(0, 3, DRYER), (3, Interrupted()), (90, read(item(OFF, 20), item(ON, 21)))],
        HELD_LONG,
        [("undone", 20), ("undone", 21)],
        id="two edges that undo each other within the hold time",
    ),
    pytest.param(
        [*stream(0, 3, DRYER), (3, Interrupted()), (90, read(item(OFF, 20)))],
        THRESHOLDS,
        [("thresholds", 20)],
        id="a device whose edges the user's thresholds decide",
    ),
    pytest.param([*stream(0, 3, DRYER), (4, read(item(OFF, -900)))], None, [], id="one that is older is only counted"),
    pytest.param(
        [*stream(0, 3, DRYER), (3, TimelineChange(updated=(item(OFF, 2.5),))), *stream(3, 4, DRYER)],
        None,
        [("waits", 2.5)],
        id="one that was pushed, and waits",
    ),
]


@pytest.mark.parametrize(("seen", "wanted", "expected"), CASES)
def test_each_edge_of_a_device_has_a_reason_whether_published_or_not(seen, wanted, expected):
    assert of_device(reasons(*seen, wanted=wanted)) == expected


def test_the_state_of_a_device_from_the_list_is_first_known_from_a_frame():
    assert of_device(reasons((0, listed(DRYER)), *stream(1, 3, DRYER))) == [("first_state", None)]


def test_a_state_that_the_timeline_reported_before_a_poll_showed_it_has_that_reason():
    polls = [(0, frame(at=None)), (1, listed(DRYER)), (60, frame(at=None)), (61, read(item(ON, 45)))]
    told = of_device(reasons(*polls, (120, frame(DRYER, at=None)), (180, frame(DRYER, at=None))))
    assert told == [("unobserved_edge", 45), ("event", 45), ("known_by_timeline", None)]


def test_an_item_of_an_unknown_device_waits_and_is_dropped():
    told = reasons(*stream(0, 3), (3, read(item(ON, 2, "stranger"))), (400, frame(at=400)))
    assert [row for row in told if row[0] == "stranger"] == [("stranger", "waits", 2), ("stranger", "no_device", 2)]


def test_gaps_and_availability_of_the_home_have_reasons():
    told = reasons(*stream(0, 2), (2, Interrupted()), (60, frame(at=60)), (61, frame(at=61)), (62, Hello(online=False)))
    assert [what for device, what, _ in told if device is None] == [
        "gap_ends",
        "online",
        "gap_begins",
        "gap_ends",
        "unobserved",
        "gap_begins",
        "offline",
        "house_event",
    ]


def test_an_outdated_frame_has_a_reason():
    told = reasons(*stream(0, 9), (9, Interrupted()), (60, frame(at=5)), (61, frame(at=61)))
    assert (None, "older_frame", 8) in told


def test_a_list_of_devices_that_was_read_has_a_reason():
    assert (None, "listed", None) in reasons((0, listed(DRYER, KETTLE)), (2, Tick()))


def test_a_pending_item_that_is_gone_without_a_decision_was_removed_by_sense():
    home = HOME
    for at, thing in [*stream(0, 3, DRYER), (3, read(item(OFF, 2.5)))]:
        home, _ = observe(home, thing, moment(at), policy())
    after, _ = observe(home, Interrupted(), moment(4), policy())
    after = replace(after, pending_items=())
    assert [(r.device, r.what) for r in explain(home, after, Interrupted(), ())] == [
        (None, "gap_begins"),
        (D, "removed"),
    ]


def test_what_is_made_of_ids_has_reasons():
    before = [(0, frame()), (1, listed(FAN, PUMP, OTHER_DEVICE)), (2, frame(FAN, at=2))]
    told = reasons(*before, (3, frame(PARENT, at=3)), (4, VANISHED), (5, listed(FAN, PUMP)))
    assert [row for row in told if row[1] in ("goes_on", "alone_again", "waits_for_list", "missing")] == [
        ("Parent01", "waits_for_list", 3),
        ("aaaa1111", "goes_on", None),
        ("aaaa1111", "alone_again", None),
        ("cccc3333", "missing", None),
    ]


def test_of_ids_only_what_is_new_has_a_reason():
    vanished = {"bbbb2222": "aaaa1111"}
    before = replace(HOME, identities=Identities(aliases=vanished, sightings={"cccc3333": None}))
    after = replace(before, identities=replace(before.identities, aliases={**vanished, "dddd4444": "eeee5555"}))
    known = [(reason.device, reason.what) for reason in explain(before, after, Tick(), ())]
    assert known == [("eeee5555", "goes_on")]
