"""A simulated cloud whose clock stands until a test moves it, and a client that is logged in."""

import pytest

from sense_mqtt.simulator.house.builtin import RandomHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.simulator.simulated_client import Client


@pytest.fixture(autouse=True)
def sockets(socket_enabled):
    """Every test of this folder may use sockets."""


@pytest.fixture
def cloud():
    with SimulatedCloud(RandomHouse(12, 4, on_s=20, off_s=20), clock_mode="manual") as cloud:
        yield cloud


@pytest.fixture
def client(cloud):
    client = Client(cloud)
    client.log_in()
    return client
