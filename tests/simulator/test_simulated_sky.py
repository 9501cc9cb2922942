"""The simulated sky: what is true of it, and what the roof gives below it."""

import pytest

from sense_mqtt.simulator.house.builtin import BEGINS, ZONE_OFFSET_S, BuiltInHouse
from sense_mqtt.simulator.house.noise import Noise
from sense_mqtt.simulator.house.solar import ModelledSolar, SolarWithSky

DAY_S = 86_400
TEN_DAYS = range(int(BEGINS), int(BEGINS) + 10 * DAY_S, 600)


class ClearSolar(ModelledSolar):
    def _clearness(self, _at):
        return 1.0


@pytest.fixture(scope="module")
def suns():
    noise = Noise(1)
    return (kind(noise, zone_offset_s=ZONE_OFFSET_S) for kind in (SolarWithSky, ClearSolar))


def test_the_share_of_a_clear_sky_that_the_roof_gives_is_that_of_the_true_sky(suns):
    sun, clear = suns
    shares = {}
    for at in TEN_DAYS:
        if clear.watts(at) > 500:
            shares.setdefault(sun.sky(at), []).append(sun.watts(at) / clear.watts(at))
    assert shares.keys() == {"clear", "partly", "overcast"}
    assert min(shares["clear"]) > 0.99
    assert 0.25 < min(shares["partly"]) < max(shares["partly"]) < 0.97
    assert max(shares["overcast"]) < 0.25


def test_it_is_night_while_the_roof_gives_nothing():
    sun = SolarWithSky(Noise(1), zone_offset_s=ZONE_OFFSET_S)
    house = BuiltInHouse(1, sun=sun)
    assert all((sun.sky(at) == "night") == (house.power_at(at).solar_w < -1.0) for at in TEN_DAYS)
