"""What a broker does not take, and what is too large for us, against a real Mosquitto."""

from pathlib import Path

import pytest

from sense_mqtt.core.publishing.message import Message
from sense_mqtt.items import BrokerConnected, BrokerDropped, MessageArrived
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import Mosquitto, make_mosquitto
from tests.support.mqtt.mqtt_connection import EVENT, REQUEST, open_connection
from tests.support.mqtt.publisher_loop import PublisherLoop


def test_the_brokers_packet_limit_is_known(tmp_path: Path):
    with make_mosquitto(tmp_path, "max_packet_size 2000") as broker, open_connection(broker.port) as connection:
        assert connection.connect().maximum_packet_size == 2000


def test_what_is_too_large_for_the_broker_is_left_out_and_the_connection_holds(tmp_path: Path):
    with make_mosquitto(tmp_path, "max_packet_size 2000") as broker, Listener(broker.port, "sense/#") as listener:
        loop = PublisherLoop(broker.port, tmp_path)
        loop.record("x" * 3000, "small")
        loop.publisher.enqueue_retained([Message("sense/large", "x" * 3000, retain=True)])
        loop.work_until_delivered()
        listener.wait_for(lambda heard: heard, "the small one")
        assert [heard.payload for heard in listener.messages()] == ["small"]
        assert loop.connection_count == 1
        loop.close()


def test_with_mqtt_3_1_1_a_message_that_is_too_large_is_hung_up_on_and_requests_are_left_out(
    mosquitto: Mosquitto, caplog
):
    with open_connection(mosquitto.port, protocol="3.1.1") as connection, Listener(mosquitto.port, "a") as listener:
        connection.connect()
        listener.publish(REQUEST, "x" * 1_000_000, retain=True)
        dropped = connection.expect(BrokerDropped)
        assert dropped.reason.startswith("a message of 1000031 bytes was on its way to us, and at most 131072 are read")
        assert dropped.retry_now
        assert "for 10 minutes nothing is heard on sense/bridge/request/#" in caplog.text
        connection.connect()  # the retained message does not come again
        listener.publish(REQUEST, "{}")
        listener.publish(EVENT, "{}")
        assert connection.expect(MessageArrived).topic == EVENT


def test_where_another_topic_brought_it_all_are_left_out(mosquitto: Mosquitto):
    with open_connection(mosquitto.port, protocol="3.1.1") as connection, Listener(mosquitto.port, "a") as listener:
        listener.publish(EVENT, "x" * 1_000_000, retain=True)
        for _ in range(2):
            connection.broker.open()
            connection.expect(BrokerConnected)
            connection.expect(BrokerDropped)
        connection.connect()


def test_with_mqtt_5_the_broker_keeps_such_a_message(mosquitto: Mosquitto):
    with open_connection(mosquitto.port) as connection, Listener(mosquitto.port, "a") as listener:
        connection.connect()
        listener.publish(REQUEST, "x" * 1_000_000, retain=True)
        listener.publish(REQUEST, "x" * 60_000)
        assert len(connection.expect(MessageArrived).payload) == 60_000
        connection.settle()
        connection.broker.open()
        connection.expect(BrokerConnected)
        connection.broker.publish(Message(EVENT, "{}"))
        connection.broker.flush()
        assert connection.expect(MessageArrived).topic == EVENT


@pytest.mark.parametrize(
    ("lines", "retain_available", "maximum_qos"),
    [("retain_available false", False, 1), ("max_qos 0", True, 0), ("retain_available false\nmax_qos 0", False, 0)],
)
def test_what_the_broker_cannot_do_is_not_asked_of_it(tmp_path: Path, lines, retain_available, maximum_qos):
    with make_mosquitto(tmp_path, lines) as broker, Listener(broker.port, "sense/#") as listener:
        loop = PublisherLoop(broker.port, tmp_path)
        loop.record("event")
        loop.publisher.enqueue_retained([Message("sense/value", "1", retain=True)])
        loop.work_until_delivered()
        loop.work_until(lambda: len(listener.messages()) == 2, "both")
        assert loop.connection_count == 1
        connected = loop.connected
        assert (connected.retain_available, connected.maximum_qos) == (retain_available, maximum_qos)
        loop.connection.broker.close_without_disconnect()
        listener.wait_for_payload("sense/bridge/state", "offline")  # the will, lowered too
        loop.close()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_message_above_mosquittos_message_size_limit_stops_no_other(tmp_path: Path, protocol):
    """It answers that with a PUBACK that MQTT 5 does not allow; with 3.1.1 it drops the message and says it has it."""
    with make_mosquitto(tmp_path, "message_size_limit 4096") as broker, Listener(broker.port, "sense/#") as listener:
        loop = PublisherLoop(broker.port, tmp_path, protocol=protocol)
        loop.publisher.enqueue_retained(
            [Message("sense/large", "x" * 5000, retain=True), Message("sense/value", "1", retain=True)]
        )
        loop.record("e1", "x" * 6000, "e2")
        loop.work_until(lambda: {"1", "e1", "e2"} <= {heard.payload for heard in listener.messages()}, "all others")
        loop.close()
