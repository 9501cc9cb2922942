"""What the realtime feed says of a house at one second: its figures fit together as those of real frames do. Pure."""

import math
from dataclasses import dataclass, field
from typing import Any

from sense_mqtt.simulator.house.model import Device, House, HousePower, ListedDevice, TrueTransition, quantised
from sense_mqtt.simulator.house.noise import Noise
from sense_mqtt.simulator.payloads.devices import ALWAYS_ON, OTHER, SOLAR, DeviceRow, device_row

Payload = dict[str, Any]

CYCLES_PER_S = 60
DELTA_AGE_S = 10.5  # a step is told that long after it happened


@dataclass(slots=True)
class FrameMaker:
    """Makes the payloads of one monitor."""

    house: House
    cents_per_kwh: float = 16.5
    _noise: Noise = field(default_factory=lambda: Noise(60))
    _rows: dict[Device, DeviceRow] = field(default_factory=dict)

    def realtime(self, at: float) -> Payload:
        """Return `realtime_update.payload` of the websocket."""
        payload = self.polled(at)
        for listed in payload["devices"]:
            listed["c"] = self._cents(listed["w"])
        epoch = math.floor(at)
        received = epoch + 1.05 + 0.3 * abs(self._noise.rough(at, 11))
        stats = {"brcv": round(received, 6), "mrcv": round(received + 0.02, 3), "msnd": round(received + 0.021, 3)}
        return payload | {"_stats": stats, "epoch": epoch}

    def polled(self, at: float) -> Payload:
        """Return the bare payload of `realtime_update` by REST: no epoch, devices without c (SE#77)."""
        power = self.house.power_at(at)
        watts = power.w
        payload: Payload = {
            "voltage": [round(120.0 + 0.8 * self._noise.smooth(at, 30, 12) - watts / 8000, 3), 121.25],
            "frame": self.cycle(at),
            "devices": self._devices(power),
            "deltas": self._deltas(at),
            "channels": self._channels(power),
            "hz": round(60 + 0.012 * self._noise.rough(at, 13), 4),
            "w": watts,
            "d_w": round(watts),
            "c": self._cents(watts),
            "defaultCost": self.cents_per_kwh,
            "grid_w": math.trunc(watts - (power.solar_w or 0.0)),
        }
        return payload | (self._solar(power.solar_w, watts) if power.solar_w is not None else _grid_only())

    def cycle(self, at: float) -> int:
        """Return the running count of mains cycles: 30 more every half second."""
        return 5_550_000 + int((at - self.house.begins) * CYCLES_PER_S)

    def _cents(self, watts: float) -> int:
        return math.trunc(watts / 1000 * self.cents_per_kwh)  # cents per hour

    def _devices(self, power: HousePower) -> list[DeviceRow]:
        ranked = [(listed_device.w, self._device_row(listed_device)) for listed_device in power.devices]
        shared_w = sum(listed_device.device.ao_w for listed_device in power.devices)
        ranked.append((power.always_on_w - shared_w, self._row(ALWAYS_ON) | {"w": power.always_on_w}))
        ranked.append((power.other_w, self._row(OTHER) | {"w": power.other_w}))
        if power.solar_w is not None:
            ranked.append((power.solar_w, self._row(SOLAR) | {"w": power.solar_w}))
        ranked.sort(key=lambda entry: -entry[0])  # always_on stands by its net watts
        return [made for _, made in ranked]

    def _row(self, device: Device) -> DeviceRow:
        """Return the row as in the REST list, tags and all: Sense repeats them in every frame."""
        made = self._rows.get(device)
        if made is None:
            made = self._rows[device] = device_row(device) | {"attrs": []}
        return made

    def _device_row(self, listed_device: ListedDevice) -> DeviceRow:
        device, watts = listed_device.device, listed_device.w
        made = self._row(device) | {"w": watts}
        if listed_device.idle:
            made["attrs"] = ["Idle"]
        if device.plug:
            measured = {"w": watts, "i": round(watts / 121 + 0.03, 3), "v": 121.0, "e": 812.4}
            made |= {"sd": measured, "ao_w": device.ao_w, "ao_st": listed_device.idle}
        return made

    def _channels(self, power: HousePower) -> list[float]:
        """Return the two legs, which sum to w."""
        second = sum(
            listed_device.w - listed_device.device.ao_w for listed_device in power.devices if listed_device.device.leg
        )
        second += quantised((power.always_on_w + power.other_w) * 0.4)
        return [power.w - second, second]

    def _solar(self, solar_w: float, watts: float) -> Payload:
        half = solar_w / 2
        return {
            "solar_w": solar_w,
            "d_solar_w": round(solar_w),
            "solar_c": self._cents(solar_w),
            "solar_pct": max(0, min(100, math.trunc(100 * solar_w / watts))) if watts > 0 else 0,
            "aux": {"solar": [-half, half - solar_w]},
            "power_flow": _power_flow(solar_w, watts),
        }

    def _deltas(self, at: float) -> list[dict[str, Any]]:
        told = at - DELTA_AGE_S
        return [self._delta(transition) for transition in self.house.transitions(told - 0.5, told)]

    def _delta(self, transition: TrueTransition) -> dict[str, Any]:
        script, cycle = self.house.switch_schedule, self.cycle(transition.at)
        before, after = (
            script.step(transition.device, transition.at - 0.001),
            script.step(transition.device, transition.at),
        )
        step_w = (after.w if after is not None else 0.0) - (before.w if before is not None else 0.0)
        return {"w": step_w, "channel": self._leg(transition.device), "start_frame": cycle, "frame": cycle}

    def _leg(self, identity: str) -> int:
        return next((device.leg for device in self.house.devices if device.id == identity), 0)


def _power_flow(solar_w: float, watts: float) -> dict[str, list[str]]:
    if solar_w <= 0:
        return {"grid": ["home"], "solar": []}
    if solar_w < watts:
        return {"grid": ["home"], "solar": ["home"]}
    return {"grid": [], "solar": ["grid", "home"]}


def _grid_only() -> Payload:
    return {"power_flow": {"grid": ["home"]}}
