"""What `sky` says on made-up roofs below the measured clouds: there the satellite is the truth, by construction.

    .venv/bin/python bench/made_roofs.py measured_pv_104d_15min.csv.gz

The file is that of bench/sky.py; its watts are not used. What falls on a roof is computed from the satellite's
irradiance (diffuse fraction by Erbs, Klein, Duffie 1982; diffuse light even over the sky; ground reflects 20 %).
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import asin, atan2, cos, pi, radians, sin

from sky import FIRST_DAY, GOLDEN, hours, read, report

from sense_mqtt.core.solar.sun_position import J2000_S

HALF_A_ROW_S = 450.0
SOLAR_CONSTANT = 1361.0  # W/m2
WATTS_OF_A_W_M2 = 5.0
LOWEST_SINE = 0.05  # below, some 3 degrees, the beam on a steep roof is not to be had from level ground


@dataclass(frozen=True)
class Roof:
    name: str
    faces: tuple[tuple[float, float], ...]  # tilt and azimuth (degrees, from north by east), of equal size
    watts: Callable[[float, float], float] = lambda watts, _hour: watts  # by watts and the hour of the day


ROOFS = (
    Roof("south, 30 degrees", ((30, 180),)),
    Roof("east-south-east, 30 degrees", ((30, 120),)),
    Roof("east, 30 degrees", ((30, 90),)),
    Roof("west, 30 degrees", ((30, 270),)),
    Roof("east and west, 15 degrees", ((15, 90), (15, 270))),
    Roof("flat", ((2, 180),)),
    Roof("south, in shade until 10", ((30, 180),), lambda watts, hour: watts * 0.25 if hour < 10 else watts),
    Roof("south, clips at 2.7 kW", ((30, 180),), lambda watts, _hour: min(watts, 2700.0)),
)


def sun(time: float) -> tuple[float, float]:
    """Return the sine of the sun's elevation, and its azimuth in radians from north by east."""
    days = (time - J2000_S) / 86400
    anomaly = radians(357.528 + 0.9856003 * days)
    longitude = radians(280.460 + 0.9856474 * days + 1.915 * sin(anomaly) + 0.020 * sin(2 * anomaly))
    obliquity = radians(23.439)
    right_ascension = atan2(cos(obliquity) * sin(longitude), cos(longitude))
    declination = asin(sin(obliquity) * sin(longitude))
    angle = radians(280.46062 + 360.98564737 * days + GOLDEN.longitude) - right_ascension
    latitude = radians(GOLDEN.latitude)
    sine = sin(latitude) * sin(declination) + cos(latitude) * cos(declination) * cos(angle)
    north = sin(declination) * cos(latitude) - cos(declination) * cos(angle) * sin(latitude)
    return sine, atan2(-sin(angle) * cos(declination), north)


def diffuse_fraction(irradiance: float, sine: float, time: float) -> float:
    outside = SOLAR_CONSTANT * (1 + 0.033 * cos(2 * pi * (time / 86400 % 365.25) / 365)) * sine
    kt = min(1.0, irradiance / outside)
    if kt <= 0.22:
        return 1.0 - 0.09 * kt
    return 0.9511 - 0.1604 * kt + 4.388 * kt**2 - 16.638 * kt**3 + 12.336 * kt**4 if kt <= 0.8 else 0.165


def on_face(irradiance: float, time: float, tilt: float, azimuth: float) -> float:
    """Return W/m2 on a face of a roof, of what reaches level ground."""
    sine, sun_azimuth = sun(time)
    if sine <= 0.0:
        return 0.0
    lean = radians(tilt)
    diffuse = irradiance * diffuse_fraction(irradiance, max(sine, LOWEST_SINE), time)
    facing = sine * cos(lean) + cos(asin(sine)) * sin(lean) * cos(sun_azimuth - radians(azimuth))
    beam = (irradiance - diffuse) / max(sine, LOWEST_SINE) * max(0.0, facing)
    return beam + diffuse * (1 + cos(lean)) / 2 + 0.2 * irradiance * (1 - cos(lean)) / 2


def watts(roof: Roof, time: float, irradiance: float) -> float:
    middle = time + HALF_A_ROW_S
    light = sum(on_face(irradiance, middle, *face) for face in roof.faces) / len(roof.faces)
    warm = 1.0 - 0.004 * 0.025 * light  # cells lose 0.4 % a degree, and warm by 25 degrees in the full sun
    return roof.watts(WATTS_OF_A_W_M2 * light * warm, (time / 3600 + GOLDEN.longitude / 15) % 24)


def main(path: str) -> None:
    rows = read(path)
    print(f"{'':<34}{'hours':>6}{'right':>9}{'opposite':>10}{'unknown':>9}{'changes/day':>13}")
    for roof in ROOFS:
        made = [[row[0], watts(roof, row[0], row[2]), row[2], row[3]] for row in rows]
        report(roof.name, *hours(made, None, FIRST_DAY))
        report("  with location", *hours(made, GOLDEN, FIRST_DAY))


if __name__ == "__main__":
    main(*sys.argv[1:])
