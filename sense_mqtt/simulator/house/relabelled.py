"""A house whose devices Sense merges, splits, renames and gives new ids while it runs. Pure."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from sense_mqtt.simulator.house.model import (
    Device,
    House,
    HousePower,
    ListedDevice,
    PowerStep,
    SwitchSchedule,
    TrueState,
    TrueTransition,
)

CHUNK_S = 86_400.0


@dataclass(frozen=True, slots=True)
class _View:
    """From `since` on, each device of the house below is shown as another one, several perhaps as one."""

    since: float
    shown: Mapping[str, Device]  # by the id below


class RelabelledHouse:
    """Another house, with what Sense makes of its devices. Nothing of what happens in the house changes by it.

    Energy and transitions of the past stay with the id that was shown then, as Sense keeps them.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self.since, self.begins, self.ends = house.since, house.begins, house.ends
        self._views = [_View(-math.inf, {device.id: device for device in house.devices})]
        self._rewrite()

    # --- what Sense does

    def merge(self, at: float, parent: Device) -> None:
        """Show the devices of `parent.merged` as `parent` from `at` on, in unix seconds."""
        self._show(at, {below: parent for below, device in self._shown().items() if device.id in parent.merged})

    def split(self, at: float, parent: str) -> None:
        """Show the devices that were merged into `parent` by themselves again."""
        first = self._views[0].shown
        self._show(at, {below: first[below] for below, device in self._shown().items() if device.id == parent})

    def change_id(self, at: float, device: str, new: str) -> None:
        """Give a device another id; all else of it, such as the DUID of a plug, stays."""
        self._show(
            at,
            {
                below: replace(shown, id=new, duid=shown.duid or shown.id)
                for below, shown in self._shown().items()
                if shown.id == device
            },
        )

    def rename(self, at: float, device: str, name: str) -> None:
        """Give a device another name."""
        self._show(at, {b: replace(shown, name=name) for b, shown in self._shown().items() if shown.id == device})

    def _shown(self) -> Mapping[str, Device]:
        return self._views[-1].shown

    def _show(self, at: float, changed: Mapping[str, Device]) -> None:
        if not changed:
            raise ValueError("no such device is shown")
        self._views.append(_View(at, {**self._shown(), **changed}))
        self._rewrite()

    def _rewrite(self) -> None:
        self.switch_schedule = SwitchSchedule(self.since, CHUNK_S, self._write)

    # --- the house

    @property
    def devices(self) -> tuple[Device, ...]:
        """The devices as they are shown now."""
        return tuple(dict.fromkeys(self._shown().values()))

    @property
    def known_devices(self) -> tuple[Device, ...]:
        """All devices that were ever shown, each id once, the newest first."""
        found: dict[str, Device] = {}
        for view in reversed(self._views):
            for device in view.shown.values():
                found.setdefault(device.id, device)
        return tuple(found.values())

    def power_at(self, at: float) -> HousePower:
        power = self._house.power_at(at)
        shown = self._view_at(at).shown
        together: dict[Device, ListedDevice] = {}
        for listed in power.devices:
            device = shown[listed.device.id]
            other = together.get(device)
            w, idle = (listed.w, listed.idle) if other is None else (other.w + listed.w, other.idle and listed.idle)
            together[device] = ListedDevice(device, w, idle)
        return replace(power, devices=tuple(together.values()))

    def transitions(self, since: float, until: float) -> list[TrueTransition]:
        changed = {view.since for view in self._views}
        return [each for each in self.switch_schedule.transitions(since, until) if each.at not in changed]

    def _view_at(self, at: float) -> _View:
        return next(view for view in reversed(self._views) if view.since <= at)

    def _write(self, start: float, end: float) -> Iterator[PowerStep]:
        times = {each.at for each in self._house.transitions(start - 0.001, end - 0.001)}
        times |= {view.since for view in self._views if start <= view.since < end}
        for at in sorted({start, *times}):
            yield from self._steps_at(at)

    def _steps_at(self, at: float) -> Iterator[PowerStep]:
        """Return a step of each device, also of those that are not shown any more."""
        shown = self._view_at(at).shown
        steps = [(device.id, self._house.switch_schedule.step(below, at)) for below, device in shown.items()]
        by_device = {device.id: PowerStep(at, device.id, "off") for device in self.known_devices}
        for device, group in groupby(sorted(steps, key=lambda pair: pair[0]), key=lambda pair: pair[0]):
            listed = [step for _, step in group if step is not None and step.state != "off"]
            if listed:
                state: TrueState = "on" if any(step.state == "on" for step in listed) else "idle"
                by_device[device] = PowerStep(at, device, state, sum(step.w for step in listed))
        yield from by_device.values()
