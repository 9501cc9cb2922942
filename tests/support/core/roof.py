"""A made-up roof whose sky is known, and what is said of it."""

from collections.abc import Callable
from math import pi, sin
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from sense_mqtt.core.capability import Observation
from sense_mqtt.core.changes import Change, Reading
from sense_mqtt.core.home.state import Home, Policy, Steady, Tick
from sense_mqtt.core.publishing.reading_text import payload_of
from sense_mqtt.core.readings.capability_readings import update_capabilities
from sense_mqtt.core.solar.sky import SKY
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.wire.frames import RealtimeUpdate
from tests.support.core.builders import HOME, policy

DAY_S = 86_400
FIRST_DAY = 20_700  # since 1970, in September 2026
NEVER_STALE = policy(stale_after_s=2 * DAY_S)

Share = Callable[[float], float]  # of what a clear sky would give, by the hour of the day


def clear_w(hour: float) -> float:
    """Return what the roof gives under a clear sky: 4 kW at 12 UTC, dark from 18 to 6."""
    return max(0.0, 4000.0 * sin(pi * (hour - 6.0) / 12.0))


def clear(_hour: float) -> float:
    return 1.0


class Watched(Struct, frozen=True):
    """A home after some time, and what was said until then: (hours since the first day, payload)."""

    home: Home = HOME
    hours: float = 0.0  # of the roof's clock
    elapsed: float = 0.0  # hours of the monotonic clock
    skies: tuple[tuple[float, str], ...] = ()
    expected: tuple[tuple[float, str], ...] = ()
    others: tuple[Any, ...] = ()  # all that is no reading

    @property
    def sky(self) -> str:
        return self.skies[-1][1]


def watch(
    before: Watched,
    days: float,
    share: Share = clear,
    *,
    step_s: float = 900.0,
    wanted: Policy = NEVER_STALE,
    roof: Callable[[float], float] = clear_w,
) -> Watched:
    """Show the roof for so many days, each step a frame."""
    home, skies, expected, others = before.home, list(before.skies), list(before.expected), list(before.others)
    for step in range(round(days * DAY_S / step_s)):
        hours = before.hours + step * step_s / 3600
        watts = roof(hours % 24) * share(hours % 24) - 2.6
        time = FIRST_DAY * DAY_S + hours * 3600
        now = Moment(time, (before.elapsed + step * step_s / 3600) * 3600)
        home, changes = _observe(home, RealtimeUpdate(w=500.0, epoch=time, solar_w=watts), now, wanted)
        for change in changes:
            if isinstance(change, Reading) and change.key == "sky":
                skies.append((hours, payload_of(change)))
            elif isinstance(change, Reading) and change.key == "expected_solar_power":
                expected.append((hours, payload_of(change)))
            elif not isinstance(change, Reading):
                others.append(change)
    return Watched(
        home, before.hours + 24 * days, before.elapsed + 24 * days, tuple(skies), tuple(expected), tuple(others)
    )


def pass_time(before: Watched, hours: float, wanted: Policy = NEVER_STALE) -> Watched:
    """Let so many hours go by without a frame, with a Tick every quarter of an hour."""
    home, skies = before.home, list(before.skies)
    for quarter in range(1, round(hours * 4) + 1):
        at = before.hours + quarter / 4
        now = Moment(FIRST_DAY * DAY_S + at * 3600, (before.elapsed + quarter / 4) * 3600)
        home, changes = _observe(home, Tick(), now, wanted)
        skies += [(at, payload_of(c)) for c in changes if isinstance(c, Reading) and c.key == "sky"]
    after = replace(before, home=home, hours=before.hours + hours, elapsed=before.elapsed + hours)
    return replace(after, skies=tuple(skies))


def _observe(home: Home, seen: RealtimeUpdate | Tick, now: Moment, wanted: Policy) -> tuple[Home, tuple[Change, ...]]:
    """Let the capability alone observe: a hundred thousand frames must not take minutes."""
    frame = isinstance(seen, RealtimeUpdate)
    after = replace(home, last_frame=seen, steady=Steady(time=now.wall)) if frame else home
    return update_capabilities(Observation(home, after, seen, (), now, wanted), [SKY])
