"""The fallback of a feed from stream to poll to snapshot, the waits between attempts, and the way back. Pure."""

from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from sense_mqtt.core.backoff import Backoff, Uniform
from sense_mqtt.items import Transport

Mode = Literal["auto", "stream", "poll", "snapshot"]
FIRST_TRANSPORT: dict[Mode, Transport] = {"auto": "stream", "stream": "stream", "poll": "poll", "snapshot": "snapshot"}

POLLABLE_FIRMWARE = (1, 64)  # SE#77: `realtime_update` needs monitor firmware 1.64


class FallbackRules(Struct, frozen=True):
    """Limits and waits of the fallback."""

    mode: Mode = "auto"
    poll_interval_s: float = 60.0
    spacing_s: float = 1.0  # between the end of one attempt and the next: Sense frees the old socket first
    rejection_spacing_s: float = (
        5.0  # shortest wait after a first rejection, so that an outage of seconds does not end streaming
    )
    backoff: Backoff = field(default_factory=Backoff)
    max_rejections: int = 3  # in a row, before falling back
    max_network_failures: int = 6  # in a row, before falling back; a minute or more
    cooldown_first_s: float = 300.0  # before the websocket is tried again; doubles
    cooldown_max_s: float = 14_400.0
    retry_after_max_s: float = 3_600.0


class Success(Struct, frozen=True):
    """Frames came, as many as this transport can bring."""

    reason: str


class NetworkFailure(Struct, frozen=True):
    """Nothing came, or not for long: network, outage, silence. Sense did not reject us."""

    reason: str
    retry_after_s: float = 0.0


class Rejected(Struct, frozen=True):
    """Sense rejected this websocket: 429, 503, another status, or closed within seconds."""

    reason: str
    retry_after_s: float = 0.0
    is_rate_limit: bool = False  # HTTP 429


class Unsupported(Struct, frozen=True):
    """This monitor cannot be polled: older firmware, or 404."""

    reason: str
    retry_after_s: float = 0.0


class Locked(Struct, frozen=True):
    """Another process of ours holds this monitor's websocket."""

    reason: str
    retry_after_s: float = 0.0


Outcome = Success | NetworkFailure | Rejected | Unsupported | Locked


class Fallback(Struct, frozen=True):
    """The state of a feed. Times are monotonic, s."""

    transport: Transport = "stream"
    failures: int = 0  # failed attempts in a row on this transport
    rejections: int = 0  # of the websocket since it last was stable
    fallbacks: int = 0  # from stream to poll since the websocket last was stable
    next_at: float = 0.0  # no attempt before this
    stream_retry_at: float = 0.0  # the websocket is not tried again before this
    retry_after_until: float = 0.0  # nor before this, whatever else happens (Retry-After)


def reset(fallback: Fallback) -> Fallback:
    """Forget failures: the websocket is stable."""
    return replace(fallback, failures=0, rejections=0, fallbacks=0)


def retry_stream(fallback: Fallback, rules: FallbackRules, now: float) -> Fallback:
    """Choose the websocket again if its cool-down is over."""
    if (
        rules.mode != "auto"
        or fallback.transport == "stream"
        or now < max(fallback.stream_retry_at, fallback.retry_after_until)
    ):
        return fallback
    return replace(fallback, transport="stream", failures=0)


def attempt_started(fallback: Fallback, rules: FallbackRules, now: float, uniform: Uniform) -> Fallback:
    """Return the state to save when an attempt begins: that of a failure, in case the process is killed."""
    unfinished = NetworkFailure("unfinished")
    return replace(
        _count(fallback, unfinished, now), next_at=now + _wait_s(fallback, fallback, unfinished, rules, now, uniform)
    )


def attempt_finished(
    fallback: Fallback, outcome: Outcome, rules: FallbackRules, now: float, uniform: Uniform
) -> Fallback:
    """Return the state after an attempt, with the time of the next one."""
    after = _fall_back(_count(fallback, outcome, now), outcome, rules, now, uniform)
    return replace(after, next_at=now + _wait_s(fallback, after, outcome, rules, now, uniform))


def _count(fallback: Fallback, outcome: Outcome, now: float) -> Fallback:
    match outcome:
        case Success() if fallback.transport == "stream":
            return reset(fallback)
        case Success() if fallback.transport == "poll" and fallback.failures > 1:
            # An outage is over, perhaps for the websocket too; if not, that costs no further doubling.
            return replace(fallback, failures=0, stream_retry_at=now, fallbacks=max(fallback.fallbacks - 1, 1))
        case Success():
            return replace(fallback, failures=0, rejections=fallback.rejections if fallback.transport == "poll" else 0)
        case Rejected():
            return replace(fallback, failures=fallback.failures + 1, rejections=fallback.rejections + 1)
        case NetworkFailure() | Unsupported() | Locked():
            return replace(fallback, failures=fallback.failures + 1)


def _fall_back(fallback: Fallback, outcome: Outcome, rules: FallbackRules, now: float, uniform: Uniform) -> Fallback:
    if rules.mode != "auto":
        return fallback
    if isinstance(outcome, Unsupported) and fallback.transport == "poll":
        return replace(fallback, transport="snapshot", failures=0)
    if fallback.transport != "stream" or not _should_fall_back(fallback, outcome, rules):
        return fallback
    cooldown_s = min(rules.cooldown_first_s * 2.0 ** min(fallback.fallbacks, 32), rules.cooldown_max_s)
    return replace(
        fallback,
        transport="poll",
        failures=0,
        fallbacks=fallback.fallbacks + 1,
        stream_retry_at=now
        + uniform(cooldown_s, cooldown_s * 1.25),  # after an incident not every bridge at the same moment
        retry_after_until=now + _retry_after_s(outcome, rules),
    )


def _should_fall_back(fallback: Fallback, outcome: Outcome, rules: FallbackRules) -> bool:
    """True if the outcome ends the use of the websocket; after a cool-down it gets one attempt only."""
    match outcome:
        case Rejected():
            is_long = outcome.retry_after_s > rules.poll_interval_s  # meanwhile, polls tell more than nothing
            return fallback.fallbacks > 0 or fallback.rejections >= rules.max_rejections or is_long
        case NetworkFailure():
            return fallback.fallbacks > 0 or fallback.failures >= rules.max_network_failures
        case _:
            return False


def _wait_s(
    before: Fallback, after: Fallback, outcome: Outcome, rules: FallbackRules, now: float, uniform: Uniform
) -> float:
    interval_s = rules.spacing_s if after.transport == "stream" else rules.poll_interval_s
    if isinstance(outcome, Success):
        return interval_s
    if after.transport == "snapshot":
        interval_s = max(_snapshot_interval_s(after, rules), after.retry_after_until - now)
    if after.transport != before.transport:
        return interval_s if after.transport == "snapshot" else rules.spacing_s
    backoff_s = _rejection_wait_s if isinstance(outcome, Rejected) else _failure_wait_s
    return max(_retry_after_s(outcome, rules), interval_s, backoff_s(before.failures, rules, uniform))


def _failure_wait_s(failures: int, rules: FallbackRules, uniform: Uniform) -> float:
    return rules.backoff.wait_s(failures, uniform)


def _rejection_wait_s(failures: int, rules: FallbackRules, uniform: Uniform) -> float:
    """Return a wait whose minimum doubles too: with full jitter a rejecting feed would be asked every few seconds."""
    first_s = 2 * rules.rejection_spacing_s
    ceiling_s = Backoff(first_s, max(first_s, rules.backoff.most_s)).ceiling_s(failures)
    return uniform(ceiling_s / 2, ceiling_s)


def _snapshot_interval_s(fallback: Fallback, rules: FallbackRules) -> float:
    """Return the interval of snapshots, which doubles while the websocket rejects them too."""
    refusals = max(fallback.rejections - rules.max_rejections, 0)
    return min(rules.poll_interval_s * 2.0 ** min(refusals, 32), rules.cooldown_max_s)


def _retry_after_s(outcome: Outcome, rules: FallbackRules) -> float:
    return 0.0 if isinstance(outcome, Success) else min(outcome.retry_after_s, rules.retry_after_max_s)


def is_pollable(version: str) -> bool:
    """True if this firmware answers `realtime_update`; 1.100 is newer than 1.64."""
    return _numbers(version) >= POLLABLE_FIRMWARE


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split("-")[0].split(".")[:2]
    return tuple(int(part) if part.isdecimal() else 0 for part in parts)
