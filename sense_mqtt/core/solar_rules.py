"""What the configuration says of the sun: where the home is, and when there is a surplus."""

from msgspec import Struct


class Location(Struct, frozen=True):
    """Where a home is, in degrees: north of the equator and east of Greenwich are above 0."""

    latitude: float
    longitude: float


class SolarRules(Struct, frozen=True):
    """The rules of `solar` in the configuration."""

    location: Location | None = None
    on_above_w: float = 500.0  # there is a surplus once it has been at or above so many watts
    off_below_w: float = 100.0  # and none once it has been below so many, never more than `on_above_w`
    hold_s: float = 120.0  # for so long
