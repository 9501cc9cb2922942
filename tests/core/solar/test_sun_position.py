"""The sun's elevation and the clear sky's irradiance, beside published figures."""

from math import asin, degrees

import pytest

from sense_mqtt.core.solar.sun_position import clear_sky_irradiance, sine_of_elevation
from sense_mqtt.core.solar_rules import Location
from sense_mqtt.core.timestamps import read_timestamp

POSITIONS = [
    # Golden, 2003-10-17 12:30:30 -07:00: the example of NREL's Solar Position Algorithm, zenith 50.11 degrees.
    ((39.743, -105.179), "2003-10-17T19:30:30Z", 39.89),
    # At noon of a solstice the sun stands at 90 degrees less latitude, more or less 23.44.
    ((51.477, 0.0), "2024-06-20T12:01:45Z", 61.96),
    ((-33.87, 151.21), "2024-12-21T01:53:00Z", 79.57),
    ((90.0, 0.0), "2024-12-21T12:00:00Z", -23.44),
]


@pytest.mark.parametrize(("place", "time", "elevation"), POSITIONS)
def test_elevation_of_the_sun_is_that_of_the_almanac(place: tuple[float, float], time: str, elevation: float) -> None:
    seconds = read_timestamp(time)
    assert seconds is not None
    assert degrees(asin(sine_of_elevation(Location(*place), seconds))) == pytest.approx(elevation, abs=0.1)


@pytest.mark.parametrize(("sine", "irradiance"), [(1.0, 1037.2), (0.5, 489.8), (0.0, 0.0), (-0.2, 0.0)])
def test_irradiance_under_a_clear_sky(sine: float, irradiance: float) -> None:
    assert clear_sky_irradiance(sine) == pytest.approx(irradiance, abs=0.1)
