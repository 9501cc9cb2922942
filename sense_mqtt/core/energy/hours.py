"""The hours of one day, as Sense's answers give them."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from sense_mqtt.core.timestamps import read_timestamp
from sense_mqtt.core.wire.devices import list_of, mapping, number, rows_of, text

HOURS_MOST = 25  # of a day on which the clocks go back

ByHour = tuple[float | None, ...]  # kWh of each hour since the start of the day; None: Sense did not give it


class DayHours(Struct, frozen=True):
    """One day; hours that Sense has not finished are among them, and often 0."""

    start: float  # s UTC
    count: int  # 23 to 25
    consumption: ByHour
    production: ByHour  # none in homes without solar
    devices: Mapping[str, ByHour]  # by Sense's id

    @property
    def end(self) -> float:
        """When the day ends (s UTC)."""
        return self.start + 3600.0 * self.count


def usage_hours(usage: Mapping[str, Any], solar: Any) -> DayHours | None:
    """Return the hours in `history/usage` and `history/usage/solar`; None where there are none."""
    production = mapping(mapping(solar).get("breakdown")).get("production_kwh")
    devices = ((row, _broken_down(row)) for row in rows_of(usage.get("device_breakdown")))
    return _day(usage, _broken_down(usage), production, devices)


def trends_hours(trends: Mapping[str, Any]) -> DayHours | None:
    """Return the hours in the old `history/trends`; None where there are none."""
    consumption, production = mapping(trends.get("consumption")), mapping(trends.get("production"))
    devices = ((row, row.get("history")) for row in rows_of(consumption.get("devices")))
    return _day(trends, consumption.get("totals"), production.get("totals"), devices)


def _broken_down(row: Mapping[str, Any]) -> Any:
    return mapping(row.get("consumption")).get("usage_breakdown_kwh")


def _day(
    answer: Mapping[str, Any], consumption: Any, production: Any, devices: Iterable[tuple[Mapping[str, Any], Any]]
) -> DayHours | None:
    start, house = read_timestamp(answer.get("start")), _by_hour(consumption)
    if start is None or not house:
        return None
    identified = ((text(row.get("id")), _by_hour(history)) for row, history in devices)
    by_id = {identity: hours for identity, hours in identified if identity is not None and hours}
    return DayHours(start, len(house), house, _by_hour(production), by_id)


def _by_hour(values: Any) -> ByHour:
    """Return the figures of a list."""
    return tuple(counter(value) for value in list_of(values)[:HOURS_MOST])


def counter(value: Any) -> float | None:
    """Return a figure that only grows; None where it is no number."""
    # Never below 0, as the watts that they count: inverters draw a little at night.
    figure = number(value)
    return None if figure is None else max(0.0, figure)
