"""Settings of all tests. Sockets are off (pyproject.toml); a test asks for them by `socket_enabled` or a marker."""

import logging
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.support")

CORE = Path(__file__).parent / "core"


def pytest_collection_modifyitems(items):
    """Measure coverage in the tests of the core only: it makes all others slower and proves nothing there."""
    for item in items:
        if CORE not in item.path.parents:
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture(autouse=True)
def log_level():
    """Restore the log levels that a test has set: in a parallel run any test may come next."""
    loggers = [logging.getLogger(), logging.getLogger("sense_mqtt")]
    before = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)
