"""What a simulated house is: its devices, what they draw at a second, and when they truly switch. Pure."""

import math
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

TrueState = Literal["on", "idle", "off"]
TransitionKind = Literal["turned_on", "turned_off", "idle"]

KIND_OF: Mapping[TrueState, TransitionKind] = {"on": "turned_on", "off": "turned_off", "idle": "idle"}


def quantised(watts: float) -> float:
    """Round to 1/1024 W: exact in binary, so that sums of a frame come out exact, as in real frames."""
    return round(watts * 1024) / 1024


@dataclass(frozen=True, slots=True)
class Device:
    """One appliance as Sense knows it."""

    id: str
    name: str
    icon: str = "home"
    type: str = "Unknown"  # Sense's UserDeviceType
    location: str = ""
    make: str = ""
    model: str = ""
    leg: int = 0  # 0 or 1: which of the two mains legs feeds it
    plug: bool = False
    motor: bool = False  # its estimate drifts by about 0.1 %
    ao_w: float = 0.0  # W, a plug's always-on share
    duid: str = ""  # of the plug itself, where Sense has given it another id since; else made from `id`
    merged: tuple[str, ...] = ()  # ids of the children, where it stands for several merged devices


@dataclass(frozen=True, slots=True)
class PowerStep:
    """From second `at` on, `device` is in `state` and draws `w` watts."""

    at: float  # unix seconds
    device: str
    state: TrueState
    w: float = 0.0


@dataclass(frozen=True, slots=True)
class TrueTransition:
    """What truly happened at the house, and when."""

    device: str
    kind: TransitionKind
    at: float  # unix seconds


@dataclass(frozen=True, slots=True)
class ListedDevice:
    """One device that is listed at this second."""

    device: Device
    w: float
    idle: bool = False


@dataclass(frozen=True, slots=True)
class HousePower:
    """What the house draws at one second; `always_on_w` holds the plugs' always-on shares too."""

    devices: tuple[ListedDevice, ...]
    always_on_w: float
    other_w: float
    solar_w: float | None = None  # None: a home without solar

    @property
    def w(self) -> float:
        """Whole consumption in W: the plugs' always-on shares counted once."""
        listed = sum(listed_device.w - listed_device.device.ao_w for listed_device in self.devices)
        return listed + self.always_on_w + self.other_w


@dataclass(slots=True)
class _DeviceSteps:
    """What one device does, oldest first."""

    times: list[float] = field(default_factory=list)  # of the steps
    steps: list[PowerStep] = field(default_factory=list)
    changes: list[TrueTransition] = field(default_factory=list)


Write = Callable[[float, float], Iterable[PowerStep]]


class SwitchSchedule:
    """Steps of all devices, written in chunks as far as anyone asks. Thread-safe: tests ask while the cloud runs."""

    def __init__(self, since: float, chunk_s: float, write: Write) -> None:
        """`write(start, end)` returns the steps of start <= at < end; it is called for consecutive chunks, in order."""
        self._written_until = since
        self._chunk_s = chunk_s
        self._write = write
        self._by_device: dict[str, _DeviceSteps] = {}
        self._step_times: list[float] = []
        self._times: list[float] = []
        self._transitions: list[TrueTransition] = []
        self._growing = threading.Lock()

    def step(self, device: str, at: float) -> PowerStep | None:
        """Return the step that holds for `device` at `at`, or None before its first."""
        self._grow(at)
        steps_of_device = self._by_device.get(device)
        if steps_of_device is None:
            return None
        index = bisect_right(steps_of_device.times, at)
        return steps_of_device.steps[index - 1] if index else None

    def transitions(self, since: float, until: float) -> list[TrueTransition]:
        """Return what truly switched in `since < at <= until`, oldest first."""
        self._grow(until)
        return self._transitions[bisect_right(self._times, since) : bisect_right(self._times, until)]

    def step_times(self, since: float, until: float) -> list[float]:
        """Return when something changed in `since < at < until`: also the watts of a device that stays on."""
        self._grow(until)
        return self._step_times[bisect_right(self._step_times, since) : bisect_left(self._step_times, until)]

    def before(self, transition: TrueTransition) -> TrueTransition | None:
        """Return how the same device switched the last time before this transition."""
        changes = self._by_device[transition.device].changes
        index = bisect_left(changes, transition.at, key=_when)
        return changes[index - 1] if index else None

    def after(self, transition: TrueTransition, until: float) -> TrueTransition | None:
        """Return how the same device switches next, up to `until`."""
        self._grow(until)
        changes = self._by_device[transition.device].changes
        index = bisect_right(changes, transition.at, key=_when)
        return changes[index] if index < len(changes) and changes[index].at <= until else None

    def _grow(self, at: float) -> None:
        while self._written_until <= at and self._written_until != math.inf:
            with self._growing:
                self._write_chunk(at)

    def _write_chunk(self, at: float) -> None:
        if self._written_until <= at:  # another thread may have been quicker
            end = self._written_until + self._chunk_s
            for step in sorted(self._write(self._written_until, end), key=lambda step: (step.at, step.device)):
                self._append(step)
            self._written_until = end

    def _append(self, step: PowerStep) -> None:
        steps_of_device = self._by_device.setdefault(step.device, _DeviceSteps())
        before = steps_of_device.steps[-1].state if steps_of_device.steps else "off"
        if step.state != before:
            transition = TrueTransition(step.device, KIND_OF[step.state], step.at)
            self._times.append(step.at)
            self._transitions.append(transition)
            steps_of_device.changes.append(transition)
        if not self._step_times or step.at > self._step_times[-1]:
            self._step_times.append(step.at)
        steps_of_device.times.append(step.at)
        steps_of_device.steps.append(step)


def _when(transition: TrueTransition) -> float:
    return transition.at


class House(Protocol):
    """A house whose every second is known beforehand. All times are unix seconds of the house's own timeline."""

    devices: tuple[Device, ...]
    switch_schedule: SwitchSchedule
    since: float  # nothing is known before
    begins: float  # where the live clock starts
    ends: float  # last second it knows; may be infinite

    def power_at(self, at: float) -> HousePower: ...

    def transitions(self, since: float, until: float) -> list[TrueTransition]:
        """Return what truly switched in `since < at <= until`, oldest first; a frame of second t shows all up to t."""
        ...
