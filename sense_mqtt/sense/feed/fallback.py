"""The ladder of a feed, pure: stream, else poll, else snapshot; when to try again, and when to climb."""

from dataclasses import dataclass, field, replace
from typing import Literal

from sense_mqtt.core.backoff import Backoff, Dice
from sense_mqtt.items import Rung

Mode = Literal["auto", "stream", "poll", "snapshot"]
FIRST_RUNG: dict[Mode, Rung] = {"auto": "stream", "stream": "stream", "poll": "poll", "snapshot": "snapshot"}

POLLABLE_FIRMWARE = (1, 64)  # SE#77: `realtime_update` needs monitor firmware 1.64


@dataclass(frozen=True, slots=True)
class Rules:
    """The figures of the ladder."""

    mode: Mode = "auto"
    poll_interval_s: float = 60.0
    spacing_s: float = 1.0  # between the end of one attempt and the next: Sense frees the old socket first
    refusal_spacing_s: float = 5.0  # the least after a first refusal: an outage of seconds is not to cost the websocket
    backoff: Backoff = field(default_factory=Backoff)
    refusals_most: int = 3  # in a row, before stepping down
    losses_most: int = 6  # the same of attempts that the network ate; a minute or more
    cooldown_first_s: float = 300.0  # before the websocket is tried again; doubles
    cooldown_most_s: float = 14_400.0
    retry_after_most_s: float = 3_600.0


@dataclass(frozen=True, slots=True)
class Worked:
    """Frames came, as many as this rung can bring."""

    why: str


@dataclass(frozen=True, slots=True)
class Lost:
    """Nothing came, or not for long: the network, an outage, silence. Not Sense's will."""

    why: str
    retry_after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Refused:
    """Sense does not want this websocket: 429, 503, another refusal, or closed within seconds."""

    why: str
    retry_after_s: float = 0.0
    limits: bool = False  # it said that we ask too much (429)


@dataclass(frozen=True, slots=True)
class Missing:
    """This monitor cannot be polled: older firmware, or 404."""

    why: str
    retry_after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Held:
    """Another process of ours holds this monitor's websocket."""

    why: str
    retry_after_s: float = 0.0


Outcome = Worked | Lost | Refused | Missing | Held


@dataclass(frozen=True, slots=True)
class Ladder:
    """Where a feed stands. Times are on the caller's clock, in seconds."""

    rung: Rung = "stream"
    failures: int = 0  # attempts in a row, on this rung, that came to nothing
    refusals: int = 0  # of the websocket, since it last brought something
    descents: int = 0  # steps down since the websocket last held
    next_at: float = 0.0  # no attempt before
    climb_at: float = 0.0  # the websocket is not tried again before
    barred_until: float = 0.0  # nor before, whatever else happens: Sense said so (Retry-After)


def settled(ladder: Ladder) -> Ladder:
    """The websocket holds: all is forgiven."""
    return replace(ladder, failures=0, refusals=0, descents=0)


def climb(ladder: Ladder, rules: Rules, now: float) -> Ladder:
    """Return to the websocket when its cool-down is over."""
    if rules.mode != "auto" or ladder.rung == "stream" or now < max(ladder.climb_at, ladder.barred_until):
        return ladder
    return replace(ladder, rung="stream", failures=0)


def begun(ladder: Ladder, rules: Rules, now: float, dice: Dice) -> Ladder:
    """Return where the feed stands, should the attempt that begins now be cut short by the end of the process."""
    unfinished = Lost("unfinished")
    return replace(_count(ladder, unfinished, now), next_at=now + _wait_s(ladder, ladder, unfinished, rules, now, dice))


def learn(ladder: Ladder, outcome: Outcome, rules: Rules, now: float, dice: Dice) -> Ladder:
    """Return where the feed stands after an attempt, and when the next one may be made."""
    after = _descend(_count(ladder, outcome, now), outcome, rules, now, dice)
    return replace(after, next_at=now + _wait_s(ladder, after, outcome, rules, now, dice))


def _count(ladder: Ladder, outcome: Outcome, now: float) -> Ladder:
    match outcome:
        case Worked() if ladder.rung == "stream":
            return settled(ladder)
        case Worked() if ladder.rung == "poll" and ladder.failures > 1:
            # An outage is over, perhaps for the websocket too; where it is not, that costs no further doubling.
            return replace(ladder, failures=0, climb_at=now, descents=max(ladder.descents - 1, 1))
        case Worked():
            return replace(ladder, failures=0, refusals=ladder.refusals if ladder.rung == "poll" else 0)
        case Refused():
            return replace(ladder, failures=ladder.failures + 1, refusals=ladder.refusals + 1)
        case Lost() | Missing() | Held():
            return replace(ladder, failures=ladder.failures + 1)


def _descend(ladder: Ladder, outcome: Outcome, rules: Rules, now: float, dice: Dice) -> Ladder:
    if rules.mode != "auto":
        return ladder
    if isinstance(outcome, Missing) and ladder.rung == "poll":
        return replace(ladder, rung="snapshot", failures=0)
    if ladder.rung != "stream" or not _gives_up(ladder, outcome, rules):
        return ladder
    cooldown_s = min(rules.cooldown_first_s * 2.0 ** min(ladder.descents, 32), rules.cooldown_most_s)
    return replace(
        ladder,
        rung="poll",
        failures=0,
        descents=ladder.descents + 1,
        climb_at=now + dice(cooldown_s, cooldown_s * 1.25),  # after an incident not every bridge at the same moment
        barred_until=now + _asked_s(outcome, rules),
    )


def _gives_up(ladder: Ladder, outcome: Outcome, rules: Rules) -> bool:
    """A websocket on trial (we came from polling, which worked) gets one chance."""
    match outcome:
        case Refused():
            is_long = outcome.retry_after_s > rules.poll_interval_s  # meanwhile, polls tell more than nothing
            return ladder.descents > 0 or ladder.refusals >= rules.refusals_most or is_long
        case Lost():
            return ladder.descents > 0 or ladder.failures >= rules.losses_most
        case _:
            return False


def _wait_s(before: Ladder, after: Ladder, outcome: Outcome, rules: Rules, now: float, dice: Dice) -> float:
    interval_s = rules.spacing_s if after.rung == "stream" else rules.poll_interval_s
    if isinstance(outcome, Worked):
        return interval_s
    if after.rung == "snapshot":
        interval_s = max(_rest_s(after, rules), after.barred_until - now)
    if after.rung != before.rung:
        return interval_s if after.rung == "snapshot" else rules.spacing_s
    backoff_s = _refusal_wait_s if isinstance(outcome, Refused) else _loss_wait_s
    return max(_asked_s(outcome, rules), interval_s, backoff_s(before.failures, rules, dice))


def _loss_wait_s(failures: int, rules: Rules, dice: Dice) -> float:
    return rules.backoff.wait_s(failures, dice)


def _refusal_wait_s(failures: int, rules: Rules, dice: Dice) -> float:
    """Return a wait of which the least doubles too: full jitter could ask a feed that refuses every few seconds."""
    first_s = 2 * rules.refusal_spacing_s
    ceiling_s = Backoff(first_s, max(first_s, rules.backoff.most_s)).ceiling_s(failures)
    return dice(ceiling_s / 2, ceiling_s)


def _rest_s(ladder: Ladder, rules: Rules) -> float:
    """A websocket that refuses also snapshots is asked more and more seldom."""
    refusals = max(ladder.refusals - rules.refusals_most, 0)
    return min(rules.poll_interval_s * 2.0 ** min(refusals, 32), rules.cooldown_most_s)


def _asked_s(outcome: Outcome, rules: Rules) -> float:
    return 0.0 if isinstance(outcome, Worked) else min(outcome.retry_after_s, rules.retry_after_most_s)


def is_pollable(version: str) -> bool:
    """Whether this firmware answers `realtime_update`: compared as numbers, 1.100 is newer than 1.64 (facts 3.4)."""
    return _numbers(version) >= POLLABLE_FIRMWARE


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split("-")[0].split(".")[:2]
    return tuple(int(part) if part.isdecimal() else 0 for part in parts)
