"""When the next post to one webhook may begin: as a whole, and for each device whose events it refuses."""

import math
from collections.abc import Callable

from sense_mqtt.core.backoff import Backoff, Retries, Uniform

HOOK_BACKOFF = Backoff(first_s=1.0, most_s=300.0)


class PostSchedule:
    """Times of one hook, in monotonic seconds. A lane is the sequence of one device's events."""

    def __init__(self, uniform: Uniform, backoff: Backoff = HOOK_BACKOFF) -> None:
        self._make_retries: Callable[[], Retries] = lambda: Retries(backoff, uniform)
        self._whole = self._make_retries()
        self._whole_due = -math.inf
        self._lanes: dict[str, tuple[Retries, float]] = {}  # those whose last post was refused

    def due(self) -> float:
        """Return when any post may begin; one of a refused lane may have to wait longer."""
        return self._whole_due

    def waiting_lanes(self, now: float) -> frozenset[str]:
        """Return the lanes that may not be tried yet."""
        return frozenset(lane for lane, (_, due) in self._lanes.items() if due > now)

    def next_lane_due(self, now: float) -> float:
        """Return when the next of the waiting lanes may be tried; infinite where none waits."""
        return min((due for _, due in self._lanes.values() if due > now), default=math.inf)

    def delivered(self, lane: str) -> None:
        """Note that the hook took an event."""
        self._whole.reset()
        self._lanes.pop(lane, None)

    def refused(self, lane: str, now: float) -> None:
        """Note that the hook answers, but did not take an event of this lane: the other lanes go on."""
        self._whole.reset()
        retries, _ = self._lanes.get(lane, (self._make_retries(), 0.0))
        self._lanes[lane] = (retries, now + retries.next_wait_s())

    def away(self, now: float, retry_after_s: float) -> None:
        """Note that the hook takes nothing at present; `retry_after_s`: it asks for so long, 0: it does not say."""
        self._whole_due = now + max(self._whole.next_wait_s(), retry_after_s)
