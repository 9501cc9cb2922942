"""How the client of a broker waits for its socket."""

import contextlib
import os
import resource
import socket

import pytest

from sense_mqtt.cli.process import allow_open_files
from sense_mqtt.core.publishing.message import Message
from sense_mqtt.items import Acknowledged
from sense_mqtt.mqtt.capabilities import Capabilities
from sense_mqtt.mqtt.paho_client import connect, disconnect, make_client
from sense_mqtt.mqtt.settings import BrokerSettings
from tests.support.mqtt.mosquitto import Mosquitto
from tests.support.mqtt.mqtt_connection import open_connection

SELECT_MOST = 1_024  # descriptors that select takes


@pytest.fixture
def low_limit():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("low_limit")
def test_a_broker_is_heard_on_a_descriptor_that_select_does_not_take(mosquitto: Mosquitto):
    allow_open_files()
    with contextlib.ExitStack() as feeds:
        for _ in range(SELECT_MOST):
            feeds.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        with open_connection(mosquitto.port) as connection:
            connection.connect()
            mids = [connection.broker.publish(Message("a", str(number))) for number in range(20)]
            connection.broker.flush()
            assert [connection.expect(Acknowledged).mid for _ in mids] == mids


def test_a_message_does_not_wait_until_the_one_before_was_acknowledged_by_tcp(mosquitto: Mosquitto):
    client = make_client(BrokerSettings("127.0.0.1", mosquitto.port), "5", None, Capabilities())
    connect(client, BrokerSettings("127.0.0.1", mosquitto.port), fresh=True)
    line = client.socket()
    assert line is not None
    assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    disconnect(client)
