"""The appliances of the built-in home: one row each, with the habit by which it runs. Pure."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sense_mqtt.simulator.house.model import Device

DAY_S = 86_400.0
MIN_SPAN_S = 5.0  # no run and no pause is shorter

Span = tuple[float, float]  # seconds of the day: from, to
RunPattern = Callable[[random.Random], Iterator[Span]]


def cycles(on_s: float, pause_s: float, *, hours: tuple[float, float] = (0, 24)) -> RunPattern:
    """Run again and again, as a compressor does; lengths vary by a quarter."""

    def spans(chance: random.Random) -> Iterator[Span]:
        at = hours[0] * 3600 + chance.uniform(0.1, 1.0) * pause_s
        while at < hours[1] * 3600:
            end = at + max(MIN_SPAN_S, on_s * chance.uniform(0.75, 1.25))
            yield at, end
            at = end + max(MIN_SPAN_S, pause_s * chance.uniform(0.75, 1.25))

    return spans


def at_random_times(
    times: int, shortest_s: float, longest_s: float, *, hours: tuple[float, float] = (6, 23)
) -> RunPattern:
    """Run `times` times a day, at odd moments between the hours."""

    def spans(chance: random.Random) -> Iterator[Span]:
        for at in sorted(chance.uniform(hours[0] * 3600, hours[1] * 3600) for _ in range(times)):
            yield at, at + chance.uniform(shortest_s, longest_s)

    return spans


def programmes(times: int, length_s: float, pattern: RunPattern, *, hours: tuple[float, float] = (7, 21)) -> RunPattern:
    """Run a programme `times` times a day, of which `pattern` tells the bursts (in seconds from its start)."""

    def spans(chance: random.Random) -> Iterator[Span]:
        for at in sorted(chance.uniform(hours[0] * 3600, hours[1] * 3600) for _ in range(times)):
            for start, end in pattern(chance):
                if end < length_s:
                    yield at + start, at + end

    return spans


@dataclass(frozen=True, slots=True)
class Appliance:
    """A device, the watts it draws, and when."""

    device: Device
    w: float
    pattern: RunPattern
    idle_w: float | None = None  # a plug that stays listed between its runs, with the attribute Idle


def _plug(device_id: str, name: str, kind: str, ao_w: float, **more: Any) -> Device:
    return Device(device_id, name, "plug", kind, plug=True, ao_w=ao_w, make="TP-Link", model="KP115", **more)


_LAMP = "Grandma’s lamp"  # noqa: RUF001 - real names hold typographic apostrophes

APPLIANCES: tuple[Appliance, ...] = (
    Appliance(Device("3f6b01d2", "Fridge", "fridge", "Fridge", "Kitchen", motor=True), 128.0, cycles(1100, 1500)),
    Appliance(
        Device("a91c44e7", "Garage Freezer ", "freezer", "Freezer", "Garage ", leg=1, motor=True),
        94.0,
        cycles(1400, 2600),
    ),
    Appliance(Device("5d20e8b3", "Sump pump", "pump", "Pump", "Basement", leg=1, motor=True), 640.0, cycles(9, 1300)),
    Appliance(Device("0c7741fa", "Well pump", "pump", "Pump", motor=True), 1180.0, at_random_times(35, 6, 55)),
    Appliance(Device("e2b8190c", "Dryer", "washer", "Dryer", "Laundry"), 5584.5, programmes(2, 3600, cycles(420, 75))),
    Appliance(
        Device("71fd0a56", "Washer", "washer", "Washer", "Laundry", motor=True),
        312.0,
        programmes(2, 2700, cycles(40, 14)),
    ),
    Appliance(Device("b4093e1d", "Kettle", "kettle", "TeaKettle", "Kitchen"), 1496.0, at_random_times(9, 60, 240)),
    Appliance(
        Device("88d6f27b", "Microwave", "microwave", "Microwave", "Kitchen", leg=1),
        1372.0,
        at_random_times(12, 12, 200),
    ),
    Appliance(Device("6ce5b310", "Coffee maker", "cup", "CoffeeMaker", "Kitchen"), 912.0, at_random_times(5, 30, 420)),
    Appliance(
        Device("1de0c94f", "Toaster", "toaster_oven", "Toaster", "Kitchen", leg=1), 1003.0, at_random_times(4, 90, 200)
    ),
    Appliance(Device("d3a7562e", "Oven", "stove", "Oven", "Kitchen"), 2980.0, programmes(2, 3000, cycles(75, 60))),
    Appliance(
        Device("47bb08c1", "Dishwasher", "dishes", "Dishwasher", "Kitchen", leg=1),
        1120.0,
        programmes(2, 5400, cycles(600, 200)),
    ),
    Appliance(
        Device("f01e9d68", "Water heater", "heat", "WaterHeater", "Basement"), 4465.0, at_random_times(9, 240, 1500)
    ),
    Appliance(
        Device("295ac7d0", "EV", "car", "ElectricVehicle", "Garage"),
        7190.0,
        at_random_times(1, 7200, 14000, hours=(0, 3)),
    ),
    Appliance(
        Device("c86f3b92", "Garage door", "garage", "GarageDoor", "Garage", motor=True),
        410.0,
        at_random_times(8, 10, 16),
    ),
    Appliance(Device("9a4e75d3", "Heat 2", "heat", "MysteryHeat", leg=1), 1818.25, cycles(180, 2400, hours=(5, 23))),
    Appliance(
        Device(
            "k7QmZr2T", "Heat pump", "ac", "AC", "Yard", make="Mitsubishi", motor=True, merged=("7e10c2a4", "18bd93f6")
        ),
        2140.0,
        cycles(900, 1100, hours=(9, 22)),
    ),
    Appliance(
        _plug("X4pTw8Lc", "TV", "SmartPlug", 0.75, location="Den"), 143.0, at_random_times(6, 600, 5400), idle_w=0.75
    ),
    Appliance(_plug("Jm2hV9sB", "Garage refrigerator", "SmartPlug", 3.5, leg=1), 116.0, cycles(1300, 2100), idle_w=3.5),
    Appliance(_plug("ssi-2b7d41e9", _LAMP, "SmartPlug", 0.0), 38.5, at_random_times(7, 300, 4000, hours=(15, 24))),
    Appliance(
        _plug("ssi-f04ce1", "Fan", "SmartPlug", 0.5, motor=True), 46.0, cycles(1500, 1900, hours=(10, 23)), idle_w=0.5
    ),
)

# What Sense once knew under another id, or knows without ever seeing it draw: rows of the REST list only.
CHILDREN: Mapping[str, str] = {"7e10c2a4": "Motor 3", "18bd93f6": "AC 2"}
DELETED = Device("55c1d07e", "Stove 2", "stove", "StoveTop")
INVENTORY = Device("pd-9Zr4KqX1", "Space heater", "heat", "OtherHeater")
