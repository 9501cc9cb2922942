"""A made-up capability: what it sees, what of it is published and when, and what survives a restart."""

from collections.abc import Mapping
from types import MappingProxyType

import pytest
from msgspec.structs import replace

from sense_mqtt.core.capabilities import CAPABILITIES, all_queries
from sense_mqtt.core.capability import Capability, Documents, Observation, Update
from sense_mqtt.core.changes import Change, Event, Reading, StateChanged
from sense_mqtt.core.commands.table import COMMANDS
from sense_mqtt.core.energy.by_period import ENERGY
from sense_mqtt.core.home.identities import Identities
from sense_mqtt.core.home.plain_frames import NEVER
from sense_mqtt.core.home.state import Home, Interrupted, QueryResult, Tick
from sense_mqtt.core.observe import Seen, observe
from sense_mqtt.core.readings.capability_readings import update_capabilities
from sense_mqtt.core.stored_home import DEVICE, restore, snapshot
from sense_mqtt.core.stored_home import HOME as HOME_ROW
from tests.support.core.builders import DRYER, HOME, frame, listed, moment, policy

Counts = Mapping[str, int]


class TransitionCount(Capability[Counts]):
    """How often each device has switched, as `power` so that the table has a row for it; an event at the third time."""

    key = "transition_count"
    initial: Counts = MappingProxyType({})

    def update(self, state: Counts, observation: Observation) -> Update[Counts]:
        switched = [event.device for event in observation.events if event.device]
        if not switched:
            return Update(state, [Reading(device, "power", float(count)) for device, count in state.items()])
        counts = dict(state)
        for device in switched:
            counts[device] = counts.get(device, 0) + 1
        events = [Event(device, "third", observation.now.wall) for device in switched if counts[device] == 3]
        return Update(counts, [Reading(None, "solar_power", None), *events], store=True)

    def forget(self, state: Counts, device: str) -> Counts:
        return {other: count for other, count in state.items() if other != device}

    def snapshot(self, state: Counts) -> Documents:
        return {device: {"count": count} for device, count in state.items()}

    def restore(self, documents: Documents) -> Counts:
        return {device: int(document["count"]) for device, document in documents.items()}


class Silent(Capability[int]):
    key = "silent"
    initial = 0

    def update(self, state: int, _observation: Observation) -> Update[int]:
        return Update(state)


COUNT = TransitionCount()
GONE = {"UserDeleted": "true"}


def follow(*seen: tuple[float, Seen]) -> tuple[Home, list[list[Change]]]:
    """Let a home observe each thing at so many seconds; return what follows from the capability each time."""
    home, found = HOME, []
    for after_s, thing in seen:
        after, changes = observe(home, thing, moment(after_s), policy())
        observation = Observation(home, after, thing, changes, moment(after_s), policy())
        home, more = update_capabilities(observation, [COUNT])
        found.append(list(more))
    return home, found


def test_it_sees_the_events_and_says_what_is_to_be_stored():
    home, found = follow((0, frame()), (1, frame(DRYER, at=1)))
    assert COUNT.state_of(home) == {"1a2b3c4d": 1}
    assert found == [[], [StateChanged("transition_count")]]


def test_a_reading_waits_for_the_interval_of_its_row_and_is_published_where_it_changed():
    on, off = frame(DRYER, at=1), frame(at=2)
    home, found = follow((0, frame()), (1, on), (1.5, Tick()), (2, off), (3, Tick()), (63, Tick()), (124, Tick()))
    readings = [[change.value for change in changes if isinstance(change, Reading)] for changes in found]
    assert readings == [[], [], [], [], [], [2.0], []]
    assert home.published["1a2b3c4d", "power"].value == 2.0


def test_an_event_of_a_capability_is_never_throttled():
    frames = [frame(*([DRYER] if at % 2 else []), at=at) for at in range(4)]
    _, found = follow(*enumerate(frames))
    assert [change.event_type for changes in found for change in changes if isinstance(change, Event)] == ["third"]


@pytest.mark.parametrize(
    ("seen", "is_frame"),
    [
        pytest.param(frame(at=3), True, id="a frame"),
        pytest.param(Tick(), False, id="a second that went by"),
        pytest.param(QueryResult("energy", "day", {}), False, id="a query that Sense answered"),
    ],
)
def test_it_can_ask_which_frame_was_observed(seen: Seen, is_frame: bool):
    before, _ = observe(HOME, frame(), moment(0), policy())
    home, changes = observe(before, seen, moment(3), policy())
    assert (Observation(before, home, seen, changes, moment(3), policy()).frame is not None) is is_frame


def test_a_frame_that_is_passed_over_as_outdated_is_no_frame_to_a_capability():
    home, _ = observe(HOME, frame(at=10), moment(10), policy())
    before, _ = observe(home, Interrupted(), moment(11), policy())
    home, changes = observe(before, frame(at=5), moment(12), policy())
    assert Observation(before, home, frame(at=5), changes, moment(12), policy()).frame is None


def test_a_device_that_is_gone_is_forgotten_and_by_default_nothing_is():
    home, _ = follow((0, frame()), (1, frame(DRYER, at=1)), (2, frame(at=2)), (3, listed({**DRYER, "tags": GONE})))
    assert home.devices.keys() == {"always_on", "unknown"}
    assert COUNT.state_of(home) == {}
    assert Silent().forget(1, "1a2b3c4d") == 1


def test_by_default_each_frame_is_of_concern():
    assert Silent().passes_over(1, HOME, moment(0), policy()) is NEVER


def test_by_default_each_device_has_the_entities_of_devices():
    assert Silent().has_entities(1, "1a2b3c4d")


def test_an_id_of_sense_is_the_one_here_until_sense_gives_another():
    assert HOME.id_of("1a2b3c4d") == "1a2b3c4d"
    assert replace(HOME, identities=Identities(aliases={"4xANDCuJ": "1a2b3c4d"})).id_of("4xANDCuJ") == "1a2b3c4d"


def test_a_state_survives_a_restart_in_a_row_for_each_device():
    home, _ = follow((0, frame()), (1, frame(DRYER, at=1)))
    rows = snapshot(home, [COUNT])
    assert rows["transition_count", "1a2b3c4d"] == {"count": 1}
    assert COUNT.state_of(restore(7, rows, policy(), [COUNT])) == {"1a2b3c4d": 1}


def test_what_was_stored_without_a_capability_gives_its_first_state():
    home = restore(7, snapshot(HOME), policy(), [COUNT])
    assert COUNT.state_of(home) == {}


def test_capabilities_that_store_nothing_have_no_row():
    assert set(snapshot(HOME, [ENERGY])) == {("home", "")}


def test_the_keys_of_capabilities_are_unique_and_their_queries_are_commands():
    assert len({DEVICE, HOME_ROW[0], *(each.key for each in CAPABILITIES)}) == len(CAPABILITIES) + 2
    assert {query.lookup for _, _, query in all_queries(HOME, moment(0), policy())} <= set(COMMANDS)


def test_a_capability_need_not_store_log_or_read_anything():
    assert (Silent().snapshot(1), Silent().restore({}), Silent().log_line(1, Tick())) == ({}, 0, None)
    assert Silent().queries(HOME, moment(0), policy()) == {}
