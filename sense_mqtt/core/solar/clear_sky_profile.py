"""What a roof gives under a clear sky at each quarter of an hour of a day, learned from the days before.

Times of the day are UTC: no change of the clocks moves them. Under a clear sky a roof gives nearly the same at the same
time of successive days, under clouds something else each day: so of what it gave, the densest cluster is the clear sky.
An upper percentile is not: the edges of clouds brighten the sun, and how many days are clear depends on the climate.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from sense_mqtt.core.solar.sun_position import clear_sky_irradiance, sine_of_elevation
from sense_mqtt.core.solar_rules import Location

SLOT_S = 900.0
SLOTS = 96  # of a day
SLOTS_OF_AN_HOUR = 4
REMEMBERED_DAYS = 21  # longer, and the season has moved on

SUNNY_DAYS = 10  # so many are needed
SUNNY_DAYS_WITH_LOCATION = 5  # neighbouring slots count together, as the sun's own course is known
DARK_SHARE = 0.01  # of the peak: where it never gave more, the sun does not shine
MIN_VALUES = 3  # of a slot
CLUSTER_WIDTH = 0.08  # of its upper end: haze and temperature make so much from day to day
CLUSTER_ABOVE = 0.5  # of the highest but one: the clear sky is no darker
SUNNY_SHARE = 0.1  # a day with sun gave so much of the peak once
MIN_IRRADIANCE = 30.0  # W/m2: below, some 3 degrees above the horizon, the formula is off

Watts = tuple[int | None, ...]  # one for each slot of a UTC day, None where nothing was measured


class Profile(Struct, frozen=True):
    """What is expected of one UTC day."""

    day: int  # since 1970
    is_learned: bool  # there were enough days with sun
    expected_w: tuple[float | None, ...]  # by slot; None: too little is known of it
    is_dark: tuple[bool, ...]  # by slot: the sun cannot shine
    peak_w: float  # the highest of `expected_w`
    most_w: float  # of an hour, on the days before


def learn(days: Mapping[int, Watts], day: int, location: Location | None) -> Profile:
    """Return the profile of `day` from what the roof gave on the days before, by number of the day since 1970."""
    past = {other: watts for other, watts in days.items() if 0 < abs(day - other) <= REMEMBERED_DAYS}
    highest_w = max((value for watts in past.values() for value in watts if value is not None), default=0)
    sunny = [watts for watts in past.values() if max(value or 0 for value in watts) > SUNNY_SHARE * highest_w]
    if location is None:
        expected = tuple(_level(_of_slot(past, slot)) for slot in range(SLOTS))
        dark = tuple(_is_dark(_of_slot(past, slot), highest_w) for slot in range(SLOTS))
    else:
        expected, dark = _by_sun(past, day, location)
    needed = SUNNY_DAYS if location is None else SUNNY_DAYS_WITH_LOCATION
    peak_w = max((value for value in expected if value is not None), default=0.0)
    most_w = max((_most_of_an_hour(watts) for watts in past.values()), default=0.0)
    return Profile(day, len(sunny) >= needed and peak_w > 0.0, expected, dark, peak_w, most_w)


def _most_of_an_hour(watts: Watts) -> float:
    hours = (watts[slot : slot + SLOTS_OF_AN_HOUR] for slot in range(SLOTS - SLOTS_OF_AN_HOUR + 1))
    totals = (sum(value or 0 for value in hour) for hour in hours)  # less, where not the whole hour was seen
    return max(totals) / SLOTS_OF_AN_HOUR


def _of_slot(days: Mapping[int, Watts], slot: int) -> list[int]:
    return [value for watts in days.values() if (value := watts[slot]) is not None]


def _is_dark(values: Sequence[float], highest_w: float) -> bool:
    return len(values) >= MIN_VALUES and max(values) <= DARK_SHARE * highest_w


def _by_sun(
    days: Mapping[int, Watts], day: int, location: Location
) -> tuple[tuple[float | None, ...], tuple[bool, ...]]:
    """Return the same, of the share of the sun's irradiance that the roof gave, which changes less with the season."""
    shares: list[list[float]] = [[] for _ in range(SLOTS)]
    for other, watts in days.items():
        for slot, value in enumerate(watts):
            irradiance = clear_sky_irradiance(sine_of_elevation(location, _middle(other, slot)))
            if value is not None and irradiance > MIN_IRRADIANCE:
                shares[slot].append(value / irradiance)
    sines = [sine_of_elevation(location, _middle(day, slot)) for slot in range(SLOTS)]
    expected = tuple(
        None if level is None else level * clear_sky_irradiance(sines[slot])
        for slot in range(SLOTS)
        for level in [_level(shares[slot - 1] + shares[slot] + shares[(slot + 1) % SLOTS])]
    )
    return expected, tuple(sine <= 0.0 for sine in sines)


def _middle(day: int, slot: int) -> float:
    return (day * SLOTS + slot + 0.5) * SLOT_S


def _level(values: Sequence[float]) -> float | None:
    """Return the middle of the densest cluster; of clusters with as many values, of the highest."""
    if len(values) < MIN_VALUES:
        return None
    descending = sorted(values, reverse=True)
    densest, end = (0, 0), 0
    for first, upper in enumerate(descending):
        if upper < CLUSTER_ABOVE * descending[1]:
            break
        while end < len(descending) and descending[end] >= (1.0 - CLUSTER_WIDTH) * upper:
            end += 1
        densest = (first, end) if end - first > densest[1] - densest[0] else densest
    return float(descending[sum(densest) // 2])


def are_of_a_day(watts: list[Any]) -> bool:
    """True where this is what a day can have been stored as."""
    return len(watts) == SLOTS and all(value is None or type(value) is int for value in watts)
