"""A simulated cloud that lives by the clock of the test."""

import pytest

from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud


@pytest.fixture
def cloud(clock, socket_enabled):
    with SimulatedCloud(BuiltInHouse(seed=1), clock_mode="manual", wall=clock.wall, token_life_s=3600) as cloud:
        yield cloud
