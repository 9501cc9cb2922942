"""Where the sun stands, and how much of it would reach the ground through a clear sky.

Both are published formulas of a few lines: a library for the sun (astral, pvlib) would be a dependency for no more.
"""

from math import asin, atan2, cos, exp, radians, sin

from sense_mqtt.core.solar_rules import Location

J2000_S = 946_728_000.0  # seconds UTC of 2000-01-01 12:00
_DAY_S = 86_400.0


def sine_of_elevation(location: Location, time: float) -> float:
    """Return the sine of the sun's elevation, below 0 under the horizon, to a few thousandths; `time` in seconds UTC.

    Low-precision coordinates of the sun, without refraction (The Astronomical Almanac, page C5).
    """
    days = (time - J2000_S) / _DAY_S
    anomaly = radians(357.528 + 0.9856003 * days)
    longitude = radians(280.460 + 0.9856474 * days + 1.915 * sin(anomaly) + 0.020 * sin(2 * anomaly))
    obliquity = radians(23.439 - 0.0000004 * days)
    right_ascension = atan2(cos(obliquity) * sin(longitude), cos(longitude))
    declination = asin(sin(obliquity) * sin(longitude))
    sidereal_degrees = 280.46062 + 360.98564737 * days
    hour_angle = radians(sidereal_degrees + location.longitude) - right_ascension
    latitude = radians(location.latitude)
    return sin(latitude) * sin(declination) + cos(latitude) * cos(declination) * cos(hour_angle)


def clear_sky_irradiance(sine: float) -> float:
    """Return W/m2 on level ground under a clear sky, by the sine of the sun's elevation (Haurwitz 1945)."""
    return 1098.0 * sine * exp(-0.057 / sine) if sine > 0.0 else 0.0
