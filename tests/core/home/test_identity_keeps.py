"""What Sense does with the ids of a device breaks neither its meter nor its cycle. The table: docs/identity.md."""

import pytest

from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.meters.total import METERS
from tests.support.core.builders import HOME, frame, listed, policy, run
from tests.support.core.merges import AGAIN, BARE, FAN, NAMING, OTHER_DEVICE, PARENT, PUMP, TV, VANISHED
from tests.support.core.washer import finished

APART = listed(FAN, PUMP, OTHER_DEVICE)
RENAMED = listed({**FAN, "name": "Fan"}, PUMP, OTHER_DEVICE)
HIDDEN = listed({**FAN, "tags": {"DeviceListAllowed": "false"}}, PUMP, OTHER_DEVICE)


def live(own, lists, before, after):
    """Return a home, and what was told: a device is on for 100 s, Sense changes its list, and 100 s more."""
    wanted = policy({own: DeviceRules(off_delay_s=0.0, cycle_pause_s=60.0)})
    first, *changes = lists
    seen = [(0, frame(at=0)), (1, first), *((at, frame(before, at=at)) for at in range(2, 101))]
    seen += [(101, each) for each in changes]
    seen += [(at, frame(after, at=at)) for at in range(101, 201)]
    return run(HOME, *seen, *((at, frame(at=at)) for at in range(201, 300)), wanted=wanted)


@pytest.mark.parametrize(
    ("lists", "before", "after", "own"),
    [
        pytest.param([APART, RENAMED], FAN, FAN, "aaaa1111", id="renamed"),
        pytest.param([APART, VANISHED], FAN, PARENT, "aaaa1111", id="merged, the children vanish"),
        pytest.param([APART, NAMING], PUMP, PARENT, "bbbb2222", id="merged, the children name the parent"),
        pytest.param([APART, VANISHED, APART], FAN, FAN, "aaaa1111", id="merged and split again"),
        pytest.param([listed(TV), listed(AGAIN)], TV, BARE, "ssi-1f2e3d4c", id="added again"),
        pytest.param([listed(TV), listed(AGAIN), listed(TV)], TV, TV, "ssi-1f2e3d4c", id="its old id again"),
    ],
)
def test_meter_and_cycle_go_on(lists, before, after, own):
    home, told = live(own, lists, before, after)
    [cycle] = finished(told)
    assert (cycle["started"], cycle["time"], cycle["phases"]) == (2, 201, 1)
    used_kwh = 100 * (before["w"] + after["w"]) / 3.6e6
    assert METERS.state_of(home).totals[own, "consumption_kwh"] == pytest.approx(used_kwh, rel=0.02)
    assert not {"Parent01", "4xANDCuJ"} & METERS.state_of(home).since.keys()


def test_of_a_device_that_is_back_again_the_meter_goes_on():
    home, _ = live("aaaa1111", [APART, HIDDEN, APART], FAN, FAN)
    assert METERS.state_of(home).totals["aaaa1111", "consumption_kwh"] == pytest.approx(200 * 100 / 3.6e6, rel=0.02)
