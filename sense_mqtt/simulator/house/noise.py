"""Noise that is the same every time: a seeded table, looked up by second. Pure."""

import functools
import random

_SIZE = 4096


@functools.lru_cache(maxsize=16)
def _table(seed: int) -> tuple[float, ...]:
    """Return the table of a seed; houses are often made anew of a few seeds."""
    made = random.Random(seed)  # noqa: S311 - a made-up house, not a secret
    return tuple(made.gauss(0.0, 1.0) for _ in range(_SIZE))


class Noise:
    """Gaussian noise (mean 0, deviation 1) as a function of the time and a channel number."""

    def __init__(self, seed: int) -> None:
        self._table = _table(seed)

    def rough(self, at: float, channel: int = 0) -> float:
        """Return a value that is new every half second."""
        return self._table[(int(at * 2) * 7 + channel * 613) % _SIZE]

    def smooth(self, at: float, period_s: float, channel: int = 0) -> float:
        """Return a value that wanders over about `period_s` seconds."""
        whole, part = divmod(at / period_s, 1.0)
        first = self._table[(int(whole) * 31 + channel * 613) % _SIZE]
        second = self._table[((int(whole) + 1) * 31 + channel * 613) % _SIZE]
        return first + (second - first) * part
