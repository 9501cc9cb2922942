"""The bridge of most tests here: one home, one broker that acknowledges, time by hand."""

import pytest

from tests.support.bridge.bridge_harness import BridgeHarness


@pytest.fixture
def bridge(tmp_path):
    """A bridge that has begun; no frame has come yet."""
    bridge = BridgeHarness(tmp_path)
    bridge.begin()
    return bridge
