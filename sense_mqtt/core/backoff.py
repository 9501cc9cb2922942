"""The waits between attempts: full jitter below a ceiling that doubles."""

from collections.abc import Callable

from msgspec import Struct

Uniform = Callable[[float, float], float]  # a number between two others, as `random.uniform`

DOUBLINGS_MOST = 64  # past this any ceiling has long reached `most_s`, and a float would overflow


class Backoff(Struct, frozen=True):
    """How long to wait after so many failures in a row: between `least_s` and a ceiling that doubles up to `most_s`."""

    first_s: float = 1.0  # the first ceiling
    most_s: float = 300.0  # Sense's clients settled on 5 minutes (OH, CO, seeloesix)
    least_s: float = 0.1  # full jitter may draw 0, which would be no wait at all

    def ceiling_s(self, failures: int) -> float:
        """Return the longest wait after `failures` earlier failures."""
        return min(self.first_s * 2.0 ** min(failures, DOUBLINGS_MOST), self.most_s)

    def wait_s(self, failures: int, uniform: Uniform) -> float:
        """Return one wait after `failures` earlier failures, drawn by `uniform`."""
        ceiling_s = self.ceiling_s(failures)
        return uniform(min(self.least_s, ceiling_s), ceiling_s)


class Retries(Struct):
    """How often something has failed in a row, and so how long to wait before the next attempt."""

    backoff: Backoff
    uniform: Uniform
    failures: int = 0

    def next_wait_s(self) -> float:
        """Count one failure more; return the seconds to wait after it."""
        wait_s = self.backoff.wait_s(self.failures, self.uniform)
        self.failures += 1
        return wait_s

    def reset(self) -> None:
        """Note a success: the next failure is the first one again."""
        self.failures = 0
