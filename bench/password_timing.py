"""Does the time of a refusal tell how near a password of the page is? Wrong ones that share much, little, nothing.

    .venv/bin/python bench/password_timing.py [ROUNDS]

Each round tries one of each kind, in an order of its own, so that a busy machine is as busy for each: read the ratios.
The last two kinds are equal: how far their ratio is from 1 is what chance does. CPU time of this thread, no network.
"""

import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from sense_mqtt.web.passwords import PasswordCheck

ROUNDS = 200
REPEATS = 200  # of what takes microseconds
PASSWORD = "correct horse battery staple"  # noqa: S105 - made up
GUESSES = {
    "all but the last letter": PASSWORD[:-1] + "x",
    "half of the letters": PASSWORD[:14] + "x" * 14,
    "one letter": "c",
    "1,000 letters": "x" * 1_000,
    "no letter": "x" * len(PASSWORD),
    "no letter, again": "x" * len(PASSWORD),
}


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    check = PasswordCheck(PASSWORD)
    check.is_right(PASSWORD)  # was given: the quick way for programs is there too
    tell("verified slowly (scrypt)", "ms", 1e3, measure(check.is_right, rounds, 1))
    tell("compared with the one that was given before", "us", 1e6, measure(check.was_given, rounds, REPEATS))
    return 0


def measure(verify: Callable[[str], bool], rounds: int, repeats: int) -> dict[str, list[float]]:
    """Return the CPU times (s) of each kind of wrong password."""
    order, times = list(GUESSES), {name: list[float]() for name in GUESSES}
    for _ in range(rounds):
        random.shuffle(order)
        for name in order:
            guess, begun = GUESSES[name], time.thread_time()
            for _ in range(repeats):
                verify(guess)
            times[name].append((time.thread_time() - begun) / repeats)
    return times


def tell(what: str, unit: str, factor: float, times: dict[str, list[float]]) -> None:
    base = quartiles(times["no letter"])
    print(f"{what:46s} quartiles, {unit:10s} as ratio to no letter right")
    for name, each in times.items():
        found = quartiles(each)
        shown = " ".join(f"{one * factor:7.2f}" for one in found)
        ratios = " ".join(f"{one / other:6.3f}" for one, other in zip(found, base, strict=True))
        print(f"  {name:36s} {shown}   {ratios}")


def quartiles(values: list[float]) -> list[float]:
    return statistics.quantiles(values, n=4)


if __name__ == "__main__":
    sys.exit(main())
