"""Settings of all tests. Sockets are off (pyproject.toml); a test asks for them by `socket_enabled` or a marker."""

import gc
import logging

import pytest

pytest.register_assert_rewrite("tests.support")


@pytest.fixture(autouse=True)
def log_level():
    """Restore the log levels that a test has set: in a parallel run any test may come next."""
    loggers = [logging.getLogger(), logging.getLogger("sense_mqtt")]
    before = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


# --- No garbage is looked for while all tests are imported and listed (a third of that time), nor later in all that.


def pytest_collection() -> None:
    gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()
