"""Plain frames: those that show nothing new but that time has passed and some devices draw other watts.

Nearly all frames of a day are plain. What they show is only summed up here, within limits that were worked out once,
before the first of them (core/catch_up.py). All else that is known of the home stays as it was before them, until
something is due or something else is observed: then `catch_up` makes up for all of them together.
"""

import math
import operator
from collections.abc import Iterable, Mapping
from itertools import compress
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec.structs import replace

from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.transitions.timing import CONTINUOUS_S
from sense_mqtt.core.wire.devices import DevicePower
from sense_mqtt.core.wire.frames import RealtimeUpdate

SLACK_S = 0.001  # of a sum of floats: what is looked at too early is not due yet, and waits on

Watts = list[float]  # of the house's figures, then of each device in the order of `Limits.ids`
Span = tuple[float, float]  # W, from the first to below the second
ANY_W: Span = (0.0, math.inf)
NO_OTHER_W: Span = (math.inf, math.inf)


class Bounds(msgspec.Struct, frozen=True):
    """Within what a plain frame is of no concern to a capability, and when it is due to look at one."""

    due: float = math.inf  # monotonic s
    due_epoch: float = math.inf  # s UTC of the frame
    until_epoch: float = math.inf  # the same: a frame of then is not plain
    solar_less_w: tuple[float, float] = (-math.inf, math.inf)  # W of solar power less consumption: between these two
    most_w: Mapping[str, float] = MappingProxyType({})  # of devices

    def is_due(self, epoch: float, now: float) -> bool:
        """True where a frame is to be looked at; `now`: monotonic s."""
        return self.due - SLACK_S <= now or self.due_epoch <= epoch


NEVER = Bounds(due=-math.inf)  # no frame is plain


class Limits(msgspec.Struct, frozen=True):
    """What a frame must keep to, so that it is plain."""

    policy: Any  # a `Policy`, what was configured: with another one all is worked out anew
    ids: tuple[str, ...]  # of the devices that it must list
    spans_w: tuple[Span, ...]  # of each of them
    known_ids: frozenset[str]  # Sense's ids that need no description
    is_translated: bool  # some of these have other ids in frames
    has_solar: bool
    silence_s: float  # after so long without a frame the home is `offline`
    bounds: Mapping[str, Bounds]  # of each capability, by its key
    together: Bounds  # all of these
    held_until: Mapping[str, float]  # monotonic s: from then on other watts of a device are published
    always_on: int | None = None  # the place of that device among the watts
    shares_w: float = 0.0  # of plugs, which its row holds a second time


class Second(msgspec.Struct, frozen=True):
    """What the first frame of a second shows. Sense sends two frames with the same whole second."""

    epoch: float  # s UTC
    watts: Watts


class PlainFrames(msgspec.Struct, frozen=True):
    """What plain frames have shown since something else was observed."""

    limits: Limits
    first: tuple[DevicePower, ...]  # the rows of the frame before them, in the order of the limits
    since: float  # s UTC, of that frame
    frame: RealtimeUpdate  # the newest
    rows: tuple[DevicePower, ...]  # of it, in the order of the limits
    epoch: float  # of it, s UTC
    arrived: float  # monotonic s
    due: float  # monotonic s: then something is to be published, or a capability is to look at a frame
    held_ws: Watts  # of each device: its watts last until the next frame
    begun: Second | None = None  # the first that began within these frames
    newest: Second | None = None
    doubled_ws: Watts = []  # between these two, the watts as a straight line from one second to the next: twice its sum

    @property
    def is_due(self) -> bool:
        """True where the newest frame is to be looked at."""
        return self.due - SLACK_S <= self.arrived or self.limits.together.due_epoch <= self.epoch


def take_in(plain: PlainFrames, update: RealtimeUpdate, now: Moment) -> PlainFrames | None:
    """Return what plain frames have shown, with one more; None where this one is not plain."""
    epoch, limits, due = update.epoch, plain.limits, plain.due
    held_until = limits.held_until
    if epoch is None or not _keeps_to(plain, update, epoch, now.monotonic):
        return None
    rows = tuple(map(update.rows.get, limits.ids))
    others = map(operator.ne, rows, plain.rows)
    for row, first, (least_w, below_w) in compress(zip(rows, plain.first, limits.spans_w, strict=True), others):
        if row is None or row.w is None or not least_w <= row.w < below_w:
            return None
        if row.name != first.name or row.attrs != first.attrs or row.always_on_w != first.always_on_w:
            return None
        if (until := held_until.get(row.id)) is not None and until < due:
            due = until
    after = replace(plain, frame=update, rows=rows, epoch=epoch, arrived=now.monotonic, due=due)
    return after if epoch == plain.epoch else _add_step(after, plain)


def _keeps_to(plain: PlainFrames, update: RealtimeUpdate, epoch: float, now: float) -> bool:
    """True where a frame follows closely and is within all limits but those of its rows."""
    limits, bounds = plain.limits, plain.limits.together
    return (
        0.0 <= epoch - plain.epoch <= CONTINUOUS_S
        and 0.0 <= now - plain.arrived < limits.silence_s
        and epoch < bounds.until_epoch
        and len(update.devices) == len(limits.ids)
        and not update.new_devices
        and (update.solar_w is not None) is limits.has_solar
        and (update.solar_w is None or bounds.solar_less_w[0] < update.solar_w - update.w < bounds.solar_less_w[1])
    )


def _add_step(after: PlainFrames, before: PlainFrames) -> PlainFrames:
    """Return plain frames with the time since the frame before: the newest is the first of its second."""
    step_s, last = after.epoch - before.epoch, before.newest
    held_ws = [ws + (row.w or 0.0) * step_s for ws, row in zip(before.held_ws, before.rows, strict=True)]
    newest = Second(after.epoch, _watts(after))
    if last is None:
        return replace(after, held_ws=held_ws, begun=newest, newest=newest, doubled_ws=[0.0] * len(newest.watts))
    step_s = after.epoch - last.epoch
    steps = zip(before.doubled_ws, last.watts, newest.watts, strict=True)
    doubled_ws = [ws + (first + second) * step_s for ws, first, second in steps]
    return replace(after, held_ws=held_ws, newest=newest, doubled_ws=doubled_ws)


def _watts(plain: PlainFrames) -> Watts:
    watts = [*house_watts(plain.frame), *[row.w or 0.0 for row in plain.rows]]  # each has watts
    if plain.limits.always_on is not None:
        watts[plain.limits.always_on] -= plain.limits.shares_w
    return watts


def house_watts(frame: RealtimeUpdate) -> tuple[float, ...]:
    """Return the watts of the house's consumption; with solar, also of production, from and to grid."""
    if frame.solar_w is None:
        return (frame.w,)
    net = frame.w - frame.solar_w
    return frame.w, frame.solar_w, max(net, 0.0), max(-net, 0.0)


def all_together(bounds: Iterable[Bounds]) -> Bounds:
    """Return the bounds within which a frame is of no concern to any of these."""
    bounds, most_w = tuple(bounds), dict[str, float]()
    for each in bounds:
        most_w |= {device: min(watts, most_w.get(device, math.inf)) for device, watts in each.most_w.items()}
    return Bounds(
        due=min(each.due for each in bounds),
        due_epoch=min(each.due_epoch for each in bounds),
        until_epoch=min(each.until_epoch for each in bounds),
        solar_less_w=(max(each.solar_less_w[0] for each in bounds), min(each.solar_less_w[1] for each in bounds)),
        most_w=most_w,
    )
