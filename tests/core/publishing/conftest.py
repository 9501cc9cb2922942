"""An outbox whose messages are numbered from 1."""

import pytest

from sense_mqtt.core.publishing.outbox import Outbox
from tests.support.core.outbox import take


@pytest.fixture(autouse=True)
def _count_from_one():
    take.mid = 1


@pytest.fixture
def outbox():
    """A queue with a connection that heard everything already."""
    queue = Outbox()
    queue.connected()
    assert queue.next() is None
    return queue
