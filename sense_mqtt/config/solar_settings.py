"""The section `solar` of the configuration."""

from typing import Self

from pydantic import Field, model_validator

from sense_mqtt.config.section import Delay, Section, Watts
from sense_mqtt.core.solar_rules import Location, SolarRules


class SurplusSettings(Section):
    """When there is a surplus of solar power."""

    on_above_w: Watts = Field(default=500, description="ON once so many watts are left over")
    off_below_w: Watts = Field(default=100, description="OFF once less is")
    hold_s: Delay = Field(default=120, description="and has been for so long")

    @model_validator(mode="after")
    def thresholds_leave_a_gap(self) -> Self:
        if self.off_below_w > self.on_above_w:
            raise ValueError("off_below_w must be at most on_above_w, or surplus would be ON and OFF at once")
        return self


class SolarSettings(Section):
    """Homes with solar."""

    latitude: float | None = Field(default=None, ge=-90, le=90, description="degrees north; both or none")
    longitude: float | None = Field(default=None, ge=-180, le=180, description="degrees east: what is west is below 0")
    surplus: SurplusSettings = Field(default=SurplusSettings(), description="when `surplus` is ON")

    @model_validator(mode="after")
    def latitude_and_longitude_are_both_given(self) -> Self:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("latitude and longitude belong together; give both or none")
        return self

    def rules(self) -> SolarRules:
        """Return what core needs to know of it."""
        surplus, location = self.surplus, None
        if self.latitude is not None and self.longitude is not None:
            location = Location(self.latitude, self.longitude)
        return SolarRules(location, surplus.on_above_w, surplus.off_below_w, surplus.hold_s)
