"""What a feed must remember over restarts, and the lock that keeps it the only one of its monitor."""

import contextlib
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sense_mqtt.clock import Moment
from sense_mqtt.errors import StateError
from sense_mqtt.items import Rung
from sense_mqtt.sense.feed.fallback import FIRST_RUNG, Ladder, Rules
from sense_mqtt.sense.state_file import StateFile

log = logging.getLogger(__name__)

RUNGS: dict[str, Rung] = {"stream": "stream", "poll": "poll", "snapshot": "snapshot"}


class Berth:
    """The state of one monitor's feed, in a file. In memory times are monotonic, on disk wall clock."""

    def __init__(self, state_dir: Path, monitor: int) -> None:
        self._file = StateFile(state_dir / f"feed-{monitor}.json")
        self._complained = False

    def load(self, rules: Rules, now: Moment) -> Ladder:
        """Return where the feed stood; no wait is longer than it can have been, whatever the clocks say."""
        first = Ladder(rung=FIRST_RUNG[rules.mode], next_at=now.monotonic)
        stored = self._read()
        ladder = replace(
            first,
            rung=RUNGS.get(str(stored.get("rung")), first.rung) if rules.mode == "auto" else first.rung,
            failures=_count(stored, "failures"),
            refusals=_count(stored, "refusals"),
            descents=_count(stored, "descents"),
            climb_at=now.monotonic + _left_s(stored, "climb_at", now.wall, rules.cooldown_most_s * 1.25),
            barred_until=now.monotonic + _left_s(stored, "barred_until", now.wall, rules.retry_after_most_s),
        )
        longest_s = max(rules.backoff.most_s, rules.poll_interval_s, rules.retry_after_most_s, rules.cooldown_most_s)
        return replace(ladder, next_at=now.monotonic + _left_s(stored, "next_at", now.wall, longest_s))

    def save(self, ladder: Ladder, now: Moment) -> None:
        """Remember where the feed stands; a feed that cannot remember works all the same."""
        content = {
            "rung": ladder.rung,
            "failures": ladder.failures,
            "refusals": ladder.refusals,
            "descents": ladder.descents,
            "written_at": now.wall,
            "next_at": now.wall + ladder.next_at - now.monotonic,
            "climb_at": now.wall + ladder.climb_at - now.monotonic,
            "barred_until": now.wall + ladder.barred_until - now.monotonic,
        }
        try:
            self._file.save(content, durable=False)  # a power cut may forget it, a crash may not
        except StateError as error:
            self._complain(error)

    def claimed(self) -> contextlib.AbstractContextManager[bool]:
        """Within the block no other process may hold this monitor's websocket; False where one does."""
        return self._file.claimed()

    def _read(self) -> Mapping[str, Any]:
        try:
            return self._file.load() or {}
        except StateError as error:
            self._complain(error)
            return {}

    def _complain(self, error: StateError) -> None:
        if not self._complained:
            log.warning("%s", error)
        self._complained = True


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
