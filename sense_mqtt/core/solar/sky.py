"""Sky, as a capability: how cloudy it is, by what the roof gives beside what it would give under a clear sky.

Docs: docs/sun.md, with what was measured. Solar power is sampled every 10 s into quarters of an hour, and judged every
five minutes over the last hour at most, as one roof and a whole sky agree over an hour and not within it.
All times are those of the frames (seconds UTC), so that a replay says the same.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from sense_mqtt.core.capability import HOUSE, Capability, Documents, Observation, Update
from sense_mqtt.core.changes import Reading
from sense_mqtt.core.entity import Entity, number_entity
from sense_mqtt.core.home.plain_frames import Bounds
from sense_mqtt.core.home.state import Home, Policy, Tick
from sense_mqtt.core.solar.clear_sky_profile import (
    REMEMBERED_DAYS,
    SLOT_S,
    SLOTS,
    SLOTS_OF_AN_HOUR,
    Profile,
    Watts,
    are_of_a_day,
    learn,
)
from sense_mqtt.core.solar_rules import SolarRules
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.wire.devices import is_finite, list_of, number

SAMPLE_S = 10.0
JUDGE_S = 300.0
MISSING_S = 3600.0  # without solar power for longer, nothing of the window is left

# Of what the roof gives under a clear sky. `partly` begins where level ground has 40 % of the clear sky's irradiance,
# `clear` where it has 80 %: a roof that leans towards the sun gives 31 to 35 % and 74 to 80 % then, as less of the
# light is direct (Erbs, Klein, Duffie 1982) and none of what is not comes from one side.
PARTLY_FROM = 0.33
CLEAR_FROM = 0.77
HYSTERESIS = 0.03  # a class that was left is not entered again at its edge
MAX_SHARE = 1.15  # of a clear sky's: the edges of clouds brighten the sun: what is above does not make up for shade
COVERED_BELOW = 0.03  # no cloud is so dark: snow, or the inverter is off
JUDGED_FROM = 0.15  # of the peak: below, most of the light is not direct, and the same under clouds
SEEN_FROM = 0.03  # of the peak: below, it is dusk
GROWN_ROOF_RATIO = 1.3  # times the most that was ever seen: more than a season or a cloud's edge makes of it

CLASSES: Final = ("overcast", "partly", "clear")
SKIES: Final = ("night", *CLASSES, "unknown")


class Slot(Struct, frozen=True):
    """What was sampled in a quarter of an hour."""

    number: int  # since 1970
    total_w: float
    samples: int

    @property
    def mean_w(self) -> float:
        return self.total_w / self.samples


class SkyState(Struct, frozen=True):
    """What is known of one roof."""

    sky: str = "unknown"
    judged_at: float | None = None
    sampled_at: float | None = None
    seen_at: float | None = None  # monotonic s of the newest sample; None: none of this process
    window: tuple[Slot, ...] = ()  # at most SLOTS_OF_AN_HOUR, the present one last
    days: Mapping[int, Watts] = field(default_factory=lambda: MappingProxyType({}))  # by number since 1970
    most_w: float = 0.0  # of an hour, on the days before, since it was learned anew
    profile: Profile | None = None  # None: to be learned from `days`


class Sky(Capability[SkyState]):
    """State: `SkyState`; stored is all but the profile, each day a row of half a kB, every hour and with the sky."""

    key = "sky"
    initial = SkyState()
    monitor_entities = (
        Entity(
            key="sky",
            name="Sky",
            topic="sky",
            description="`night`, `overcast`, `partly`, `clear`, or `unknown` until enough was learned (docs/sun.md)",
            icon="mdi:weather-partly-cloudy",
            device_class="enum",
            options=SKIES,
            solar_only=True,
        ),
        replace(
            number_entity("W", "power", 1, 0),
            key="expected_solar_power",
            name="Expected solar power",
            topic="expected_solar_power",
            description="W, what this roof gives at this time under a clear sky; absent until learned",
            throttle="minute",
            solar_only=True,
        ),
    )

    def passes_over(self, state: SkyState, home: Home, now: Moment, policy: Policy) -> Bounds:  # noqa: ARG002
        has_solar = home.last_frame is not None and home.last_frame.solar_w is not None
        return Bounds(due_epoch=(state.sampled_at or -math.inf) + SAMPLE_S) if has_solar else Bounds()

    def update(self, state: SkyState, observation: Observation) -> Update[SkyState]:
        frame = observation.frame
        if frame is None:
            return _pass_time(state, observation)
        time = frame.epoch
        if frame.solar_w is None or time is None or _is_soon(state.sampled_at, time, SAMPLE_S):
            return Update(state)
        slot = int(time // SLOT_S)
        after = _sample(state, slot, frame.solar_w)
        profile = _profile(after, slot // SLOTS, observation.policy.solar)
        most_w = max(after.most_w, profile.most_w)
        after = replace(after, sampled_at=time, seen_at=observation.now.monotonic, profile=profile, most_w=most_w)
        if not _is_soon(state.judged_at, time, MISSING_S):
            after = replace(after, sky="unknown")  # what it was is too long ago to go on with
        if not _is_soon(state.judged_at, time, JUDGE_S):
            after = _notice_growth(replace(after, sky=_judge(after, profile), judged_at=time), profile)
        is_new_hour = bool(state.window) and state.window[-1].number // SLOTS_OF_AN_HOUR != slot // SLOTS_OF_AN_HOUR
        return Update(after, _readings(after, profile), store=is_new_hour or after.sky != state.sky)

    def tick_after_s(self, state: SkyState, now: float) -> float:
        if state.seen_at is None or state.sky == "unknown":
            return math.inf
        return state.seen_at + MISSING_S + 1.0 - now

    def snapshot(self, state: SkyState) -> Documents:
        if not state.window and not state.days:
            return {}
        house = {
            "sky": state.sky,
            "judged_at": state.judged_at,
            "most_w": round(state.most_w, 1),
            "window": [[slot.number, round(slot.total_w, 1), slot.samples] for slot in state.window],
        }
        return {HOUSE: house, **{str(day): {"watts": list(watts)} for day, watts in state.days.items()}}

    def restore(self, documents: Documents) -> SkyState:
        house = documents.get(HOUSE, {})
        sky, window = house.get("sky"), list_of(house.get("window"))
        days = {day: list_of(document.get("watts")) for day, document in documents.items() if day.isdecimal()}
        return SkyState(
            sky=sky if sky in SKIES else "unknown",
            judged_at=number(house.get("judged_at")),
            window=tuple(Slot(*slot) for slot in window if _is_slot(slot))[-SLOTS_OF_AN_HOUR:],
            days={int(day): tuple(days[day]) for day in sorted(days) if are_of_a_day(days[day])},
            most_w=number(house.get("most_w")) or 0.0,
        )


SKY = Sky()


def _is_soon(before: float | None, time: float, interval_s: float) -> bool:
    return before is not None and 0.0 <= time - before < interval_s


def _pass_time(state: SkyState, observation: Observation) -> Update[SkyState]:
    """Time alone makes the sky unknown, once there is nothing of the last hour."""
    is_known = isinstance(observation.seen, Tick) and state.seen_at is not None and state.sky != "unknown"
    if not is_known or observation.now.monotonic - (state.seen_at or 0.0) <= MISSING_S:
        return Update(state)
    after = replace(state, sky="unknown", window=())
    return Update(_keep_last(state, after), [Reading(None, "sky", "unknown")], store=True)


def _sample(state: SkyState, slot: int, watts: float) -> SkyState:
    """Add a sample to the slot with this number; those before it are finished."""
    present = state.window[-1] if state.window else None
    if present is not None and present.number == slot:
        more = Slot(slot, present.total_w + watts, present.samples + 1)
        return replace(state, window=(*state.window[:-1], more))
    recent = [before for before in state.window if 0 < slot - before.number < SLOTS_OF_AN_HOUR]
    return _keep_last(state, replace(state, window=(*recent, Slot(slot, watts, 1))))


def _keep_last(before: SkyState, after: SkyState) -> SkyState:
    """Remember the slot that was the present one."""
    if not before.window:
        return after
    day, slot = divmod(before.window[-1].number, SLOTS)
    watts = list(before.days.get(day, (None,) * SLOTS))
    watts[slot] = round(before.window[-1].mean_w)
    others = [(other, known) for other, known in before.days.items() if other != day]
    return replace(after, days=dict([*others, (day, tuple(watts))][-REMEMBERED_DAYS - 1 :]))


def _profile(state: SkyState, day: int, rules: SolarRules) -> Profile:
    if state.profile is not None and state.profile.day == day:
        return state.profile
    return learn(state.days, day, rules.location)


def _notice_growth(state: SkyState, profile: Profile) -> SkyState:
    """Forget the roof where it gives more than it ever can have given."""
    mean_w = sum(slot.mean_w for slot in state.window) / SLOTS_OF_AN_HOUR  # less, where not a whole hour was seen
    if profile.is_learned and 0.0 < GROWN_ROOF_RATIO * state.most_w < mean_w:
        return replace(state, sky="unknown", days={}, most_w=0.0, profile=None)
    return state


def _judge(state: SkyState, profile: Profile) -> str:
    present, peak_w = state.window[-1], profile.peak_w
    slot = present.number % SLOTS
    expected_w = profile.expected_w[slot] or 0.0
    if profile.is_dark[slot]:
        return "unknown" if present.mean_w > SEEN_FROM * peak_w > 0.0 else "night"
    if not profile.is_learned:
        return "unknown"
    if expected_w < SEEN_FROM * peak_w or (expected_w < JUDGED_FROM * peak_w and state.sky in CLASSES):
        return state.sky
    share = _share(state.window, profile)
    if share < COVERED_BELOW and expected_w >= JUDGED_FROM * peak_w:
        return "unknown"
    return _classify(share, state.sky)


def _share(window: tuple[Slot, ...], profile: Profile) -> float:
    """Return what the roof gave within the window, as a share of what was expected."""
    given = expected = 0.0
    for slot in window:
        expected_w = profile.expected_w[slot.number % SLOTS] or 0.0
        given += min(slot.mean_w, MAX_SHARE * expected_w) * slot.samples
        expected += expected_w * slot.samples
    return given / expected


def _classify(share: float, before: str) -> str:
    partly_from = PARTLY_FROM + (HYSTERESIS if before == "overcast" else -HYSTERESIS if before in CLASSES else 0.0)
    clear_from = CLEAR_FROM + (-HYSTERESIS if before == "clear" else HYSTERESIS if before in CLASSES else 0.0)
    return "clear" if share >= clear_from else "partly" if share >= partly_from else "overcast"


def _readings(state: SkyState, profile: Profile) -> list[Reading]:
    slot = state.window[-1].number % SLOTS
    expected_w = 0.0 if profile.is_dark[slot] else profile.expected_w[slot]
    is_known = profile.is_learned and state.profile is profile  # else it was just forgotten
    return [Reading(None, "sky", state.sky), Reading(None, "expected_solar_power", expected_w if is_known else None)]


def _is_slot(slot: Any) -> bool:
    return len(list_of(slot)) == 3 and type(slot[0]) is type(slot[2]) is int and is_finite(slot[1]) and slot[2] > 0
