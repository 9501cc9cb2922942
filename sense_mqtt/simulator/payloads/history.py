"""The energy a house used and made: the usage of 2026, the older trends, and the curve of samples. Pure."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sense_mqtt.simulator.house.model import Device, House
from sense_mqtt.simulator.payloads.devices import ALWAYS_ON, OTHER, SOLAR, device_row
from sense_mqtt.simulator.payloads.periods import CYCLE_START, boundaries
from sense_mqtt.simulator.payloads.timeline import iso

Body = dict[str, Any]
Kwh = dict[str, float]
Unfinished = Literal["partial", "absent", "spiky"]  # what is said of the hour that is not finished

SAMPLE_S = 30.0
BIN_S = 900.0  # what is kept: a quarter of an hour divides every time zone's offset
FINAL_AFTER_S = 120.0  # figures roll about two minutes past the hour
SPIKES = (0.0, 0.4, 1.6, 1.0, 0.1, 2.2, 0.7)  # what of an unfinished hour is said, in turn (HA#167374)
SPIKE_S = 300.0
GRANULARITY_S: Mapping[str, float] = {"SECOND": 1.0, "MINUTE": 60.0, "HOUR": 3600.0, "DAY": 86_400.0}
MAX_CURVE_FRAMES = 10_080
TOTAL, PRODUCTION = "total", "solar"


@dataclass(slots=True)
class History:
    """The history of one monitor as Sense tells it at a house second.

    Sums are samples every SAMPLE_S and at each switching.
    """

    house: House
    zone: ZoneInfo
    cents_per_kwh: float = 16.5
    cycle_day: int = CYCLE_START
    unfinished: Unfinished = "partial"
    _quarters: dict[float, Kwh] = field(default_factory=dict)
    _seen: dict[str, Device] = field(default_factory=dict)  # by each id that was ever shown

    def usage(self, scale: str, at: float, now: float) -> Body:
        """Return `history/usage`: the period that holds `at`, future entries 0.0."""
        period = self._period(scale, at)
        energy = self._energy(period, now)
        devices = [self._usage_of(device, energy) for device in self._appearing(energy)]
        return {"start": iso(period[0]), "consumption": _breakdown(energy, TOTAL), "device_breakdown": devices}

    def solar(self, scale: str, at: float, now: float) -> Body:
        """Return `history/usage/solar`; `net` above 0 is export."""
        energy = self._energy(self._period(scale, at), now)
        production = [entry.get(PRODUCTION, 0.0) for entry in energy]
        net = [made - entry.get(TOTAL, 0.0) for made, entry in zip(production, energy, strict=True)]
        used, made = sum(entry.get(TOTAL, 0.0) for entry in energy), sum(production)
        total = {
            "from_grid_kwh": sum(entry.get("from_grid", 0.0) for entry in energy),
            "to_grid_kwh": sum(entry.get("to_grid", 0.0) for entry in energy),
            "production_kwh": made,
            "net_kwh": made - used,
            "solar_percentage": _solar_powered(energy),
        }
        return {"total": total, "breakdown": {"net_kwh": net, "production_kwh": production}}

    def trends(self, scale: str, at: float, now: float) -> Body:
        """Return the deprecated `history/trends`."""
        period = self._period(scale, at)
        energy = self._energy(period, now)
        made, used = (sum(entry.get(key, 0.0) for entry in energy) for key in (PRODUCTION, TOTAL))
        solar = self.house.power_at(now).solar_w is not None
        devices = [self._trend_of(device, energy) for device in self._appearing(energy)]
        return {
            "steps": len(energy),
            "start": iso(period[0]),
            "end": iso(period[-1]),
            "scale": scale.lower(),
            "consumption": self._trend(energy, TOTAL) | {"devices": devices},
            "production": self._production(energy) if solar else {"total": 0},
            "to_grid": sum(entry.get("to_grid", 0.0) for entry in energy) if solar else None,
            "from_grid": sum(entry.get("from_grid", 0.0) for entry in energy) if solar else None,
            "solar_powered": _solar_powered(energy) if solar else None,
            "production_pct": round(100 * made / used) if solar and used else None,
            "net_production": made - used if solar else None,
            "grid_to_battery": None,
            "top_movers": None,
            "trend_text": None,
        }

    def curve(self, granularity: str, start: float, frames: int, device: str | None, now: float) -> Body:
        """Return the legacy `history/usage`: pairs low and high of each bin, [1, -1] where there is no data."""
        step_s = GRANULARITY_S[granularity]
        starts = [start + number * step_s for number in range(min(frames, MAX_CURVE_FRAMES))]
        newest = now - 900 if granularity == "SECOND" else now  # the newest 15 minutes are unpopulated
        totals = [self._bin(at, step_s, device) if self.house.since <= at < newest else [1, -1] for at in starts]
        return {"totals": totals, "start": iso(start), "endOfData": iso(newest)}

    def _bin(self, at: float, step_s: float, device: str | None) -> list[float]:
        watts = [self._watts(at + step_s * part).get(device or TOTAL, 0.0) for part in (0.0, 0.25, 0.5, 0.75)]
        return [min(watts), max(watts)]

    def _period(self, scale: str, at: float) -> list[float]:
        return boundaries(scale, at, self.zone, self.cycle_day)

    def _energy(self, period: list[float], now: float) -> list[Kwh]:
        """Return the energy of each entry; a finished hour is exact, the unfinished one as `unfinished` says."""
        until = now - FINAL_AFTER_S
        if self.unfinished == "partial":
            return [self._between(start, end, until) for start, end in pairwise(period)]
        finished = self._hour_of(until)
        known = [self._between(start, end, finished) for start, end in pairwise(period)]
        if self.unfinished == "absent":
            return known
        factor = SPIKES[int(now // SPIKE_S) % len(SPIKES)]
        begun = [self._between(max(start, finished), end, until) for start, end in pairwise(period)]
        return [_summed((sure, _scaled(open_, factor))) for sure, open_ in zip(known, begun, strict=True)]

    def _hour_of(self, at: float) -> float:
        """Return the start of the local hour: not all time zones are whole hours from UTC."""
        local = datetime.fromtimestamp(at, self.zone)
        return at - (local.minute * 60 + local.second + local.microsecond / 1e6)

    def _between(self, start: float, end: float, until: float) -> Kwh:
        first, last = max(start, self.house.since), min(end, until, self.house.ends)
        return _summed(self._quarter(start, until) for start in _quarters(first, last))

    def _quarter(self, start: float, until: float) -> Kwh:
        """Return the energy of a quarter of an hour, kept once it is over."""
        kept = self._quarters.get(start)
        if kept is not None:
            return kept
        end = min(start + BIN_S, until, self.house.ends)
        made = _summed(self._constant(*span) for span in self._spans(max(start, self.house.since), end))
        if start + BIN_S <= until:
            self._quarters[start] = made
        return made

    def _spans(self, start: float, end: float) -> Iterable[tuple[float, float]]:
        """Return spans in which no device switches, of whole samples."""
        for at in _samples(start, end):
            yield from pairwise((at, *self.house.switch_schedule.step_times(at, at + SAMPLE_S), at + SAMPLE_S))

    def _constant(self, start: float, end: float) -> Kwh:
        """Return the energy of a span in which the watts are those of its start."""
        watts = self._watts(start)
        grid_w = watts[TOTAL] - watts.get(PRODUCTION, 0.0)
        flows = {"from_grid": max(grid_w, 0.0), "to_grid": max(-grid_w, 0.0)}
        return {key: value * (end - start) / 3_600_000 for key, value in (watts | flows).items()}

    def _watts(self, at: float) -> dict[str, float]:
        power = self.house.power_at(at)
        shared_w = sum(listed_device.device.ao_w for listed_device in power.devices)
        self._seen |= {listed_device.device.id: listed_device.device for listed_device in power.devices}
        watts = {listed_device.device.id: listed_device.w for listed_device in power.devices}
        watts |= {ALWAYS_ON.id: power.always_on_w - shared_w, OTHER.id: power.other_w, TOTAL: power.w}
        return watts if power.solar_w is None else watts | {PRODUCTION: power.solar_w}

    def _appearing(self, energy: Iterable[Kwh]) -> list[Device]:
        seen = {key for entry in energy for key in entry}
        known = self._seen | {device.id: device for device in (ALWAYS_ON, OTHER, *self.house.devices)}
        return [device for device in known.values() if device.id in seen]

    def _usage_of(self, device: Device, energy: list[Kwh]) -> Body:
        return {"id": device.id, "name": device.name, "icon": device.icon, "consumption": _breakdown(energy, device.id)}

    def _trend(self, energy: list[Kwh], key: str) -> Body:
        totals = [entry.get(key, 0.0) for entry in energy]
        costs = [round(kwh * self.cents_per_kwh) for kwh in totals]
        return {"total": sum(totals), "totals": totals, "total_cost": sum(costs), "total_costs": costs}

    def _trend_of(self, device: Device, energy: list[Kwh]) -> Body:
        trend = self._trend(energy, device.id)
        whole = sum(entry.get(TOTAL, 0.0) for entry in energy) or math.inf
        told = {"avgw": trend["total"] / 24, "total_kwh": trend["total"], "pct": 100 * trend["total"] / whole}
        cost = {"total_cost": trend["total_cost"], "cost_history": trend["total_costs"]}
        named = {"name": "Unknown"} if device == OTHER else {}  # here alone
        return device_row(device) | named | {"history": trend["totals"]} | told | cost

    def _production(self, energy: list[Kwh]) -> Body:
        trend = self._trend(energy, PRODUCTION)
        device = device_row(SOLAR) | {
            "history": trend["totals"],
            "avgw": trend["total"] / 24,
            "pct": 100.0,
        }  # no total_kwh
        return trend | {"devices": [device]}


def _breakdown(energy: list[Kwh], key: str) -> Body:
    entries = [entry.get(key, 0.0) for entry in energy]
    return {"usage_total_kwh": sum(entries), "usage_breakdown_kwh": entries}


def _solar_powered(energy: list[Kwh]) -> int:
    used = sum(entry.get(TOTAL, 0.0) for entry in energy)
    return round(100 * (1 - sum(entry.get("from_grid", 0.0) for entry in energy) / used)) if used else 0


def _quarters(start: float, end: float) -> Iterable[float]:
    first = math.floor(start / BIN_S)
    return (BIN_S * number for number in range(first, max(first, math.ceil(end / BIN_S))))


def _samples(start: float, end: float) -> Iterable[float]:
    return (start + SAMPLE_S * number for number in range(max(0, int((end - start) // SAMPLE_S))))


def _scaled(entry: Kwh, factor: float) -> Kwh:
    return {key: value * factor for key, value in entry.items()}


def _summed(entries: Iterable[Kwh]) -> Kwh:
    total: Kwh = {}
    for entry in entries:
        for key, value in entry.items():
            total[key] = total.get(key, 0.0) + value
    return total
