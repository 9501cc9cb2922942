"""The fallback state of one monitor's feed, in a file, and the lock that lets only one process open its websocket."""

import contextlib
import logging
from pathlib import Path
from typing import Annotated, Literal

from msgspec.structs import replace
from pydantic import Field

from sense_mqtt.clock import Moment
from sense_mqtt.errors import StateError
from sense_mqtt.sense.feed.fallback import FIRST_TRANSPORT, Fallback, FallbackRules
from sense_mqtt.sense.state_file import StateFile
from sense_mqtt.sense.state_model import StateModel

logger = logging.getLogger(__name__)

Count = Annotated[int, Field(ge=0, lt=1_000)]


class SavedFallback(StateModel):
    """Times are wall clock, s."""

    rung: Literal["stream", "poll", "snapshot"] | None = None
    failures: Count = 0
    refusals: Count = 0
    descents: Count = 0
    written_at: float | None = None
    next_at: float | None = None
    climb_at: float | None = None
    barred_until: float | None = None

    def wait_s(self, until: float | None, wall: float, longest_s: float) -> float:
        """Return the seconds from now to `until`; no longer than it can have been, whatever the clocks say."""
        if until is None:
            return 0.0
        # If the clock was set back since, the wait is no longer than it was when it was written.
        written_wait_s = longest_s if self.written_at is None else until - self.written_at
        return max(min(until - wall, written_wait_s, longest_s), 0.0)


class FeedStateFile:
    """Loads and saves. In memory times are monotonic, on disk wall clock."""

    def __init__(self, state_dir: Path, monitor: int) -> None:
        self._file = StateFile(state_dir / f"feed-{monitor}.json")
        self._warned = False

    def load(self, rules: FallbackRules, now: Moment) -> Fallback:
        """Return the saved state; a fresh one if there is none."""
        first = Fallback(transport=FIRST_TRANSPORT[rules.mode], next_at=now.monotonic)
        saved = self._read()

        def monotonic(until: float | None, longest_s: float) -> float:
            return now.monotonic + saved.wait_s(until, now.wall, longest_s)

        longest_s = max(rules.backoff.most_s, rules.poll_interval_s, rules.retry_after_max_s, rules.cooldown_max_s)
        return replace(
            first,
            transport=(saved.rung if rules.mode == "auto" else None) or first.transport,
            failures=saved.failures,
            rejections=saved.refusals,
            fallbacks=saved.descents,
            next_at=monotonic(saved.next_at, longest_s),
            stream_retry_at=monotonic(saved.climb_at, rules.cooldown_max_s * 1.25),
            retry_after_until=monotonic(saved.barred_until, rules.retry_after_max_s),
        )

    def save(self, fallback: Fallback, now: Moment) -> None:
        """Save the state. If that fails a warning is logged once, and the feed goes on."""
        ahead_s = now.wall - now.monotonic
        saved = SavedFallback(
            rung=None if fallback.transport == "paused" else fallback.transport,
            failures=fallback.failures,
            refusals=fallback.rejections,
            descents=fallback.fallbacks,
            written_at=now.wall,
            next_at=ahead_s + fallback.next_at,
            climb_at=ahead_s + fallback.stream_retry_at,
            barred_until=ahead_s + fallback.retry_after_until,
        )
        try:
            saved.save(self._file, durable=False)  # lost in a power cut, but not in a crash
        except StateError as error:
            self._warn_once(error)

    def exclusive_lock(self) -> contextlib.AbstractContextManager[bool]:
        """Within the block no other process may open this monitor's websocket; False if one has."""
        return self._file.exclusive_lock()

    def _read(self) -> SavedFallback:
        try:
            return SavedFallback.load(self._file)
        except StateError as error:
            self._warn_once(error)
            return SavedFallback()

    def _warn_once(self, error: StateError) -> None:
        if not self._warned:
            logger.warning("%s", error)
        self._warned = True
