"""Settings of all tests. Sockets are off (pyproject.toml); a test asks for them by `socket_enabled` or a marker."""

import gc
import importlib
import logging
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest

import sense_mqtt.core

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


# --- Coverage of the core is measured in the tests of the core only: whatever else runs under it takes twice the time.


def pytest_configure(config: pytest.Config) -> None:
    """Import the whole core while it is measured (an import is covered too), then pause."""
    if coverage := _running_coverage(config):
        for module in pkgutil.walk_packages(sense_mqtt.core.__path__, "sense_mqtt.core."):
            importlib.import_module(module.name)
        coverage.pause()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Measure a test of the core, with its fixtures, but for long ones that cover nothing that others do not."""
    coverage = _running_coverage(item.config)
    if coverage is None or not item.path.is_relative_to(item.config.rootpath / "tests/core"):
        return (yield)
    if item.get_closest_marker("no_cover") is None:
        coverage.resume()
    try:
        return (yield)
    finally:
        coverage.pause()


def _running_coverage(config: pytest.Config) -> Any | None:
    """Return what pytest-cov measures with in this process; None without `--cov`."""
    plugin = config.pluginmanager.get_plugin("_cov")
    return plugin and plugin.cov_controller
