"""Energy of a house over one period: Sense's new and old answers in one shape, and which of them to believe."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sense_mqtt.core.instants import read_instant, write_instant
from sense_mqtt.core.rows import finite, list_of, mapping, number, read_name, rows_of, text

COUNTERS = ("consumption_kwh", "production_kwh", "from_grid_kwh", "to_grid_kwh")  # these only grow within a period
FIGURES = (*COUNTERS, "net_production_kwh", "solar_powered_pct")
HELD_BACK_MOST = 4  # readings in a row: an hour at the default interval, in which Sense finalises (protocol 3.7)

_NOISE_KWH = 0.0005  # half of the last digit that is published
_HOUSE = ""  # in `Kept.held_back`, beside the ids of devices, which are never empty


@dataclass(frozen=True, slots=True)
class DeviceEnergy:
    """What one device used."""

    id: str
    name: str
    consumption_kwh: float


@dataclass(frozen=True, slots=True)
class Energy:
    """One period of one house. A figure that Sense did not give is None, never 0."""

    scale: str  # DAY, WEEK, MONTH, YEAR or CYCLE
    start: str | None  # of the period, as the contract writes instants
    consumption_kwh: float | None = None
    production_kwh: float | None = None
    from_grid_kwh: float | None = None
    to_grid_kwh: float | None = None
    net_production_kwh: float | None = None  # above 0: more produced than used (SE 0.15.0)
    solar_powered_pct: float | None = None
    devices: tuple[DeviceEnergy, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """What may be published, and how often in a row the house or a device was held back."""

    energy: Energy
    held_back: Mapping[str, int] = field(default_factory=dict)


def join(scale: str, usage: Any, solar: Any = None) -> Energy:
    """Return the answers of `history/usage` and, where the home has solar, of `history/usage/solar` in our shape."""
    usage, total = mapping(usage), mapping(mapping(solar).get("total"))
    return Energy(
        scale,
        _start(usage),
        consumption_kwh=_used(usage),
        production_kwh=_production(total, "production_kwh"),
        from_grid_kwh=number(total.get("from_grid_kwh")),
        to_grid_kwh=number(total.get("to_grid_kwh")),
        net_production_kwh=number(total.get("net_kwh")),
        solar_powered_pct=number(total.get("solar_percentage")),
        devices=_devices((row, _used(row)) for row in rows_of(usage.get("device_breakdown"))),
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
        consumption_kwh=number(consumption.get("total")),
        devices=_devices((row, _trended(row)) for row in rows_of(consumption.get("devices"))),
    )
    if not solar:
        return energy
    return replace(
        energy,
        production_kwh=_production(production, "total"),
        from_grid_kwh=number(trends.get("from_grid")),
        to_grid_kwh=number(trends.get("to_grid")),
        net_production_kwh=number(trends.get("net_production")),
        solar_powered_pct=number(trends.get("solar_powered")),
    )


def accept(kept: Kept | None, read: Energy) -> Kept:
    """Return what may be published after a reading.

    Between hours Sense's figures dip and come back (HA#167374), and Home Assistant must not see a counter fall without
    a new `start`. So the house's figures together, and each device's alone, stay as they were where a counter fell or
    a figure went. After HELD_BACK_MOST readings in a row the lower value is no dip but a correction, and is believed.
    An answer about an earlier period is held back whole, for as long.
    """
    if kept is None or _starts_later(read, kept.energy):
        return Kept(read)
    if read.start != kept.energy.start:
        held = _count(kept, [_HOUSE])
        return Kept(kept.energy, held) if held else Kept(read)
    before = {device.id: device for device in kept.energy.devices}
    after = {device.id: device for device in read.devices}
    fallen = [device.id for device in kept.energy.devices if _device_fell(device, after.get(device.id))]
    held = _count(kept, [*fallen, *([_HOUSE] if _house_fell(kept.energy, read) else [])])
    chosen = {**after, **{identity: before[identity] for identity in fallen if identity in held}}
    house = kept.energy if _HOUSE in held else read
    return Kept(replace(house, devices=tuple(chosen.values())), held)


def house_document(energy: Energy, updated: str) -> dict[str, Any]:
    """Return the payload of the house's `energy/<scale>`: only the figures that Sense gave."""
    return {**_figures(energy), **_starting(energy), "updated": updated}


def device_document(device: DeviceEnergy, energy: Energy, updated: str) -> dict[str, Any]:
    """Return the payload of `energy/<scale>` of one of the devices of `energy`."""
    return {"consumption_kwh": _rounded(device.consumption_kwh, 3), **_starting(energy), "updated": updated}


def empty_document(energy: Energy, updated: str) -> dict[str, Any]:
    """Return the payload of `energy/<scale>` of a device of which the period's answer says nothing."""
    return {**_starting(energy), "updated": updated}


def energy_answer(energy: Energy) -> dict[str, Any]:
    """Return what the command `energy` answers."""
    devices = [
        {"id": device.id, "name": device.name, "consumption_kwh": _rounded(device.consumption_kwh, 3)}
        for device in energy.devices
    ]
    return {"scale": energy.scale, **_starting(energy), **_figures(energy), "devices": devices}


def _figures(energy: Energy) -> dict[str, float]:
    given = {name: getattr(energy, name) for name in FIGURES}
    decimals = {"solar_powered_pct": 0}
    return {name: _rounded(value, decimals.get(name, 3)) for name, value in given.items() if value is not None}


def _starting(energy: Energy) -> dict[str, str]:
    return {} if energy.start is None else {"start": energy.start}


def _rounded(value: float, decimals: int) -> float:
    return round(value, decimals) + 0.0 if decimals else round(value)  # + 0.0: never -0.0


def _starts_later(read: Energy, before: Energy) -> bool:
    return read.start is not None and (before.start is None or read.start > before.start)


def _count(kept: Kept, subjects: Iterable[str]) -> dict[str, int]:
    """Return how often each subject will have been held back, without those that have been often enough."""
    times = {subject: kept.held_back.get(subject, 0) + 1 for subject in subjects}
    return {subject: count for subject, count in times.items() if count <= HELD_BACK_MOST}


def _house_fell(before: Energy, after: Energy) -> bool:
    went = any(getattr(after, name) is None for name in FIGURES if getattr(before, name) is not None)
    return went or any(_fell(getattr(before, name), getattr(after, name)) for name in COUNTERS)


def _device_fell(before: DeviceEnergy, after: DeviceEnergy | None) -> bool:
    return after is None or _fell(before.consumption_kwh, after.consumption_kwh)


def _fell(before: float | None, after: float | None) -> bool:
    return before is not None and after is not None and after < before - _NOISE_KWH


def _start(answer: Mapping[str, Any]) -> str | None:
    seconds = read_instant(answer.get("start"))
    return None if seconds is None else write_instant(seconds)


def _used(row: Mapping[str, Any]) -> float | None:
    return number(mapping(row.get("consumption")).get("usage_total_kwh"))


def _production(answer: Mapping[str, Any], key: str) -> float | None:
    # Inverters draw a few watts at night (INVARIANTS 14); production is never below 0, as `solar_power`.
    production = number(answer.get(key))
    return None if production is None else max(0.0, production)


def _trended(row: Mapping[str, Any]) -> float | None:
    """Return a device's kWh: its total, or what its hours add up to where there is none (G17)."""
    total = number(row.get("total_kwh"))
    hours = [hour for hour in list_of(row.get("history")) if finite(hour)]
    return math.fsum(hours) if total is None and hours else total


def _devices(rows: Iterable[tuple[Mapping[str, Any], float | None]]) -> tuple[DeviceEnergy, ...]:
    """Return the devices that have an id and a figure; the first of each id, by its id where it has no name."""
    found: dict[str, DeviceEnergy] = {}
    for row, consumption_kwh in rows:
        identity = text(row.get("id"))
        if identity is not None and consumption_kwh is not None and identity not in found:
            found[identity] = DeviceEnergy(identity, read_name(identity, row) or identity, consumption_kwh)
    return tuple(found.values())
