"""The examples, loaded into the real programs that they are made for."""

import pytest


@pytest.fixture(autouse=True)
def sockets(socket_enabled: None) -> None:
    """Every test of this folder may use sockets to this machine."""
