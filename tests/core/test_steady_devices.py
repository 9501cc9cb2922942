"""A device whose row is as before is passed over, and that shows in nothing that is known or published."""

import pytest
from msgspec.structs import replace

from sense_mqtt.core.home import samples
from sense_mqtt.core.home.state import Home
from sense_mqtt.core.observe import observe
from tests.support.core.builders import moment
from tests.support.core.fuzz import throw
from tests.support.core.random_home import POLICY, observations
from tests.support.seeds import seeds


def rounded(home: Home) -> list:
    """Return what is known of the devices; energy is summed up in another order."""
    devices = samples.up_to_date(home).devices.values()
    return [
        replace(each, switch=replace(each.switch, energy_ws=each.switch.energy_ws and round(each.switch.energy_ws, 6)))
        for each in devices
    ]


@pytest.mark.parametrize("seed", seeds(8, quick=1))
def test_passing_over_steady_devices_gives_the_same_as_evaluating_each_device_with_each_frame(seed):
    passing_over, evaluating = Home(monitor=7), Home(monitor=7)
    for at, seen in observations(throw(seed), 400):
        passing_over, changes = observe(passing_over, seen, moment(at), POLICY)
        evaluating, expected = observe(samples.up_to_date(evaluating), seen, moment(at), POLICY)
        assert changes == expected
        assert rounded(passing_over) == rounded(evaluating)
