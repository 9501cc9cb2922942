"""A feed between a lively simulated cloud and an inbox."""

import pytest

from sense_mqtt.core.backoff import Backoff
from sense_mqtt.inbox import Inbox
from sense_mqtt.sense.feed.settings import FeedSettings
from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.sense.sense_fixtures import session_of


@pytest.fixture
def cloud(socket_enabled):
    with SimulatedCloud(BuiltInHouse(seed=1), speed=20) as cloud:
        yield cloud


@pytest.fixture
def inbox():
    return Inbox()


@pytest.fixture
def session(cloud, tmp_path):
    return session_of(cloud, tmp_path)


@pytest.fixture
def settings(cloud, tmp_path):
    """Figures as of a hasty world."""

    def make(**more):
        quick = {"spacing_s": 0.02, "backoff": Backoff(0.02, 0.1, 0.01), "silence_timeout_s": 5.0, "timeout_s": 5.0}
        return FeedSettings(**{"state_dir": tmp_path, "url": cloud.feed_url, "poll_interval_s": 0.1, **quick, **more})

    return make
