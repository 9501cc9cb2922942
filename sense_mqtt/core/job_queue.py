"""What is due when: named jobs on the monotonic clock."""

import math
from collections.abc import Hashable


class JobQueue:
    """Jobs by name, each due once; whoever wants it again puts it in again."""

    def __init__(self) -> None:
        self._due: dict[Hashable, float] = {}
        self._next = math.inf  # no job is due before

    def put(self, job: Hashable, at: float) -> None:
        """Set the time of a job, whatever it was."""
        self._due[job] = at
        self._next = min(self._next, at)

    def advance(self, job: Hashable, at: float) -> None:
        """Set the time of a job unless it is due before."""
        self.put(job, min(at, self._due.get(job, at)))

    def take(self, now: float) -> list[Hashable]:
        """Return the jobs that are due, oldest first, and forget them."""
        if now < self._next:
            return []
        due = sorted((job for job, at in self._due.items() if at <= now), key=lambda job: self._due[job])
        for job in due:
            del self._due[job]
        self._next = min(self._due.values(), default=math.inf)
        return due
