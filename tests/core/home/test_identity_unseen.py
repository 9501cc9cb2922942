"""What Sense does with the ids of a device while no frame comes, or no bridge runs, is no transition either."""

import pytest

from sense_mqtt.core.home.state import Interrupted
from tests.support.core.builders import events, frame, house_events, listed, run
from tests.support.core.merges import (
    AGAIN,
    BARE,
    FAN,
    NAMING,
    OTHER_DEVICE,
    PARENT,
    PUMP,
    TV,
    VANISHED,
    two_motors,
    with_tv,
)
from tests.support.core.meter_figures import restarted

BACK = 660  # seconds after the start


def away(home, shown, *, is_restarted):
    """Return the home after a minute in which frames showed a device, and ten in which nothing was observed."""
    home, _ = run(home, *((at, frame(shown, at=at)) for at in range(3, 60)), (60, Interrupted()))
    return restarted(home) if is_restarted else home


def running(home):
    return {identity for identity, device in home.devices.items() if device.is_on}


def back(home, rows, shown, *, list_first):
    """Return the home and what was told: the list and the first frames, in either order."""
    first, second = (BACK, BACK + 3) if list_first else (BACK + 3, BACK)
    frames = [(second + number, frame(*shown, at=second + number)) for number in range(3)]
    seen = sorted([(first, rows), *frames], key=lambda each: each[0])
    return run(home, *seen, (BACK + 9, frame(*shown, at=BACK + 9)))


unseen = pytest.mark.parametrize("is_restarted", [False, True], ids=["an outage", "a stop"])
in_either_order = pytest.mark.parametrize("list_first", [True, False], ids=["the list first", "frames first"])


@unseen
@in_either_order
@pytest.mark.parametrize(("merged", "own"), [(VANISHED, "aaaa1111"), (NAMING, "bbbb2222")], ids=["vanish", "MergeId"])
def test_a_device_that_runs_and_was_merged_meanwhile(is_restarted, list_first, merged, own):
    home, told = back(away(two_motors(FAN), FAN, is_restarted=is_restarted), merged, [PARENT], list_first=list_first)
    assert [event for event in events(told) if event[0]] == []
    assert {event[1] for event in house_events(told) if event[0] == "device_merged"} == {"aaaa1111", "bbbb2222"}
    assert running(home) == {own}
    assert "Parent01" not in home.devices


@unseen
@in_either_order
def test_a_plug_that_runs_and_has_another_id_since(is_restarted, list_first):
    home, told = back(
        away(with_tv(TV), TV, is_restarted=is_restarted), listed(AGAIN, OTHER_DEVICE), [BARE], list_first=list_first
    )
    assert events(told) == []
    assert "ssi-1f2e3d4c" in running(home)
    assert "4xANDCuJ" not in home.devices


@unseen
@in_either_order
def test_devices_that_run_and_were_split_meanwhile(is_restarted, list_first):
    merged, _ = run(two_motors(FAN, PUMP), (2.5, VANISHED))
    home, told = back(
        away(merged, PARENT, is_restarted=is_restarted),
        listed(FAN, PUMP, OTHER_DEVICE),
        [FAN, PUMP],
        list_first=list_first,
    )
    assert [event for event in events(told) if event[0]] == []
    assert house_events(told) == [("device_found", "bbbb2222"), ("device_renamed", "aaaa1111", "Air conditioner")]
    assert {"aaaa1111", "bbbb2222"} <= running(home)
