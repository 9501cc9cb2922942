"""What a broker could not take for the moment, until it goes again."""

from typing import Generic, TypeVar

T = TypeVar("T")

AGAIN_S = 10.0


class Postponed(Generic[T]):
    """Messages that wait for AGAIN_S, in their order."""

    def __init__(self) -> None:
        self.waiting: list[T] = []
        self._again_at: float | None = None  # monotonic seconds

    def add(self, message: T) -> None:
        self.waiting.append(message)

    def take_due(self, now: float) -> list[T]:
        """Return what has waited long enough at `now` (monotonic); the first call after `add` begins to count."""
        if self.waiting and self._again_at is None:
            self._again_at = now + AGAIN_S
        return self.take_all() if self._again_at is not None and now >= self._again_at else []

    def take_all(self) -> list[T]:
        waiting, self.waiting, self._again_at = self.waiting, [], None
        return waiting

    def __len__(self) -> int:
        return len(self.waiting)
