"""The fault harness runs real programs."""

import pytest


@pytest.fixture(autouse=True)
def sockets(socket_enabled):
    """Every test of this folder may use sockets."""
