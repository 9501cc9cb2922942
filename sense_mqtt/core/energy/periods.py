"""Energy of a house over one period: Sense's new and old answers in one shape, and which of them to believe."""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from sense_mqtt.core.energy.hours import DayHours, counter, trends_hours, usage_hours
from sense_mqtt.core.timestamps import read_timestamp, write_timestamp
from sense_mqtt.core.wire.devices import is_finite, list_of, mapping, number, read_name, rows_of, text

SCALES = ("DAY", "WEEK", "MONTH", "YEAR", "CYCLE")
COUNTERS = ("consumption_kwh", "production_kwh", "from_grid_kwh", "to_grid_kwh")  # these only grow within a period
FIGURES = (*COUNTERS, "net_production_kwh", "solar_powered_pct")
NET_PRODUCTION_PCT = (
    "net_production_pct"  # of the consumption; computed, as the new endpoints have it no more (SE 0.15.0)
)


class DeviceConsumption(Struct, frozen=True):
    """What one device used."""

    id: str
    name: str
    consumption_kwh: float


class Energy(Struct, frozen=True):
    """One period of one house. A figure that Sense did not give is None, never 0."""

    scale: str  # DAY, WEEK, MONTH, YEAR or CYCLE
    start: str | None  # of the period, as the contract writes instants
    consumption_kwh: float | None = None
    production_kwh: float | None = None
    from_grid_kwh: float | None = None
    to_grid_kwh: float | None = None
    net_production_kwh: float | None = None  # above 0: more produced than used (SE 0.15.0)
    solar_powered_pct: float | None = None
    devices: tuple[DeviceConsumption, ...] = ()
    hours: DayHours | None = None  # of a day


def from_usage(scale: str, usage: Any, solar: Any = None) -> Energy:
    """Return the answers of `history/usage` and, where the home has solar, of `history/usage/solar` in our shape."""
    usage, total = mapping(usage), mapping(mapping(solar).get("total"))
    return Energy(
        scale,
        _start(usage),
        consumption_kwh=_used(usage),
        production_kwh=counter(total.get("production_kwh")),
        from_grid_kwh=counter(total.get("from_grid_kwh")),
        to_grid_kwh=counter(total.get("to_grid_kwh")),
        net_production_kwh=number(total.get("net_kwh")),
        solar_powered_pct=number(total.get("solar_percentage")),
        devices=_devices((row, _used(row)) for row in rows_of(usage.get("device_breakdown"))),
        hours=usage_hours(usage, solar) if scale == "DAY" else None,
    )


def from_trends(scale: str, trends: Any, *, solar: bool | None = None) -> Energy:
    """Return the old `history/trends` in our shape. `solar`: whether the home has some; None: judge by the answer."""
    trends = mapping(trends)
    consumption, production = mapping(trends.get("consumption")), mapping(trends.get("production"))
    if solar is None:
        solar = bool(list_of(production.get("devices")))  # homes without solar say {"total": 0} only (G17)
    energy = Energy(
        scale,
        _start(trends),
        consumption_kwh=counter(consumption.get("total")),
        devices=_devices((row, _trended(row)) for row in rows_of(consumption.get("devices"))),
        hours=trends_hours(trends) if scale == "DAY" else None,
    )
    if not solar:
        return energy
    return replace(
        energy,
        production_kwh=counter(production.get("total")),
        from_grid_kwh=counter(trends.get("from_grid")),
        to_grid_kwh=counter(trends.get("to_grid")),
        net_production_kwh=number(trends.get("net_production")),
        solar_powered_pct=number(trends.get("solar_powered")),
    )


def house_document(energy: Energy, updated: datetime) -> dict[str, Any]:
    """Return the payload of the house's `energy/<scale>`: only the figures that Sense gave."""
    return {**_figures(energy), **_starting(energy), "updated": updated}


def device_document(device: DeviceConsumption, energy: Energy, updated: datetime) -> dict[str, Any]:
    """Return the payload of `energy/<scale>` of one of the devices of `energy`."""
    return {"consumption_kwh": _rounded(device.consumption_kwh, 3), **_starting(energy), "updated": updated}


def empty_document(energy: Energy, updated: datetime) -> dict[str, Any]:
    """Return the payload of `energy/<scale>` of a device of which the period's answer says nothing."""
    return {**_starting(energy), "updated": updated}


def energy_response(energy: Energy) -> dict[str, Any]:
    """Return what the command `energy` answers."""
    devices = [
        {"id": device.id, "name": device.name, "consumption_kwh": _rounded(device.consumption_kwh, 3)}
        for device in energy.devices
    ]
    return {"scale": energy.scale, **_starting(energy), **_figures(energy), "devices": devices}


def _figures(energy: Energy) -> dict[str, float]:
    given = {name: getattr(energy, name) for name in FIGURES}
    decimals = {"solar_powered_pct": 0}
    figures = {name: _rounded(value, decimals.get(name, 3)) for name, value in given.items() if value is not None}
    return figures | _net_production_pct(energy)


def _net_production_pct(energy: Energy) -> dict[str, float]:
    produced, used = energy.production_kwh, energy.consumption_kwh
    return {} if produced is None or not used else {NET_PRODUCTION_PCT: round(100 * produced / used)}


def _starting(energy: Energy) -> dict[str, str]:
    return {} if energy.start is None else {"start": energy.start}


def _rounded(value: float, decimals: int) -> float:
    return round(value, decimals) + 0.0 if decimals else round(value)  # + 0.0: never -0.0


def _start(answer: Mapping[str, Any]) -> str | None:
    seconds = read_timestamp(answer.get("start"))
    return None if seconds is None else write_timestamp(seconds)


def _used(row: Mapping[str, Any]) -> float | None:
    return counter(mapping(row.get("consumption")).get("usage_total_kwh"))


def _trended(row: Mapping[str, Any]) -> float | None:
    """Return a device's kWh: its total, or what its hours add up to where there is none (G17)."""
    total = counter(row.get("total_kwh"))
    hours = [hour for hour in list_of(row.get("history")) if is_finite(hour)]
    return counter(math.fsum(hours)) if total is None and hours else total


def _devices(rows: Iterable[tuple[Mapping[str, Any], float | None]]) -> tuple[DeviceConsumption, ...]:
    """Return the devices that have an id and a figure; the first of each id, by its id where it has no name."""
    found: dict[str, DeviceConsumption] = {}
    for row, consumption_kwh in rows:
        identity = text(row.get("id"))
        if identity is not None and consumption_kwh is not None and identity not in found:
            found[identity] = DeviceConsumption(identity, read_name(identity, row) or identity, consumption_kwh)
    return tuple(found.values())
