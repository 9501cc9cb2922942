"""A house of a recording: each frame holds until the next one. Pure but for reading the file.

The lines of a recording are JSON objects (docs/bug-reports.md): `wall`, `monitor`, and what was seen under the name of
its kind. Frames are `frame` (JSON) or `msgpack` (as they came), `polled`, or `RealtimeUpdate` (as they were read; a
report has only these).
"""

import gzip
import json
import math
import zipfile
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from sense_mqtt.simulator.house.measured import InvalidMeasurements
from sense_mqtt.simulator.house.model import (
    Device,
    HousePower,
    ListedDevice,
    PowerStep,
    SwitchSchedule,
    TrueState,
    TrueTransition,
    quantised,
)

IN_REPORT = "recording.jsonl.gz"
PSEUDO = ("always_on", "unknown", "solar")

Row = Mapping[str, Any]


class RecordedHouse:
    """The first monitor of a recording. A device is on where a frame lists it, or idle, and off where it does not."""

    def __init__(self, path: Path) -> None:
        """Read the recording, or the report that holds one; raises InvalidMeasurements or OSError."""
        frames, rows = _read(path)
        if len(frames) < 2:
            raise InvalidMeasurements(f"{path}: holds no two frames; record for longer, while frames come")
        self._times = sorted(frames)
        self.since = self.begins = self._times[0]
        self.ends = self._times[-1]
        self._powers = _powers([frames[at] for at in self._times], rows)
        self.devices = tuple({each.device: None for power in self._powers for each in power.devices})
        self.switch_schedule = SwitchSchedule(self.since - 1, math.inf, lambda _start, _end: self._steps())

    def power_at(self, at: float) -> HousePower:
        return self._powers[max(bisect_right(self._times, at) - 1, 0)]

    def transitions(self, since: float, until: float) -> list[TrueTransition]:
        return self.switch_schedule.transitions(since, until)

    def _steps(self) -> Iterator[PowerStep]:
        before: dict[str, PowerStep] = {}
        for at, power in zip(self._times, self._powers, strict=True):
            listed = {each.device.id: each for each in power.devices}
            for device in self.devices:
                each, last = listed.get(device.id), before.get(device.id)
                state: TrueState = "off" if each is None else "idle" if each.idle else "on"
                if state != (last.state if last else "off"):
                    step = before[device.id] = PowerStep(at, device.id, state, each.w if each else 0.0)
                    yield step


def _powers(frames: list[Row], rows: Mapping[str, Row]) -> list[HousePower]:
    known: dict[str, Device] = {}
    powers = []
    for frame in frames:
        listed = {str(row.get("id")): row for row in frame.get("devices", ()) if _watts(row) is not None}
        for identity in listed:
            known.setdefault(identity, _device(identity, {**listed[identity], **rows.get(identity, {})}))
        powers.append(_power(frame, listed, known))
    return powers


def _power(frame: Row, listed: Mapping[str, Row], known: Mapping[str, Device]) -> HousePower:
    devices = tuple(
        ListedDevice(known[identity], quantised(_watts(row) or 0.0), "Idle" in row.get("attrs", ()))
        for identity, row in listed.items()
        if identity not in PSEUDO
    )
    always_on_w = quantised(_watts(listed.get("always_on", {})) or 0.0)
    other_w = quantised(max(frame["w"] - always_on_w - sum(each.w for each in devices), 0.0))
    solar_w = frame.get("solar_w")
    return HousePower(devices, always_on_w, other_w, None if solar_w is None else quantised(solar_w))


def _device(identity: str, row: Row) -> Device:
    kind = row.get("type") or row.get("tags", {}).get("UserDeviceType") or "Unknown"
    return Device(identity, row.get("name") or identity, row.get("icon") or "home", type=kind)


def _watts(row: Row) -> float | None:
    watts = row.get("w")
    return watts if isinstance(watts, int | float) else None


def _read(path: Path) -> tuple[dict[float, Row], dict[str, Row]]:
    """Return the frames of the first monitor by second, and what its list of devices says of each."""
    frames: dict[float, Row] = {}
    rows: dict[str, Row] = {}
    first = None
    try:
        for line in _lines(path):
            note = json.loads(line)
            first = note.get("monitor") if first is None else first
            if note.get("monitor") != first or first is None:
                continue
            rows |= {row["id"]: row for row in note.get("DevicesListed", {}).get("rows", ())}
            frame = _frame(note)
            if frame is not None:
                frames.setdefault(frame.get("epoch") or note["wall"], frame)
    except (ValueError, TypeError, LookupError, AttributeError, zlib.error, zipfile.BadZipFile) as error:
        raise InvalidMeasurements(f"{path}: is no recording of `sense-mqtt record` ({type(error).__name__})") from error
    return frames, rows


def _frame(note: Row) -> Row | None:
    came, packed = note.get("frame"), note.get("msgpack")
    if came is not None:
        return came["payload"] if came.get("type") == "realtime_update" else None
    if packed is not None:
        return packed["rest"][1] if packed["type"] == "realtime_update" else None  # after the time of the envelope
    polled = note.get("polled")
    return note.get("RealtimeUpdate") if polled is None else polled["payload"]


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the whole lines; one that was cut off, as its writer was killed, ends them. Raises OSError and others."""
    with path.open("rb") as file:
        if not zipfile.is_zipfile(file):
            file.seek(0)
            yield from _unpacked(file)
            return
        with zipfile.ZipFile(file) as archive, archive.open(IN_REPORT) as recording:
            yield from _unpacked(recording)


def _unpacked(recording: IO[bytes]) -> Iterator[bytes]:
    try:
        with gzip.open(recording, "rb") as text:
            yield from (line for line in text if line.endswith(b"\n"))
    except EOFError:
        return
