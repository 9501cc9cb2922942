"""The ladder of a feed, pure: stream, else poll, else snapshot; when to try again, and when to climb."""

from dataclasses import dataclass, field, replace
from typing import Literal

from sense_mqtt.core.backoff import Backoff, Dice
from sense_mqtt.inbox import Rung

Mode = Literal["auto", "stream", "poll", "snapshot"]
FIRST_RUNG: dict[Mode, Rung] = {"auto": "stream", "stream": "stream", "poll": "poll", "snapshot": "snapshot"}

POLLABLE_FIRMWARE = (1, 64)  # SE#77: `realtime_update` needs monitor firmware 1.64


@dataclass(frozen=True, slots=True)
class Rules:
    """The figures of the ladder."""

    mode: Mode = "auto"
    poll_interval_s: float = 60.0
    spacing_s: float = 1.0  # between the end of one attempt and the next: Sense frees the old socket first
    backoff: Backoff = field(default_factory=Backoff)
    refusals_most: int = 3  # in a row, before stepping down
    cooldown_first_s: float = 900.0  # before the websocket is tried again; doubles
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


@dataclass(frozen=True, slots=True)
class Missing:
    """This monitor cannot be polled: older firmware, or 404."""

    why: str
    retry_after_s: float = 0.0


Outcome = Worked | Lost | Refused | Missing


@dataclass(frozen=True, slots=True)
class Ladder:
    """Where a feed stands. Times are on the caller's clock, in seconds."""

    rung: Rung = "stream"
    failures: int = 0  # attempts in a row that came to nothing
    refusals: int = 0  # of the websocket, in a row
    descents: int = 0  # steps down since the websocket last held
    next_at: float = 0.0  # no attempt before
    climb_at: float = 0.0  # the websocket is not tried again before


def settled(ladder: Ladder) -> Ladder:
    """The websocket holds: all is forgiven."""
    return replace(ladder, failures=0, refusals=0, descents=0)


def climb(ladder: Ladder, rules: Rules, now: float) -> Ladder:
    """Return to the websocket when its cool-down is over."""
    if rules.mode != "auto" or ladder.rung == "stream" or now < ladder.climb_at:
        return ladder
    return replace(ladder, rung="stream", refusals=0, failures=0)


def learn(ladder: Ladder, outcome: Outcome, rules: Rules, now: float, dice: Dice) -> Ladder:
    """Return where the feed stands after an attempt, and when the next one may be made."""
    after = _descend(_count(ladder, outcome), outcome, rules, now, dice)
    return replace(after, next_at=now + _wait_s(ladder, after, outcome, rules, dice))


def _count(ladder: Ladder, outcome: Outcome) -> Ladder:
    match outcome:
        case Worked():
            return settled(ladder) if ladder.rung == "stream" else replace(ladder, failures=0)
        case Refused():
            return replace(ladder, failures=ladder.failures + 1, refusals=ladder.refusals + 1)
        case Lost() | Missing():
            return replace(ladder, failures=ladder.failures + 1)


def _descend(ladder: Ladder, outcome: Outcome, rules: Rules, now: float, dice: Dice) -> Ladder:
    if rules.mode != "auto":
        return ladder
    if isinstance(outcome, Missing) and ladder.rung == "poll":
        return replace(ladder, rung="snapshot", failures=0)
    if ladder.rung != "stream" or not _gives_up(ladder, outcome, rules):
        return ladder
    cooldown_s = min(rules.cooldown_first_s * 2.0 ** min(ladder.descents, 32), rules.cooldown_most_s)
    climb_at = now + dice(cooldown_s, cooldown_s * 1.25)  # after an incident not every bridge at the same moment
    return replace(ladder, rung="poll", failures=0, refusals=0, descents=ladder.descents + 1, climb_at=climb_at)


def _gives_up(ladder: Ladder, outcome: Outcome, rules: Rules) -> bool:
    """An outage is no refusal; but a websocket on trial (we came from polling, which worked) gets one chance."""
    if isinstance(outcome, Worked):
        return False
    return ladder.descents > 0 or ladder.refusals >= rules.refusals_most


def _wait_s(before: Ladder, after: Ladder, outcome: Outcome, rules: Rules, dice: Dice) -> float:
    interval_s = rules.spacing_s if after.rung == "stream" else rules.poll_interval_s
    if isinstance(outcome, Worked):
        return interval_s
    asked_s = min(outcome.retry_after_s, rules.retry_after_most_s)
    if after.rung != before.rung:
        return max(asked_s, rules.spacing_s)
    return max(asked_s, interval_s, rules.backoff.wait_s(before.failures, dice))


def is_pollable(version: str) -> bool:
    """Whether this firmware answers `realtime_update`: compared as numbers, 1.100 is newer than 1.64 (facts 3.4)."""
    return _numbers(version) >= POLLABLE_FIRMWARE


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split("-")[0].split(".")[:2]
    return tuple(int(part) if part.isdecimal() else 0 for part in parts)
