"""A house, and its page over HTTP; sockets to this machine only."""

from collections.abc import Iterator

import pytest

from sense_mqtt.web.access import Access
from tests.support.web.page_harness import PASSWORD, ServedPage, WatchedHouse


@pytest.fixture(autouse=True)
def sockets(socket_enabled: None) -> None:
    """Every test of this folder may use sockets."""


@pytest.fixture
def house() -> WatchedHouse:
    return WatchedHouse()


@pytest.fixture
def page(house: WatchedHouse) -> Iterator[ServedPage]:
    """The page without a password."""
    with ServedPage(house) as served:
        yield served


@pytest.fixture
def guarded(house: WatchedHouse) -> Iterator[ServedPage]:
    """The page behind a password."""
    with ServedPage(house, Access(), PASSWORD) as served:
        yield served
