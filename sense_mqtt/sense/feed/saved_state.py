"""What a feed must remember over restarts, and the lock that keeps it the only one of its monitor."""

import contextlib
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sense_mqtt.clock import Moment
from sense_mqtt.errors import StateError
from sense_mqtt.items import Transport
from sense_mqtt.sense.feed.fallback import FIRST_TRANSPORT, Fallback, FallbackRules
from sense_mqtt.sense.state_file import StateFile

logger = logging.getLogger(__name__)

TRANSPORTS: dict[str, Transport] = {"stream": "stream", "poll": "poll", "snapshot": "snapshot"}


class FeedStateFile:
    """The state of one monitor's feed, in a file. In memory times are monotonic, on disk wall clock."""

    def __init__(self, state_dir: Path, monitor: int) -> None:
        self._file = StateFile(state_dir / f"feed-{monitor}.json")
        self._warned = False

    def load(self, rules: FallbackRules, now: Moment) -> Fallback:
        """Return where the feed stood; no wait is longer than it can have been, whatever the clocks say."""
        first = Fallback(transport=FIRST_TRANSPORT[rules.mode], next_at=now.monotonic)
        stored = self._read()
        fallback = replace(
            first,
            transport=TRANSPORTS.get(str(stored.get("rung")), first.transport)
            if rules.mode == "auto"
            else first.transport,
            failures=_count(stored, "failures"),
            rejections=_count(stored, "refusals"),
            fallbacks=_count(stored, "descents"),
            stream_retry_at=now.monotonic + _left_s(stored, "climb_at", now.wall, rules.cooldown_max_s * 1.25),
            retry_after_until=now.monotonic + _left_s(stored, "barred_until", now.wall, rules.retry_after_max_s),
        )
        longest_s = max(rules.backoff.most_s, rules.poll_interval_s, rules.retry_after_max_s, rules.cooldown_max_s)
        return replace(fallback, next_at=now.monotonic + _left_s(stored, "next_at", now.wall, longest_s))

    def save(self, fallback: Fallback, now: Moment) -> None:
        """Remember where the feed stands; a feed that cannot remember works all the same."""
        content = {
            "rung": fallback.transport,
            "failures": fallback.failures,
            "refusals": fallback.rejections,
            "descents": fallback.fallbacks,
            "written_at": now.wall,
            "next_at": now.wall + fallback.next_at - now.monotonic,
            "climb_at": now.wall + fallback.stream_retry_at - now.monotonic,
            "barred_until": now.wall + fallback.retry_after_until - now.monotonic,
        }
        try:
            self._file.save(content, durable=False)  # a power cut may forget it, a crash may not
        except StateError as error:
            self._warn_once(error)

    def exclusive_lock(self) -> contextlib.AbstractContextManager[bool]:
        """Within the block no other process may hold this monitor's websocket; False where one does."""
        return self._file.exclusive_lock()

    def _read(self) -> Mapping[str, Any]:
        try:
            return self._file.load() or {}
        except StateError as error:
            self._warn_once(error)
            return {}

    def _warn_once(self, error: StateError) -> None:
        if not self._warned:
            logger.warning("%s", error)
        self._warned = True


def _count(stored: Mapping[str, Any], key: str) -> int:
    value = stored.get(key)
    return value if isinstance(value, int) and 0 <= value < 1_000 else 0


def _left_s(stored: Mapping[str, Any], key: str, wall: float, longest_s: float) -> float:
    value, written = stored.get(key), stored.get("written_at")
    if not isinstance(value, int | float):
        return 0.0
    # Where the clock was set back since, the wait is no longer than it was when it was written down.
    wait_s = value - written if isinstance(written, int | float) else longest_s
    return max(min(value - wall, wait_s, longest_s), 0.0)
