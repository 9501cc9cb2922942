"""Frames, gaps, lists and clocks one after the other, as only a whole house shows them."""

import pytest

from sense_mqtt.core.changes import Event, StateChanged
from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.home.state import Home, Interrupted, Tick
from sense_mqtt.core.observe import observe
from sense_mqtt.core.wire.frames import DeviceStates, FeedError, Hello
from tests.support.core.builders import (
    DRYER,
    PLUG,
    START,
    bare_frame,
    events,
    frame,
    house_events,
    listed,
    moment,
    policy,
    readings,
    run,
)

HOME = Home(monitor=7)


def sources(changes):
    return [(c.event_type, c.fields["source"]) for c in changes if isinstance(c, Event) and c.device]


IGNORED = [
    pytest.param(DeviceStates(), id="which plugs are reachable"),
    pytest.param(FeedError(False, "Unauthorized"), id="a refusal"),
]


@pytest.mark.parametrize("seen", IGNORED)
def test_messages_that_say_nothing_of_watts_change_nothing(seen):
    home, _ = run(HOME, (0, frame(DRYER)))
    assert observe(home, seen, moment(1), policy()) == (home, ())


def test_the_order_in_which_a_frame_is_reported():
    home, _ = run(HOME, (0, frame()), (1, listed()))
    _, changes = run(home, (2, frame(DRYER, at=2)))
    told = [getattr(c, "event_type", None) or getattr(c, "key", None) or "introduction" for c in changes]
    assert told[:7] == ["introduction", "device_found", "turned_on", "state", "power", "attributes", "devices"]


def test_a_device_switches_in_the_frame_in_which_it_is_renamed():
    home, _ = run(HOME, (0, frame()), (1, listed(DRYER)))
    _, changes = run(home, (2, frame({**DRYER, "name": "Tumbler"}, at=2)))
    assert house_events(changes) == [("device_renamed", "1a2b3c4d", "Dryer")]
    on = [c for c in changes if isinstance(c, Event) and c.device]
    assert [(c.event_type, c.fields["name"]) for c in on] == [("turned_on", "Tumbler")]


def test_frames_without_an_epoch_are_as_old_as_their_arrival():
    _, changes = run(HOME, (0, frame(at=None)), (60, frame(DRYER, at=None)))
    assert events(changes) == [("1a2b3c4d", "turned_on", 60)]


def test_polled_frames_after_streamed_ones_and_back_keep_the_order_of_events():
    # The stream's epoch lies seconds behind our clock.
    seen = [(10, frame(at=0)), (11, Interrupted()), (12, frame(DRYER, at=None)), (13, Interrupted()), (14, frame(at=4))]
    _, changes = run(HOME, *seen)
    assert events(changes) == [("1a2b3c4d", "turned_on", 12), ("1a2b3c4d", "turned_off", 12.001)]


def test_a_polled_frame_is_never_taken_for_a_cached_one():
    _, changes = run(HOME, (0, frame(at=3600)), (1, Interrupted()), (2, frame(DRYER, at=None)))
    assert [kind for _, kind, _ in events(changes)] == ["turned_on"]


def test_each_connection_may_begin_with_a_cached_frame():
    home, _ = run(HOME, (0, frame(at=10)))
    for at in (20, 30, 40):
        home, changes = run(home, (at, Interrupted()), (at + 1, frame(DRYER, at=5)))
        assert [change for change in changes if not isinstance(change, StateChanged)] == []
    _, changes = run(home, (50, frame(DRYER, at=50)))
    assert events(changes) == [("1a2b3c4d", "turned_on", 50)]


def test_an_older_frame_without_a_gap_is_believed():
    _, changes = run(HOME, (0, frame(at=10)), (1, frame(DRYER, at=9)))
    assert events(changes) == [("1a2b3c4d", "turned_on", 9)]


def test_a_device_that_switched_twice_in_a_gap_makes_no_event():
    _, changes = run(HOME, (0, frame(DRYER)), (1, Interrupted()), (600, frame(DRYER, at=600)))
    assert events(changes) == []


def test_an_off_held_back_when_the_feed_drops_is_reported_as_seen_before_the_gap():
    held = policy({"1a2b3c4d": DeviceRules(off_delay_s=2)})
    seen = [(0, frame(DRYER)), (1, frame(at=1)), (1.5, Interrupted()), (4, Tick()), (60, frame(DRYER, at=60))]
    _, changes = run(HOME, *seen, wanted=held)
    told = [(c.event_type, c.time - START, c.fields["source"]) for c in changes if isinstance(c, Event) and c.device]
    assert told == [("turned_off", 1, "frame"), ("turned_on", 60, "reconnect")]


def test_an_offline_greeting_makes_the_next_frame_the_first_after_a_gap():
    _, changes = run(HOME, (0, frame()), (1, Hello(online=False)), (60, frame(DRYER, at=60)))
    assert [c.fields["source"] for c in changes if isinstance(c, Event) and c.device] == ["reconnect"]
    assert readings(changes, "availability") == ["online", "offline", "online"]


@pytest.mark.parametrize("empty", [bare_frame(at=60), bare_frame(PLUG, at=60)], ids=["empty", "no pseudo device"])
def test_a_gap_lasts_until_a_frame_proves_who_is_off(empty):
    seen = [(0, frame(DRYER, PLUG)), (1, Interrupted()), (60, empty), (61, frame(PLUG, at=61))]
    _, changes = run(HOME, *seen)
    assert sources(changes) == [("turned_off", "reconnect")]
