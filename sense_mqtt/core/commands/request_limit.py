"""How many requests are answered: so many a second are carried out, some more refused, the rest is only counted."""

from typing import Literal

REQUESTS_PER_S = 20
ROOM_FOR_LOOKUPS = 10  # answers: lookups that were begun get theirs
ROOM_FOR_REQUESTS = 50  # answers: refusals leave so much to the requests of the next seconds

Treatment = Literal["carry_out", "refuse", "count"]


class RequestLimit:
    """For the bridge's thread only."""

    def __init__(self) -> None:
        self._second = float("-inf")  # when the present one began, monotonic
        self._count = 0  # of requests in it

    def treat(self, now: float, room: int) -> Treatment:
        """Say what becomes of a request, where so many more answers can wait for the broker."""
        if now - self._second >= 1.0:
            self._second, self._count = now, 0
        self._count += 1
        if self._count <= REQUESTS_PER_S and room > ROOM_FOR_LOOKUPS:
            return "carry_out"
        return "refuse" if room > ROOM_FOR_REQUESTS else "count"
