"""A house with a known truth, as the meters see it: frames, Sense's answers about days, outages, restarts, crashes."""

import json
import math
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import count, takewhile
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from sense_mqtt.core.capability import HOUSE, Observation
from sense_mqtt.core.changes import Reading
from sense_mqtt.core.energy.periods import Energy, from_usage
from sense_mqtt.core.home.state import Device, Home, Interrupted, QueryResult, Steady
from sense_mqtt.core.meters.total import METERS, TOPIC
from sense_mqtt.core.observe import Seen
from sense_mqtt.core.readings.published import mark_published
from sense_mqtt.core.timestamps import Moment, write_timestamp
from sense_mqtt.core.wire.devices import DeviceInfo
from sense_mqtt.core.wire.frames import RealtimeUpdate
from tests.support.core.builders import policy

STEP_S = 60.0  # between frames
POLICY = policy(stale_after_s=2 * STEP_S)
DEVICES = ("always_on", "fridge", "dryer")
Kwh = dict[str, float]


def powers(time: float) -> dict[str, float]:
    """Return the watts of each device, the house ("") and the sun ("solar")."""
    hour = time / 3600 % 24
    used = {
        "always_on": 210.0,
        "fridge": 120.0 if time % 2700 < 900 else 0.0,
        "dryer": 4800.0 if 1 <= hour < 2 and time % 300 < 180 else 0.0,
    }
    sun = max(0.0, 3000.0 * math.sin((hour - 14) / 10 * math.pi)) if 14 <= hour < 24 else -1.0
    return {**used, HOUSE: sum(used.values()), "solar": sun * (0.6 + 0.4 * math.cos(time / 500))}


def truth(start: float, end: float) -> Kwh:
    """Return the kWh between two instants, by device, and by figure for the house."""
    total: Kwh = {}
    for time in takewhile(lambda each: each < end, count(start, STEP_S)):
        now = powers(time + STEP_S / 2)
        made = max(now["solar"], 0.0)
        net = now[HOUSE] - made
        watts = {device: now[device] for device in DEVICES}
        watts |= {"consumption_kwh": now[HOUSE], "production_kwh": made}
        watts |= {"from_grid_kwh": max(net, 0.0), "to_grid_kwh": max(-net, 0.0)}
        for name, each in watts.items():
            total[name] = total.get(name, 0.0) + each * min(STEP_S, end - time) / 3_600_000
    return total


class MeteredHouse:
    """Lets time pass for the meters of one home, and keeps what they publish."""

    def __init__(self, start: float, zone: str = "America/Los_Angeles") -> None:
        self.started = self.time = start
        self.zone = ZoneInfo(zone)
        self.stored: Mapping[str, Any] = {}
        self.published: dict[tuple[str, str], list[float]] = {}
        self.stores = self.bytes_stored = self.questions = 0
        self._known: dict[float, Kwh] = {}
        self._next_reading = start + 15.0
        self._up_since = 0.0
        self._new_process()

    # --- time passes

    def run(self, seconds: float, *, feed: bool = True, rest: bool = True) -> None:
        """Let frames come, and Sense be asked, for so long."""
        end = self.time + seconds
        while self.time < end:
            if feed:
                self._observe(self._frame())
            if rest:
                self._ask()
            self.time += STEP_S

    def stop(self) -> None:
        """End the process in good order, and begin another."""
        self._observe(Interrupted())
        self._new_process()

    def crash(self) -> None:
        """Begin another process with what was stored."""
        self._new_process()

    def see(self, energy: Energy, capability: str = "energy") -> None:
        """Let Sense answer so."""
        self._observe(QueryResult(capability, "day", energy))

    def day(self, start: float) -> Energy:
        """Return what Sense says at present of the local day that holds this instant."""
        local = datetime.fromtimestamp(start, self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        begin, end = local.timestamp(), (local + timedelta(days=1)).timestamp()
        hours = [self._hour(begin + 3600 * each) for each in range(round((end - begin) / 3600))]
        total = {name: math.fsum(hour.get(name, 0.0) for hour in hours) for name in (*hours[0], *hours[-1])}
        usage = {"start": write_timestamp(begin), **_broken_down(hours, "consumption_kwh")}
        rows = [{"id": device, **_broken_down(hours, device)} for device in DEVICES]
        production = [hour.get("production_kwh", 0.0) for hour in hours]
        solar = {"total": total, "breakdown": {"production_kwh": production}}
        return from_usage("DAY", {**usage, "device_breakdown": rows}, solar)

    # --- what was published

    def newest(self, device: str = HOUSE, figure: str = "consumption_kwh") -> float:
        return self.published[device, figure][-1]

    def errors(self) -> dict[str, float]:
        """Return how far each figure as counted is from the truth, as a share of it."""
        expected, totals = truth(self.started, self.time), METERS.state_of(self.home).totals
        found = {figure if device == HOUSE else device: kwh for (device, figure), kwh in totals.items()}
        return {name: found.get(name, 0.0) / kwh - 1 if kwh else found.get(name, 0.0) for name, kwh in expected.items()}

    def shrunk(self) -> Iterator[tuple[str, str]]:
        """Yield each figure that was ever published lower than before."""
        for counter, values in self.published.items():
            if values != sorted(values):
                yield counter

    # --- inner parts

    def _new_process(self) -> None:
        rows = json.loads(json.dumps(self.stored))
        devices = {each: Device(DeviceInfo(each, each), each) for each in DEVICES}
        self.home = Home(monitor=7, solar=True, devices=devices, capabilities={METERS.key: METERS.restore(rows)})
        self._next_reading = self.time + 15.0

    def _frame(self) -> RealtimeUpdate:
        now = powers(self.time)
        return RealtimeUpdate(w=now[HOUSE], epoch=self.time, solar_w=max(0.0, now["solar"]))

    def _ask(self) -> None:
        if self.time >= self._next_reading:
            self._next_reading = self.time + 900.0
            self.see(self.day(self.time))
        for query in METERS.queries(self.home, self._now, POLICY).values():
            if query.due <= self._now.monotonic:
                self.questions += 1
                asked = datetime.fromisoformat(query.arguments["start"]).timestamp()
                self.see(self.day(asked), METERS.key)

    def _hour(self, start: float) -> Kwh:
        """Return what Sense says of an hour; one that is not over is too low, one that is to come is 0."""
        if self.time < start + 3600 + 120:
            return {name: 0.3 * kwh for name, kwh in truth(start, self.time).items()} if start < self.time else {}
        if start not in self._known:
            self._known[start] = truth(start, start + 3600)
        return self._known[start]

    @property
    def _now(self) -> Moment:
        return Moment(self.time, self.time - 1_000_000.0)

    def _observe(self, seen: Seen) -> None:
        before, home = self.home, self.home
        if isinstance(seen, RealtimeUpdate):
            now = powers(self.time)
            devices = {each: replace(device, power_w=now[each]) for each, device in home.devices.items()}
            home = replace(home, last_frame=seen, steady=Steady(time=self.time), devices=devices)
        update = METERS.update(METERS.state_of(home), Observation(before, home, seen, (), self._now, POLICY))
        home = replace(home, capabilities={METERS.key: update.state})
        if update.store:
            rows = METERS.snapshot(update.state)
            changed = [json.dumps(row) for device, row in rows.items() if self.stored.get(device) != row]
            self.stored, self.stores = rows, self.stores + 1
            self.bytes_stored += sum(map(len, changed))
        readings = [change for change in update.changes if isinstance(change, Reading)]
        self.home = mark_published(home, readings, self._now)
        for reading in readings:
            assert reading.key == TOPIC
            assert isinstance(reading.value, Mapping)
            for figure, value in reading.value.items():
                if figure.endswith("_kwh"):
                    self.published.setdefault((reading.device or HOUSE, figure), []).append(value)


def _broken_down(hours: list[Kwh], name: str) -> dict[str, Any]:
    entries = [hour.get(name, 0.0) for hour in hours]
    return {"consumption": {"usage_total_kwh": math.fsum(entries), "usage_breakdown_kwh": entries}}
