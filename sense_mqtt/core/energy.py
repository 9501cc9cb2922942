"""Energy of a house over one period: Sense's new and old answers in one shape, and which of them to believe."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sense_mqtt.core.instants import read_instant, write_instant

COUNTERS = ("consumption_kwh", "production_kwh", "from_grid_kwh", "to_grid_kwh")  # these only grow within a period
FIGURES = (*COUNTERS, "net_production_kwh", "solar_powered_pct")
HELD_BACK_MOST = 4  # readings in a row: an hour at the default interval, in which Sense finalises (protocol 3.7)

_NOISE_KWH = 0.0005  # half of the last digit that is published
_UNBELIEVABLE = 1e12  # no figure of a house; keeps out infinities, NaN and integers that no float holds
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
    total = _member(solar, "total")
    return Energy(
        scale,
        _start(usage),
        consumption_kwh=_number(_member(usage, "consumption"), "usage_total_kwh"),
        production_kwh=_production(total, "production_kwh"),
        from_grid_kwh=_number(total, "from_grid_kwh"),
        to_grid_kwh=_number(total, "to_grid_kwh"),
        net_production_kwh=_number(total, "net_kwh"),
        solar_powered_pct=_number(total, "solar_percentage"),
        devices=_devices(
            (row, _number(_member(row, "consumption"), "usage_total_kwh")) for row in _rows(usage, "device_breakdown")
        ),
    )


def from_trends(scale: str, trends: Any, *, solar: bool | None = None) -> Energy:
    """Return the old `history/trends` in our shape. `solar`: whether the home has some; None: judge by the answer."""
    consumption, production = _member(trends, "consumption"), _member(trends, "production")
    if solar is None:
        solar = bool(_rows(production, "devices"))  # homes without solar say {"total": 0} only (G17)
    energy = Energy(
        scale,
        _start(trends),
        consumption_kwh=_number(consumption, "total"),
        devices=_devices((row, _trended(row)) for row in _rows(consumption, "devices")),
    )
    if not solar:
        return energy
    return replace(
        energy,
        production_kwh=_production(production, "total"),
        from_grid_kwh=_number(trends, "from_grid"),
        to_grid_kwh=_number(trends, "to_grid"),
        net_production_kwh=_number(trends, "net_production"),
        solar_powered_pct=_number(trends, "solar_powered"),
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


def _start(answer: Any) -> str | None:
    seconds = read_instant(_member(answer, "start"))
    return None if seconds is None else write_instant(seconds)


def _production(answer: Any, key: str) -> float | None:
    # Inverters draw a few watts at night (INVARIANTS 14); production is never below 0, as `solar_power`.
    production = _number(answer, key)
    return None if production is None else max(0.0, production)


def _trended(row: Any) -> float | None:
    """Return a device's kWh: its total, or what its hours add up to where there is none (G17)."""
    total = _number(row, "total_kwh")
    hours = [hour for hour in _rows(row, "history") if _is_number(hour)]
    return math.fsum(hours) if total is None and hours else total


def _devices(rows: Iterable[tuple[Any, float | None]]) -> tuple[DeviceEnergy, ...]:
    """Return the devices that have an id and a figure; the first of each id, by its id where it has no name."""
    found: dict[str, DeviceEnergy] = {}
    for row, consumption_kwh in rows:
        identity, name = _member(row, "id"), _member(row, "name")
        if isinstance(identity, str) and identity and consumption_kwh is not None and identity not in found:
            named = name.strip() if isinstance(name, str) else ""
            found[identity] = DeviceEnergy(identity, named or identity, consumption_kwh)
    return tuple(found.values())


def _member(answer: Any, key: str) -> Any:
    return answer.get(key) if isinstance(answer, dict) else None


def _rows(answer: Any, key: str) -> list[Any]:
    rows = _member(answer, key)
    return rows if isinstance(rows, list) else []


def _number(answer: Any, key: str) -> float | None:
    value = _member(answer, key)
    return float(value) if _is_number(value) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _UNBELIEVABLE
