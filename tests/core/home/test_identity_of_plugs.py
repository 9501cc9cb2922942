"""A plug stays itself when it is added to Sense again, under a new id. The table: docs/identity.md."""

import pytest

from sense_mqtt.core.edges import EdgeKind, timeline_edge
from sense_mqtt.core.home.timeline_events import TimelineRead
from tests.support.core.builders import HOME, START, events, frame, introduced, listed, run, withdrawn
from tests.support.core.merges import AGAIN, BARE, OTHER_DEVICE, TV, with_tv

REKEYS = [
    pytest.param([listed(AGAIN, OTHER_DEVICE)], id="the old row is gone"),
    pytest.param(
        [listed(TV | {"tags": {**TV["tags"], "UserDeleted": "true"}}, AGAIN, OTHER_DEVICE)], id="it is deleted"
    ),
    pytest.param([frame(AGAIN, at=3)], id="a frame shows it first"),
    pytest.param([frame(AGAIN, at=3), listed(AGAIN, OTHER_DEVICE)], id="a frame, then the list"),
    pytest.param([listed(AGAIN, OTHER_DEVICE), frame(TV, at=3)], id="frames show the old id for a while"),
]


@pytest.mark.parametrize("rekey", REKEYS)
def test_a_plug_that_is_added_again_stays_itself(rekey):
    home, changes = run(with_tv(TV), *((3, seen) for seen in rekey), (4, frame(BARE, at=4)), (5, frame(at=5)))
    assert events(changes) == [("ssi-1f2e3d4c", "turned_off", 5)]
    assert withdrawn(changes) == []
    assert set(introduced(changes)) <= {"ssi-1f2e3d4c"}
    assert home.identities.sense_id_of("ssi-1f2e3d4c") == "4xANDCuJ"
    _, changes = run(home, (6, listed(AGAIN, OTHER_DEVICE)), (7, frame(BARE, at=7)))
    assert events(changes) == [("ssi-1f2e3d4c", "turned_on", 7)]


def test_both_rows_of_a_plug_in_one_list_are_one_device_while_the_old_one_draws_nothing():
    home, changes = run(with_tv(), (3, listed(TV, AGAIN, OTHER_DEVICE)), (4, frame(BARE, at=4)))
    assert events(changes) == [("ssi-1f2e3d4c", "turned_on", 4)]
    assert "4xANDCuJ" not in home.devices


BOTH = listed(TV, AGAIN, OTHER_DEVICE)


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param([frame(AGAIN, at=5), frame(AGAIN, at=6)], id="frames say which plug it is"),
        pytest.param([frame(BARE, at=5), BOTH, frame(BARE, at=6)], id="frames do not say it, the list is read again"),
    ],
)
def test_both_rows_of_a_plug_that_runs_are_one_device_once_frames_show_the_new_one_alone(seen):
    home, changes = run(with_tv(TV), (3, BOTH), (4, frame(TV, at=4)), *enumerate(seen, 5), (9, BOTH))
    assert events(changes) == []
    assert withdrawn(changes) == []
    assert "4xANDCuJ" not in home.devices
    assert (home.devices["ssi-1f2e3d4c"].is_on, home.devices["ssi-1f2e3d4c"].power_w) == (True, 80.0)


def test_a_second_row_of_a_plug_that_runs_is_found_once_a_frame_shows_both():
    home, changes = run(with_tv(TV), (3, BOTH), (4, frame(TV, at=4)), (5, frame(TV, AGAIN, at=5)), (6, BOTH))
    assert events(changes) == [(None, "device_found", 5), ("4xANDCuJ", "turned_on", 5)]
    assert {"ssi-1f2e3d4c", "4xANDCuJ"} <= home.devices.keys()


def test_two_plugs_that_both_draw_are_two_whatever_their_duid():
    home, changes = run(with_tv(TV), (3, listed(TV, AGAIN, OTHER_DEVICE)), (4, frame(TV, BARE, at=4)))
    assert {"ssi-1f2e3d4c", "4xANDCuJ"} <= home.devices.keys()
    assert [event for event in events(changes) if event[1] == "turned_off"] == []


def test_a_duid_that_two_new_rows_have_says_nothing():
    home, _ = run(with_tv(), (3, listed(AGAIN, {**AGAIN, "id": "another1"}, OTHER_DEVICE)))
    assert {"4xANDCuJ", "another1"} <= home.devices.keys()


def test_a_duid_that_two_known_plugs_have_says_nothing():
    home, _ = run(HOME, (0, frame()), (1, listed(TV, {**TV, "id": "ssi-2", "name": "Radio"})), (2, listed(AGAIN)))
    assert "4xANDCuJ" in home.devices


def test_a_plug_that_has_its_old_id_again_stays_itself():
    home, _ = run(with_tv(TV), (3, listed(AGAIN, OTHER_DEVICE)), (4, frame(BARE, at=4)))
    home, changes = run(home, (5, frame(TV, at=5)), (6, listed(TV, OTHER_DEVICE)), (7, frame(TV, at=7)))
    assert events(changes) == []
    assert home.identities.is_plain


def test_a_plug_that_frames_showed_as_new_before_the_list_knew_its_duid_is_no_second_device():
    home, changes = run(with_tv(), (3, frame(BARE, at=3)), (4, listed(AGAIN, OTHER_DEVICE)), (5, frame(BARE, at=5)))
    assert withdrawn(changes) == ["4xANDCuJ"]
    assert home.devices["ssi-1f2e3d4c"].is_on is True


def test_an_item_of_the_timeline_that_waits_for_a_new_id_is_of_the_device():
    item = timeline_edge("4xANDCuJ", EdgeKind.TURNED_ON, START + 60)
    _, changes = run(
        with_tv(), (62, TimelineRead((item,))), (63, listed(AGAIN, OTHER_DEVICE)), (80, frame(BARE, at=80))
    )
    assert [event[:2] for event in events(changes)] == [("ssi-1f2e3d4c", "turned_on")]
