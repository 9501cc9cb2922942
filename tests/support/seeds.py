"""Seeds of random tests: a few for each run, the others for `make test-long`."""

import pytest


def seeds(number: int, *, quick: int) -> list:
    """Return so many seeds as parameters; those after the first `quick` are for `make test-long`."""
    return [pytest.param(seed, marks=[pytest.mark.long] * (seed >= quick)) for seed in range(number)]
