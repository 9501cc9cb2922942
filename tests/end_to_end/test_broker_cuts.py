"""One broker connection after the other: cuts, stalls, a second client, and what must not happen twice."""

import socket
import threading
from pathlib import Path

from sense_mqtt.core.publishing.message import Message
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import BrokerConnected, BrokerDropped, MessageArrived
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import Mosquitto
from tests.support.mqtt.mqtt_connection import CONNACK, EVENT, REQUEST, TAKEN_OVER, open_connection
from tests.support.mqtt.publisher_loop import PublisherLoop
from tests.support.mqtt.tcp_proxy import TcpProxy


def test_a_second_client_with_our_id_ends_the_first_connection(mosquitto: Mosquitto):
    with open_connection(mosquitto.port) as first, open_connection(mosquitto.port) as second:
        first.connect()
        second.connect()
        first.expect(BrokerDropped)  # Mosquitto 2.0.11 does not say why


def test_a_broker_that_says_why_a_second_client_ended_the_connection_is_understood():
    with socket.create_server(("127.0.0.1", 0)) as listener, open_connection(listener.getsockname()[1]) as connection:
        connection.broker.open()
        line, _ = listener.accept()
        line.recv(4096)
        line.sendall(CONNACK)
        connection.expect(BrokerConnected)
        line.sendall(TAKEN_OVER)
        assert connection.expect(BrokerDropped).taken_over
        line.close()


def test_an_exception_in_a_callback_is_logged_and_ends_the_connection_in_the_open(mosquitto: Mosquitto, caplog):
    class Full(Inbox):
        def put(self, item):
            if isinstance(item, MessageArrived):
                raise OverflowError("no room")
            super().put(item)

    with open_connection(mosquitto.port, Full()) as connection, Listener(mosquitto.port, "a") as listener:
        connection.connect()
        listener.publish(REQUEST)
        dropped = connection.expect(BrokerDropped)
        assert dropped == BrokerDropped(1, "an MQTT callback failed")
        assert "OverflowError: no room" in caplog.text
        assert connection.connect().connection_id > 1


def test_attempts_that_were_abandoned_do_not_keep_the_next_one_from_delivering(mosquitto: Mosquitto, tmp_path: Path):
    with Listener(mosquitto.port, EVENT) as listener:
        loop = PublisherLoop(mosquitto.port, tmp_path)
        for _ in range(5):
            loop.connection.broker.open()
        loop.record("e1")
        loop.work_until_delivered()
        loop.work_until(listener.messages, "the event")
        loop.close()


def test_a_good_bye_keeps_the_will_back_and_hanging_up_does_not(mosquitto: Mosquitto):
    with Listener(mosquitto.port, "sense/bridge/state", "end") as listener:
        with open_connection(mosquitto.port) as connection:
            connection.connect()
        listener.publish("end")
        listener.wait_for(lambda heard: heard, "the end")
        assert [heard.topic for heard in listener.messages()] == ["end"]
        with open_connection(mosquitto.port) as connection:
            connection.connect()
            connection.broker.close_without_disconnect()
            listener.wait_for_payload("sense/bridge/state", "offline")


def test_what_was_asked_while_the_line_was_cut_arrives_when_it_stands_again(mosquitto: Mosquitto, tcp_proxy: TcpProxy):
    with open_connection(tcp_proxy.port) as connection, Listener(mosquitto.port, "a") as listener:
        connection.connect()
        tcp_proxy.cut()
        connection.expect(BrokerDropped)
        listener.publish(REQUEST, "asked meanwhile")
        listener.publish("a")
        listener.wait_for(lambda heard: heard, "that the broker has both")
        assert connection.connect().resumed
        assert connection.expect(MessageArrived).payload == b"asked meanwhile"


def test_a_cut_between_an_event_and_its_acknowledgement_doubles_nothing(
    mosquitto: Mosquitto, tcp_proxy: TcpProxy, tmp_path: Path
):
    with Listener(mosquitto.port, EVENT) as listener:
        loop = PublisherLoop(tcp_proxy.port, tmp_path)
        loop.work_until(lambda: loop.publisher.connected, "a connection")
        loop.work_until(lambda: loop.publisher.idle, "quiet")
        tcp_proxy.answers.clear()
        loop.record("e1", "e2")
        loop.work_until(lambda: len(listener.messages()) == 2, "that the broker has both events")
        tcp_proxy.cut()
        loop.record("e3")
        loop.work_until_delivered()
        loop.work_until(lambda: len(listener.messages()) >= 3, "the third")
        assert [heard.payload for heard in listener.messages()] == ["e1", "e2", "e3"]
        loop.close()


def test_a_broker_that_stalls_is_given_up_and_gets_everything_once_it_is_back(mosquitto: Mosquitto, tmp_path: Path):
    with Listener(mosquitto.port, EVENT) as listener:
        loop = PublisherLoop(mosquitto.port, tmp_path, stall_after_s=0.3)
        loop.work_until(lambda: loop.publisher.connected, "a connection")
        loop.work_until(lambda: loop.publisher.idle, "quiet")
        mosquitto.freeze()
        loop.record("e1", "e2")
        loop.work_until(lambda: not loop.publisher.connected, "that it is given up")
        mosquitto.thaw()
        loop.record("e3")
        loop.work_until_delivered()
        loop.work_until(lambda: {heard.payload for heard in listener.messages()} == {"e1", "e2", "e3"}, "all")
        loop.close()


def test_a_closed_broker_is_quiet(mosquitto: Mosquitto):
    before = threading.active_count()
    with open_connection(mosquitto.port) as connection:
        connection.connect()
    connection.broker.close()
    connection.broker.close_without_disconnect()
    assert connection.broker.publish(Message("a", "1")) is None
    assert threading.active_count() <= before + 1
