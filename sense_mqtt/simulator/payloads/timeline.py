"""Sense's timeline of a house: items that appear late, and are rewritten once a run has ended. Pure.

A run gives DeviceOn, then DeviceOff or DeviceIdle; `rewrite_after_s` later both become one DeviceWasOn, which keeps the
guid of its DeviceOn and holds both as children.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sense_mqtt.simulator.house.model import Device, House, TransitionKind, TrueTransition

TimelineEntry = dict[str, Any]

TYPE_OF: Mapping[TransitionKind, str] = {"turned_on": "DeviceOn", "turned_off": "DeviceOff", "idle": "DeviceIdle"}
VERB_OF: Mapping[TransitionKind, str] = {"turned_on": "turned on", "turned_off": "turned off", "idle": "is idle"}
KEY_OF: Mapping[TransitionKind, str] = {
    "turned_on": "device_turned_on",
    "turned_off": "device_turned_off",
    "idle": "device_idle",
}


@dataclass(slots=True)
class TimelineSettings:
    """How the timeline differs from the frames; may be changed at any time. House seconds."""

    offset_s: float = 0.0  # its clock is ahead of the frames' by so much
    delay_s: float = 2.0  # an item shows that long after it happened
    rewrite_after_s: float = 30.0  # DeviceOn and DeviceOff become DeviceWasOn that long after the end shows


@dataclass(frozen=True, slots=True)
class FalseRun:
    """A run that never was: the timeline tells of it, and takes it back. House seconds."""

    device: str
    start: float
    end: float
    shown_at: float
    removed_at: float

    @property
    def edges(self) -> list[TrueTransition]:
        return [
            TrueTransition(self.device, "turned_on", self.start),
            TrueTransition(self.device, "turned_off", self.end),
        ]


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True)
class Timeline:
    """The timeline of one monitor, as it stands at any house second."""

    house: House
    monitor: int
    user: int
    rules: TimelineSettings = field(default_factory=TimelineSettings)
    false_runs: list[FalseRun] = field(default_factory=list)

    def page(
        self, now: float, n_items: int = 30, device: str | None = None, prior_to: float | None = None
    ) -> TimelineEntry:
        """Return the answer of GET timeline: items older than `prior_to` (their own time), newest first.

        Items of one time are never torn apart, so a page may hold a few more than `n_items`.
        """
        latest = now - self.rules.delay_s
        if prior_to is not None:
            latest = min(latest, prior_to - self.rules.offset_s - 0.0005)
        found: list[TimelineEntry] = []
        window_s, until = 3600.0, latest
        while len(found) <= n_items and until > self.house.since:
            since = max(until - window_s, self.house.since - 1)
            found += self._between(since, until, now, device)
            until, window_s = since, window_s * 2
        kept = _cut(found, n_items)
        more = len(found) > len(kept)
        return {"more_items": more, "sticky_items": [self._found()], "user_id": self.user, "items": kept}

    def pushed_changes(self, before: float, now: float) -> TimelineEntry | None:
        """Return what `new_timeline_event` says of the time between, or None where nothing changed."""
        delay_s = self.rules.delay_s
        shown = self.house.transitions(before - delay_s, now - delay_s)
        late_s = delay_s + self.rules.rewrite_after_s
        ended = [(self._start(end), end) for end in self.house.transitions(before - late_s, now - late_s)]
        runs = [(start, end) for start, end in ended if start is not None]
        false = [edge for run in self.false_runs if before < run.shown_at <= now for edge in run.edges]
        gone = [edge for run in self.false_runs if before < run.removed_at <= now for edge in run.edges]
        if not (shown or runs or false or gone):
            return None
        return {
            "items_added": [self._pushed(transition) for transition in (*shown, *false)],
            "items_updated": [self._run(start, end) for start, end in runs],
            "items_removed": [*(self._single(end) for _, end in runs), *map(self._single, gone)],
            "user_id": self.user,
        }

    def _between(self, since: float, until: float, now: float, device: str | None) -> list[TimelineEntry]:
        items = []
        for transition in reversed(self.house.transitions(since, until)):
            if device is None or transition.device == device:
                item = self._item(transition, now)
                items += [item] if item is not None else []
        false = [edge for run in self.false_runs if run.shown_at <= now < run.removed_at for edge in run.edges]
        items += [self._single(e) for e in false if since < e.at <= until and device in (None, e.device)]
        return sorted(items, key=lambda item: str(item["time"]), reverse=True)

    def _item(self, transition: TrueTransition, now: float) -> TimelineEntry | None:
        """Return how this transition stands on the timeline at `now`; None for a start that its run has taken in."""
        rewritten_until = now - self.rules.delay_s - self.rules.rewrite_after_s
        if transition.kind == "turned_on":
            ended = self.house.switch_schedule.after(transition, rewritten_until) is not None
            return None if ended else self._single(transition)
        start = self._start(transition)
        if start is None or transition.at > rewritten_until:
            return self._single(transition)
        return self._run(start, transition)

    def _start(self, end: TrueTransition) -> TrueTransition | None:
        """Return the beginning of the run that ends here; None where no run ends here."""
        before = None if end.kind == "turned_on" else self.house.switch_schedule.before(end)
        return before if before is not None and before.kind == "turned_on" else None

    def _single(self, transition: TrueTransition) -> TimelineEntry:
        device = self._device(transition)
        return {
            "show_action": False,
            "allow_sticky": False,
            "time": iso(transition.at + self.rules.offset_s),
            "type": TYPE_OF[transition.kind],
            "icon": device.icon,
            "body": f"{device.name} {VERB_OF[transition.kind]}",
            "destination": f"device:{device.id}",
            "device_id": device.id,
            "device_state": TYPE_OF[transition.kind],
            "guid": self._guid(transition),
            "user_device_type": device.type,
            "monitor_id": self.monitor,
        }

    def _run(self, start: TrueTransition, end: TrueTransition) -> TimelineEntry:
        minutes = max(1, round((end.at - start.at) / 60))
        tail = ", now idle" if end.kind == "idle" else ""
        name = self._device(end).name
        return self._single(end) | {
            "type": "DeviceWasOn",
            "body": f"{name} was on for {minutes} minute{'s' if minutes > 1 else ''}{tail}",
            "start_time": iso(start.at + self.rules.offset_s),
            "guid": self._guid(start),
            "children": [self._single(end), self._single(start)],
        }

    def _pushed(self, transition: TrueTransition) -> TimelineEntry:
        """Return the item as the websocket tells it (2023 and later)."""
        name = {"@type": "String", "is_key": False, "value": self._device(transition).name}
        before = "On" if transition.kind != "turned_on" else "Off"
        told = {"body_key": KEY_OF[transition.kind], "body_args": [name], "device_transition_from_state": before}
        return self._single(transition) | told

    def _device(self, transition: TrueTransition) -> Device:
        """Return the device as it is shown now; one that was merged or has another id since, as it was shown then."""
        shown = {device.id: device for device in self.house.devices}
        if transition.device not in shown:
            moments = (transition.at, transition.at - 0.001)  # a device that turns off was listed just before
            shown = {each.device.id: each.device for at in moments for each in self.house.power_at(at).devices}
        return shown[transition.device]

    def _guid(self, transition: TrueTransition) -> str:
        seed = f"{self.monitor} {transition.device} {transition.kind} {transition.at:.3f}"
        made = hashlib.sha256(seed.encode()).hexdigest()
        return f"{made[:8]}-{made[8:12]}-4{made[13:16]}-8{made[17:20]}-{made[20:32]}"

    def _found(self) -> TimelineEntry:
        return {
            "show_action": False,
            "allow_sticky": True,
            "time": iso(self.house.since),
            "type": "Info",
            "subtype": "NewDeviceFound",
            "icon": "plug",
            "body": "Sense found your TP-Link Kasa plugs.",
            "destination": "devicelist",
            "guid": f"0f1e2d3c-4b5a-4968-8776-{self.monitor:012d}",
        }


def merge_pages(pages: list[TimelineEntry], n_items: int) -> TimelineEntry:
    """Return the page of an account with several monitors: their pages in one, newest first."""
    items = sorted((item for page in pages for item in page["items"]), key=lambda item: str(item["time"]), reverse=True)
    kept = _cut(items, n_items)
    more = len(items) > len(kept) or any(page["more_items"] for page in pages)
    sticky = [item for page in pages for item in page["sticky_items"]]
    return {"more_items": more, "sticky_items": sticky, "user_id": pages[0]["user_id"], "items": kept}


def _cut(items: list[TimelineEntry], n_items: int) -> list[TimelineEntry]:
    """Return the first items, and those of the same time as the last of them."""
    cut = min(n_items, len(items))
    while 0 < cut < len(items) and items[cut]["time"] == items[cut - 1]["time"]:
        cut += 1
    return items[:cut]
