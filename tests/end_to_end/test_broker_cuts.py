"""One broker connection after the other: cuts, stalls, a second client, and what must not happen twice."""

import socket
import threading
from pathlib import Path

from sense_mqtt.core.publishing.outbox import Message
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import BrokerConnected, BrokerDropped, MessageArrived
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import Mosquitto
from tests.support.mqtt.mqtt_connection import (
    CONNACK,
    EVENT,
    REQUEST,
    TAKEN_OVER,
    PublisherLoop,
    TcpProxy,
    open_connection,
)


def test_a_second_client_with_our_id_ends_the_first_connection(mosquitto: Mosquitto):
    with open_connection(mosquitto.port) as first, open_connection(mosquitto.port) as second:
        first.connect()
        second.connect()
        first.expect(BrokerDropped)  # Mosquitto 2.0.11 does not say why


def test_a_broker_that_says_why_a_second_client_ended_the_connection_is_understood():
    with socket.create_server(("127.0.0.1", 0)) as listener, open_connection(listener.getsockname()[1]) as call:
        call.broker.open()
        line, _ = listener.accept()
        line.recv(4096)
        line.sendall(CONNACK)
        call.expect(BrokerConnected)
        line.sendall(TAKEN_OVER)
        assert call.expect(BrokerDropped).taken_over
        line.close()


def test_an_exception_in_a_callback_is_logged_and_ends_the_connection_in_the_open(mosquitto: Mosquitto, caplog):
    class Full(Inbox):
        def put(self, item):
            if isinstance(item, MessageArrived):
                raise OverflowError("no room")
            super().put(item)

    with open_connection(mosquitto.port, Full()) as call, Listener(mosquitto.port, "a") as listener:
        call.connect()
        listener.publish(REQUEST)
        dropped = call.expect(BrokerDropped)
        assert dropped == BrokerDropped(1, "an MQTT callback failed")
        assert "OverflowError: no room" in caplog.text
        assert call.connect().connection_id > 1


def test_attempts_that_were_abandoned_do_not_keep_the_next_one_from_delivering(mosquitto: Mosquitto, tmp_path: Path):
    with Listener(mosquitto.port, EVENT) as listener:
        office = PublisherLoop(mosquitto.port, tmp_path)
        for _ in range(5):
            office.call.broker.open()
        office.record("e1")
        office.work_until_delivered()
        office.work_until(listener.messages, "the event")
        office.close()


def test_a_good_bye_keeps_the_will_back_and_hanging_up_does_not(mosquitto: Mosquitto):
    with Listener(mosquitto.port, "sense/bridge/state", "end") as listener:
        with open_connection(mosquitto.port) as call:
            call.connect()
        listener.publish("end")
        listener.wait_for(lambda heard: heard, "the end")
        assert [heard.topic for heard in listener.messages()] == ["end"]
        with open_connection(mosquitto.port) as call:
            call.connect()
            call.broker.close_without_disconnect()
            listener.wait_for_payload("sense/bridge/state", "offline")


def test_what_was_asked_while_the_line_was_cut_arrives_when_it_stands_again(mosquitto: Mosquitto, lines: TcpProxy):
    with open_connection(lines.port) as call, Listener(mosquitto.port, "a") as listener:
        call.connect()
        lines.cut()
        call.expect(BrokerDropped)
        listener.publish(REQUEST, "asked meanwhile")
        listener.publish("a")
        listener.wait_for(lambda heard: heard, "that the broker has both")
        assert call.connect().resumed
        assert call.expect(MessageArrived).payload == b"asked meanwhile"


def test_a_cut_between_an_event_and_its_acknowledgement_doubles_nothing(
    mosquitto: Mosquitto, lines: TcpProxy, tmp_path: Path
):
    with Listener(mosquitto.port, EVENT) as listener:
        office = PublisherLoop(lines.port, tmp_path)
        office.work_until(lambda: office.publisher.connected, "a connection")
        office.work_until(lambda: office.publisher.idle, "quiet")
        lines.answers.clear()
        office.record("e1", "e2")
        office.work_until(lambda: len(listener.messages()) == 2, "that the broker has both events")
        lines.cut()
        office.record("e3")
        office.work_until_delivered()
        office.work_until(lambda: len(listener.messages()) >= 3, "the third")
        assert [heard.payload for heard in listener.messages()] == ["e1", "e2", "e3"]
        office.close()


def test_a_broker_that_stalls_is_given_up_and_gets_everything_once_it_is_back(mosquitto: Mosquitto, tmp_path: Path):
    with Listener(mosquitto.port, EVENT) as listener:
        office = PublisherLoop(mosquitto.port, tmp_path, stall_after_s=0.3)
        office.work_until(lambda: office.publisher.connected, "a connection")
        office.work_until(lambda: office.publisher.idle, "quiet")
        mosquitto.freeze()
        office.record("e1", "e2")
        office.work_until(lambda: not office.publisher.connected, "that it is given up")
        mosquitto.thaw()
        office.record("e3")
        office.work_until_delivered()
        office.work_until(lambda: {heard.payload for heard in listener.messages()} == {"e1", "e2", "e3"}, "all")
        office.close()


def test_a_closed_broker_is_quiet(mosquitto: Mosquitto):
    before = threading.active_count()
    with open_connection(mosquitto.port) as call:
        call.connect()
    call.broker.close()
    call.broker.close_without_disconnect()
    assert call.broker.publish(Message("a", "1")) is None
    assert threading.active_count() <= before + 1
