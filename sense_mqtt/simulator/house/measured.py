"""A house replayed from measured watts: a CSV with one column per appliance. Pure but for reading the file.

What counts as on (Sense detects appliances likewise late and with a will of its own; a bare 10 W would flicker):
1. An empty cell holds the last reading for HOLD_S seconds, then the appliance draws 0 W.
2. It goes on at the first second at or above ON_ABOVE_W, off at the first second below OFF_BELOW_W.
3. A pause shorter than SHORTEST_S is no pause, and then a run shorter than SHORTEST_S is no run: what is left
   is at least SHORTEST_S apart. Watts of an appliance that is not on go into "Other".
4. On for more than ALWAYS_ON_SHARE of the time: it is no device but part of "Always On".
"""

import csv
import gzip
import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sense_mqtt.simulator.house.model import (
    Device,
    HousePower,
    ListedDevice,
    PowerStep,
    SwitchSchedule,
    TrueTransition,
    quantised,
)
from sense_mqtt.simulator.house.solar import MeasuredSolar, SolarProduction

ON_ABOVE_W = 15.0
OFF_BELOW_W = 12.0
SHORTEST_S = 5.0
HOLD_S = 30.0
ALWAYS_ON_SHARE = 0.95
ALWAYS_ON_PERCENTILE = 0.05

_ICONS = {"refrigerator": "fridge", "washing_machine": "washer", "kettle": "kettle", "toaster": "toaster"}


class InvalidMeasurements(ValueError):
    """The CSV cannot be replayed; says which file, what is wrong and what it should hold."""


def read_columns(path: Path) -> tuple[Sequence[float], dict[str, Sequence[float]]]:
    """Return the seconds and, per column, the watts (NaN = no reading) of a plain or gzipped CSV."""
    open_text = gzip.open if path.suffix == ".gz" else open
    with open_text(path, "rt", newline="") as file:
        rows = csv.reader(file)
        names = next(rows, [])
        if len(names) < 2 or names[0] != "unix":
            raise InvalidMeasurements(f"{path}: the first line must name the columns: unix, then one per appliance")
        columns = [array("d") for _ in names]
        try:
            for row in rows:
                for column, cell in zip(columns, row, strict=True):
                    column.append(float(cell) if cell else math.nan)
        except ValueError as error:
            raise InvalidMeasurements(
                f"{path}: line {rows.line_num}: {error}; every cell is a number or empty"
            ) from error
    if len(columns[0]) < 2:
        raise InvalidMeasurements(f"{path}: at least two rows are needed")
    return columns[0], dict(zip(names[1:], columns[1:], strict=True))


def read_solar(path: Path) -> MeasuredSolar:
    """Read measured production: the first column after `unix`, W."""
    seconds, columns = read_columns(path)
    watts = next(iter(columns.values()))
    known = [(second, value) for second, value in zip(seconds, watts, strict=True) if not math.isnan(value)]
    return MeasuredSolar([second for second, _ in known], [value for _, value in known])


def fill_gaps(watts: Sequence[float], most: int) -> Sequence[float]:
    """Return the readings with gaps of at most `most` cells filled by the last one, longer ones by 0 W."""
    filled = array("d")
    last, gap = 0.0, 0
    for value in watts:
        if value == value:  # not NaN
            last, gap = value, 0
        else:
            gap += 1
        filled.append(last if gap <= most else 0.0)
    return filled


def runs(watts: Sequence[float], shortest: int) -> list[tuple[int, int]]:
    """Return the runs as half-open ranges of rows, by the rule at the top of this file."""
    kept: list[tuple[int, int]] = []
    for start, end in _crossings(watts):
        if kept and start - kept[-1][1] < shortest:
            start = kept.pop()[0]
        kept.append((start, end))
    return [(start, end) for start, end in kept if end - start >= shortest]


def _crossings(watts: Sequence[float]) -> Iterator[tuple[int, int]]:
    start: int | None = None
    for row, value in enumerate(watts):
        if start is None and value >= ON_ABOVE_W:
            start = row
        elif start is not None and value < OFF_BELOW_W:
            yield start, row
            start = None
    if start is not None:
        yield start, len(watts)


class MeasuredHouse:
    """Measured watts as a house: the columns are its devices, what belongs to none of them is Always On and Other."""

    def __init__(self, path: Path, sun: SolarProduction | None = None) -> None:
        """Read the CSV (a second or two for 72 h at 1 s); raises InvalidMeasurements or OSError."""
        seconds, columns = read_columns(path)
        self._step_s = seconds[1] - seconds[0]
        self._sun = sun
        self.since = self.begins = seconds[0]
        self.ends = seconds[-1]
        shortest = math.ceil(SHORTEST_S / self._step_s)
        self._watts = {name: fill_gaps(column, int(HOLD_S / self._step_s)) for name, column in columns.items()}
        found = {name: runs(column, shortest) for name, column in self._watts.items()}
        detected = [name for name, spans in found.items() if spans and not self._always_on(spans)]
        self._names = {_id(name): name for name in detected}
        self.devices = tuple(_describe(name, leg=number % 2) for number, name in enumerate(detected))
        self._rest = _summed([column for name, column in self._watts.items() if name not in detected], len(seconds))
        self._always_on_w = quantised(sorted(self._rest)[int(len(self._rest) * ALWAYS_ON_PERCENTILE)])
        steps = [step for name in detected for step in self._steps(name, found[name])]
        self.switch_schedule = SwitchSchedule(self.since - 1, math.inf, lambda _start, _end: steps)

    def power_at(self, at: float) -> HousePower:
        row = self._row(at)
        listed, other_w = [], self._rest[row]
        for device in self.devices:
            watts = self._watts[self._names[device.id]][row]
            step = self.switch_schedule.step(device.id, at)
            if step is not None and step.state == "on":
                listed.append(ListedDevice(device, quantised(watts)))
            else:
                other_w += watts
        always_on_w = min(self._always_on_w, quantised(other_w))
        solar_w = None if self._sun is None else quantised(self._sun.watts(at))
        return HousePower(tuple(listed), always_on_w, quantised(other_w) - always_on_w, solar_w)

    def transitions(self, since: float, until: float) -> list[TrueTransition]:
        return self.switch_schedule.transitions(since, until)

    def _row(self, at: float) -> int:
        last = len(self._rest) - 1
        return min(max(int((at - self.since) / self._step_s), 0), last)

    def _always_on(self, spans: Iterable[tuple[int, int]]) -> bool:
        rows = 1 + (self.ends - self.since) / self._step_s
        return sum(end - start for start, end in spans) > ALWAYS_ON_SHARE * rows

    def _steps(self, name: str, spans: Iterable[tuple[int, int]]) -> Iterator[PowerStep]:
        for start, end in spans:
            yield PowerStep(self.since + start * self._step_s, _id(name), "on", quantised(self._watts[name][start]))
            if end < len(self._rest):
                yield PowerStep(self.since + end * self._step_s, _id(name), "off")


def _summed(columns: Sequence[Sequence[float]], rows: int) -> Sequence[float]:
    if not columns:
        return array("d", bytes(8 * rows))
    return array("d", map(sum, zip(*columns, strict=True)))


def _id(name: str) -> str:
    """Return 8 hex digits that stay the same for a column's name, as Sense's native detections have."""
    number = 0x811C9DC5
    for byte in name.encode():
        number = (number ^ byte) * 0x01000193 % 2**32  # FNV-1a
    return f"{number:08x}"


def _describe(name: str, leg: int) -> Device:
    title = name.replace("_", " ").capitalize()
    return Device(_id(name), title, _ICONS.get(name, "home"), type=title.title().replace(" ", ""), leg=leg)
