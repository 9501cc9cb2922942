"""Where the checkout is, the data beside it, and what a test does when something is not there."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"  # measured homes and recorded payloads; no part of the repository
SAMPLES = SHARED / "samples"  # recorded payloads
IN_CI = os.environ.get("CI") == "true"


def skip_unless_in_ci(reason: str, *, whole_module: bool = False) -> None:
    """Skip with the reason; in continuous integration it is a failure."""
    if IN_CI:
        pytest.fail(f"must not be skipped in CI: {reason}", pytrace=False)
    pytest.skip(reason, allow_module_level=whole_module)


def shared_file(path: str) -> Path:
    """Return a file of ../shared."""
    if not (SHARED / path).exists():
        skip_unless_in_ci(f"../shared/{path} is not there")
    return SHARED / path
