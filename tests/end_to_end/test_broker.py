"""The door to paho against real brokers: protocols, refusals, limits."""

import getpass
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sense_mqtt.cli.demo_broker import EmbeddedBroker
from sense_mqtt.core.publishing.message import Message
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import Acknowledged, BrokerConnected, BrokerDropped, MessageArrived
from sense_mqtt.mqtt.subscriptions import MAX_DISCONNECTS
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import START_TIMEOUT_S, Mosquitto, free_port, make_mosquitto, wait_for_port
from tests.support.mqtt.mqtt_connection import EVENT, REQUEST, TOPICS, MqttConnection, open_connection
from tests.support.mqtt.strict_broker import StrictBroker
from tests.support.mqtt.tcp_proxy import TcpProxy
from tests.support.processes.command_line import run_words

# --- protocols


@pytest.mark.parametrize("protocol", ["auto", "5", "3.1.1"])
def test_what_is_published_is_acknowledged_and_what_is_asked_arrives(mosquitto: Mosquitto, protocol):
    with open_connection(mosquitto.port, protocol=protocol) as connection, Listener(mosquitto.port, "a") as listener:
        connected = connection.connect()
        assert (connected.connection_id, connected.receive_maximum, connected.resumed) == (1, 20, False)
        mid = connection.broker.publish(Message("a", "ä", correlation=b"\x01"))
        connection.broker.flush()
        assert connection.expect(Acknowledged) == Acknowledged(1, mid)
        listener.wait_for(lambda heard: heard, "what was published")
        five = protocol != "3.1.1"
        assert listener.messages()[0].correlation == (b"\x01" if five else None)
        listener.publish(REQUEST, "{}", ResponseTopic="mine", CorrelationData=b"\x02")
        arrived = connection.expect(MessageArrived)
        assert (arrived.topic, arrived.payload) == (REQUEST, b"{}")
        assert (arrived.response_topic, arrived.correlation) == (("mine", b"\x02") if five else (None, None))


class EagerInbox(Inbox):
    """Publishes at the very moment at which paho tells that the broker took us: it has not finished with that yet."""

    publish: Callable[[], int]
    mid = 0

    def put(self, item):
        if isinstance(item, BrokerConnected):
            self.mid = self.publish()
        super().put(item)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_what_is_published_while_paho_still_reads_the_connack_goes_out_once_and_nothing_else_does(
    mosquitto: Mosquitto, protocol
):
    inbox = EagerInbox()
    with (
        open_connection(mosquitto.port, inbox, protocol=protocol) as connection,
        Listener(mosquitto.port, "#") as listener,
    ):

        def publish():
            mid = connection.broker.publish(Message("a", "1"))
            connection.broker.flush()
            return mid

        inbox.publish = publish
        connection.broker.open()
        assert connection.expect((Acknowledged, BrokerDropped)) == Acknowledged(1, inbox.mid)
        listener.publish("end", "")
        listener.wait_for(lambda heard: heard and heard[-1].topic == "end", "what was published")
        assert [message.topic for message in listener.messages()] == ["a", "end"]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_request_with_many_user_properties_arrives(mosquitto: Mosquitto, protocol):
    with open_connection(mosquitto.port, protocol=protocol) as connection, Listener(mosquitto.port, "a") as listener:
        connection.connect()
        listener.publish(REQUEST, "{}", ResponseTopic="mine", UserProperty=[("", "")] * 500)
        arrived = connection.expect(MessageArrived)
        assert (arrived.topic, arrived.payload) == (REQUEST, b"{}")
        assert arrived.response_topic == ("mine" if protocol == "5" else None)


def test_a_retained_request_can_be_reported_with_mqtt_5_also_while_we_listen(mosquitto: Mosquitto):
    with open_connection(mosquitto.port) as connection, Listener(mosquitto.port, "a") as listener:
        connection.connect()
        listener.publish(REQUEST, "{}", retain=True)
        assert connection.expect(MessageArrived).retain


def test_a_broker_that_refuses_mqtt_5_gets_3_1_1():
    with EmbeddedBroker() as embedded, open_connection(embedded.port, keepalive_s=2) as connection:
        connection.connect()  # it leaves the question for MQTT 5 unanswered
        mid = connection.broker.publish(Message("a", "1"))
        connection.broker.flush()
        assert connection.expect(Acknowledged).mid == mid


def test_a_broker_that_hangs_up_on_mqtt_5_gets_3_1_1(tcp_proxy: TcpProxy):
    tcp_proxy.hangs_up = lambda version: version == 5
    with open_connection(tcp_proxy.port) as connection:
        assert connection.connect().connection_id == 4  # MQTT 5 is tried twice


def test_a_broker_that_took_mqtt_5_before_and_hangs_up_is_not_taken_for_an_old_one(
    mosquitto: Mosquitto, tcp_proxy: TcpProxy
):
    with open_connection(tcp_proxy.port) as connection, Listener(mosquitto.port, "a") as listener:
        connection.connect()
        tcp_proxy.hangs_up = lambda _: True
        tcp_proxy.cut()
        connection.expect(BrokerDropped)
        connection.refusal()  # as a container does whose broker is not up yet
        tcp_proxy.hangs_up = lambda _: False
        connection.connect()
        listener.publish(REQUEST, "{}", ResponseTopic="mine")
        assert connection.expect(MessageArrived).response_topic == "mine"


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_protocol_that_was_asked_for_is_kept(tcp_proxy: TcpProxy, protocol):
    tcp_proxy.hangs_up = lambda version: version == (5 if protocol == "5" else 4)
    with open_connection(tcp_proxy.port, protocol=protocol) as connection:
        for _ in range(3):
            connection.refusal()


# --- refusals and limits


def test_a_wrong_password_is_reported_and_the_right_one_works(tmp_path: Path):
    passwords = tmp_path / "passwords"
    passwords.touch()
    with make_mosquitto(tmp_path, f"password_file {passwords}\nuser {getpass.getuser()}") as broker:
        broker.kill()
        subprocess.run(["mosquitto_passwd", "-b", str(passwords), "bridge", "right"], check=True, capture_output=True)
        broker.start()
        for given in ({}, {"username": "bridge", "password": lambda: "wrong"}):
            with open_connection(broker.port, **given) as connection:
                assert "it refused the connection: Not authorized" in connection.refusal()
        with open_connection(broker.port, username="bridge", password=lambda: "right") as connection:
            connection.connect()
        for protocol in ("5", "3.1.1"):
            environ = {"SENSE_MQTT_MQTT__PROTOCOL": protocol, "SENSE_MQTT_MQTT__USERNAME": "bridge"}
            words = ["watch", "--seconds", "30", "--host", "127.0.0.1", "--port", str(broker.port)]
            ended = run_words(words, SENSE_MQTT_MQTT__PASSWORD="guess", **environ)
            assert ended.exit_code == 2
            assert "Not authorized; check mqtt.username and mqtt.password, which the broker does not take" in ended.err


def test_nobody_there_is_reported():
    with TcpProxy(1) as tcp_proxy:
        port = tcp_proxy.port
    with open_connection(port) as connection:
        assert "refused" in connection.refusal().lower()


@pytest.mark.parametrize("host", ["no.such.host.invalid", "x" * 70 + ".example", "a..b"])
def test_a_host_that_cannot_be_is_reported(host):
    with open_connection(1) as connection:
        connection.broker._settings = type(connection.broker._settings)(host)
        assert connection.refusal()


# --- subscriptions that are refused

REQUESTS, EVENTS = TOPICS


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_refused_subscription_is_reported_once_with_what_does_not_work_therefore(protocol, caplog):
    with StrictBroker(refused=(REQUESTS,)) as broker, open_connection(broker.port, protocol=protocol) as connection:
        for _ in range(2):
            connection.connect()
        assert broker.subscribed == [[EVENTS], [EVENTS]]
        told = [line for line in caplog.messages if "refuses the subscription" in line]
        assert len(told) == 1
        assert told[0].startswith(f"the broker refuses the subscription to {REQUESTS} (")
        assert told[0].endswith("): commands are not heard; let mqtt.username read it")
        assert connection.broker.subscriptions.losses == {REQUESTS: told[0]}


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_broker_that_hangs_up_on_a_subscription_is_used_without_it(protocol, caplog):
    with StrictBroker(hangs_up_on=(EVENTS,)) as broker, open_connection(broker.port, protocol=protocol) as connection:
        for _ in range(MAX_DISCONNECTS):  # all are asked for together
            connection.broker.open()
            connection.expect(BrokerConnected)
            connection.expect(BrokerDropped)
        for _ in range(MAX_DISCONNECTS):  # one by one
            connection.broker.open()
            connection.expect(BrokerDropped)
        connection.connect()
        assert broker.subscribed[-1] == [REQUESTS]
        [told] = [line for line in caplog.messages if "refuses the subscription" in line]
        assert f"{EVENTS} (the broker hangs up on it): an event may be told twice" in told


# --- websockets


@pytest.fixture
def websockets_port(tmp_path: Path) -> Iterator[int]:
    port = free_port()
    with make_mosquitto(tmp_path, f"listener {port} 127.0.0.1\nprotocol websockets"):
        wait_for_port(port, START_TIMEOUT_S)
        yield port


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_broker_is_reached_by_websockets_too(websockets_port: int, protocol):
    with open_connection(websockets_port, protocol=protocol, transport="websockets", path="/mqtt") as connection:
        connection.connect()
        connection.broker.publish(Message(EVENT, "x" * 30_000))
        connection.broker.flush()
        assert len(connection.expect(MessageArrived).payload) == 30_000


def test_a_message_that_is_too_large_is_hung_up_on_by_websockets_too(websockets_port: int):
    with open_connection(websockets_port, protocol="3.1.1", transport="websockets") as connection:
        connection.connect()
        with open_connection(websockets_port, protocol="3.1.1", transport="websockets", client_id="other") as other:
            other.connect()
            other.broker.publish(Message(REQUEST, "x" * 1_000_000))
            other.broker.flush()
            assert "at most 131072 are read" in connection.expect(BrokerDropped).reason


def test_who_hangs_up_on_a_websocket_is_missed_by_the_broker(tmp_path: Path):
    port = free_port()
    extra = f"listener {port} 127.0.0.1\nprotocol websockets"
    with make_mosquitto(tmp_path, extra) as broker, Listener(broker.port, "sense/bridge/state") as listener:
        wait_for_port(port, START_TIMEOUT_S)
        connection = MqttConnection(port, transport="websockets")
        connection.connect()
        connection.broker.close_without_disconnect()
        listener.wait_for(lambda heard: heard, "the will")
