"""The door to paho against real brokers: protocols, TLS, refusals, cuts, and what must not happen twice."""

import getpass
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from authority import Signed, authority, server
from call import EVENT, Lines, Office, calling
from conftest import skip_unless_in_ci
from cryptography.hazmat.primitives import serialization
from listener import Listener
from mosquitto import HOW_TO_GET_IT, Mosquitto, find_mosquitto

from sense_mqtt.broker import BrokerTls
from sense_mqtt.core.outgoing import Message
from sense_mqtt.embedded_broker import EmbeddedBroker
from sense_mqtt.inbox import Acknowledged, BrokerConnected, BrokerDropped, Inbox, MessageArrived

CONNACK, TAKEN_OVER = b"\x20\x03\x00\x00\x00", b"\xe0\x02\x8e\x00"  # MQTT 5
REQUEST = "sense/bridge/request/health"


@pytest.fixture
def lines(mosquitto: Mosquitto) -> Iterator[Lines]:
    with Lines(mosquitto.port) as lines:
        yield lines


def make(folder: Path, extra: str) -> Mosquitto:
    if find_mosquitto() is None:
        skip_unless_in_ci(HOW_TO_GET_IT)
    return Mosquitto(folder, extra)


# --- protocols


@pytest.mark.parametrize("protocol", ["auto", "5", "3.1.1"])
def test_what_is_published_is_acknowledged_and_what_is_asked_arrives(mosquitto: Mosquitto, protocol):
    with calling(mosquitto.port, protocol=protocol) as call, Listener(mosquitto.port, "a") as listener:
        connected = call.connect()
        assert (connected.generation, connected.window, connected.resumed) == (1, 20, False)
        mid = call.broker.publish(Message("a", "ä", correlation=b"\x01"))
        assert call.expect(Acknowledged) == Acknowledged(1, mid)
        listener.wait_for(lambda heard: heard, "what was published")
        five = protocol != "3.1.1"
        assert listener.messages()[0].correlation == (b"\x01" if five else None)
        listener.publish(REQUEST, "{}", ResponseTopic="mine", CorrelationData=b"\x02")
        arrived = call.expect(MessageArrived)
        assert (arrived.topic, arrived.payload) == (REQUEST, b"{}")
        assert (arrived.response_topic, arrived.correlation) == (("mine", b"\x02") if five else (None, None))


def test_a_retained_request_can_be_told_with_mqtt_5_also_while_we_listen(mosquitto: Mosquitto):
    with calling(mosquitto.port) as call, Listener(mosquitto.port, "a") as listener:
        call.connect()
        listener.publish(REQUEST, "{}", retain=True)
        assert call.expect(MessageArrived).retain


def test_a_broker_that_refuses_mqtt_5_gets_3_1_1():
    with EmbeddedBroker() as embedded, calling(embedded.port, keepalive_s=2) as call:
        call.connect()  # it leaves the question for MQTT 5 unanswered
        mid = call.broker.publish(Message("a", "1"))
        assert call.expect(Acknowledged).mid == mid


def test_a_broker_that_hangs_up_on_mqtt_5_gets_3_1_1(lines: Lines):
    lines.hangs_up = lambda version: version == 5
    with calling(lines.port) as call:
        assert call.connect().generation == 2


def test_a_broker_that_took_mqtt_5_before_and_hangs_up_is_not_taken_for_an_old_one(mosquitto: Mosquitto, lines: Lines):
    with calling(lines.port) as call, Listener(mosquitto.port, "a") as listener:
        call.connect()
        lines.hangs_up = lambda _: True
        lines.cut()
        call.expect(BrokerDropped)
        call.refusal()  # as a container does whose broker is not up yet
        lines.hangs_up = lambda _: False
        call.connect()
        listener.publish(REQUEST, "{}", ResponseTopic="mine")
        assert call.expect(MessageArrived).response_topic == "mine"


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_protocol_that_was_asked_for_is_kept(lines: Lines, protocol):
    lines.hangs_up = lambda version: version == (5 if protocol == "5" else 4)
    with calling(lines.port, protocol=protocol) as call:
        for _ in range(3):
            call.refusal()


# --- refusals and limits


def test_a_wrong_password_is_told_and_the_right_one_works(tmp_path: Path):
    passwords = tmp_path / "passwords"
    passwords.touch()
    with make(tmp_path, f"password_file {passwords}\nuser {getpass.getuser()}") as broker:
        broker.kill()
        subprocess.run(["mosquitto_passwd", "-b", str(passwords), "bridge", "right"], check=True, capture_output=True)
        broker.start()
        for given in ({}, {"username": "bridge", "password": lambda: "wrong"}):
            with calling(broker.port, **given) as call:
                assert "it refused the connection: Not authorized" in call.refusal()
        with calling(broker.port, username="bridge", password=lambda: "right") as call:
            call.connect()


def test_nobody_there_is_told():
    with Lines(1) as lines:
        port = lines.port
    with calling(port) as call:
        assert "refused" in call.refusal().lower()


@pytest.mark.parametrize("host", ["no.such.host.invalid", "x" * 70 + ".example", "a..b"])
def test_a_host_that_cannot_be_is_told(host):
    with calling(1) as call:
        call.broker._settings = type(call.broker._settings)(host)
        assert call.refusal()


def test_the_brokers_packet_limit_is_known(tmp_path: Path):
    with make(tmp_path, "max_packet_size 2000") as broker, calling(broker.port) as call:
        assert call.connect().packet_limit == 2000


def test_what_is_too_large_for_the_broker_is_left_out_and_the_connection_holds(tmp_path: Path):
    with make(tmp_path, "max_packet_size 2000") as broker, Listener(broker.port, "sense/#") as listener:
        office = Office(broker.port, tmp_path)
        office.record("x" * 3000, "small")
        office.publisher.say([Message("sense/large", "x" * 3000, retain=True)])
        office.work_until_delivered()
        listener.wait_for(lambda heard: heard, "the small one")
        assert [heard.payload for heard in listener.messages()] == ["small"]
        assert office.connections == 1
        office.close()


# --- TLS


def keep(signed: Signed, folder: Path, name: str) -> tuple[Path, Path]:
    form = (
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    certificate.write_bytes(signed.pem)
    key.write_bytes(signed.key.private_bytes(*form))
    return certificate, key


@pytest.fixture
def secured(tmp_path: Path):
    """Return a function that makes a Mosquitto with a certificate for an address, which asks for one of ours."""
    ours = authority("Our Authority")
    ca_file, _ = keep(ours, tmp_path, "ca")
    certificate, key = keep(server(ours), tmp_path, "client")

    def make_secured(address: str = "127.0.0.1") -> tuple[Mosquitto, BrokerTls]:
        its_certificate, its_key = keep(server(ours, address=address), tmp_path, "server")
        tls = f"cafile {ca_file}\ncertfile {its_certificate}\nkeyfile {its_key}\nrequire_certificate true"
        return make(tmp_path, f"{tls}\nuser {getpass.getuser()}"), BrokerTls(ca_file, certificate, key)

    return make_secured


def test_a_broker_with_our_authority_takes_our_certificate(secured):
    broker, tls = secured()
    with broker, calling(broker.port, tls=tls) as call:
        call.connect()
        call.broker.publish(Message("a", "1"))
        call.expect(Acknowledged)


def test_a_broker_of_an_authority_that_we_do_not_know_is_refused(secured):
    broker, tls = secured()
    with broker, calling(broker.port, tls=BrokerTls(None, tls.cert_file, tls.key_file)) as call:
        assert "CERTIFICATE_VERIFY_FAILED" in call.refusal()


def test_without_a_certificate_of_ours_the_broker_refuses_us(secured):
    broker, tls = secured()
    with broker, calling(broker.port, tls=BrokerTls(tls.ca_file)) as call:
        assert call.refusal()


def test_a_certificate_for_another_host_is_refused_unless_it_is_named(secured):
    broker, tls = secured(address="10.9.8.7")
    with broker, calling(broker.port, tls=tls) as call:
        assert "10.9.8.7" in call.refusal() or "mismatch" in call.refusal()
    named = BrokerTls(tls.ca_file, tls.cert_file, tls.key_file, server_name="10.9.8.7")
    with broker, calling(broker.port, tls=named) as call:
        call.connect()


def test_a_certificate_file_that_is_missing_is_told(secured, tmp_path: Path):
    broker, _ = secured()
    with broker, calling(broker.port, tls=BrokerTls(tmp_path / "nowhere.crt")) as call:
        assert "No such file" in call.refusal()


# --- one connection after the other


def test_a_second_client_with_our_id_ends_the_first_connection(mosquitto: Mosquitto):
    with calling(mosquitto.port) as first, calling(mosquitto.port) as second:
        first.connect()
        second.connect()
        first.expect(BrokerDropped)  # Mosquitto 2.0.11 does not say why


def test_a_broker_that_says_why_a_second_client_ended_the_connection_is_understood():
    with socket.create_server(("127.0.0.1", 0)) as listener, calling(listener.getsockname()[1]) as call:
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

    with calling(mosquitto.port, Full()) as call, Listener(mosquitto.port, "a") as listener:
        call.connect()
        listener.publish(REQUEST)
        dropped = call.expect(BrokerDropped)
        assert dropped == BrokerDropped(1, "an MQTT callback failed")
        assert "OverflowError: no room" in caplog.text
        assert call.connect().generation > 1


def test_attempts_that_were_abandoned_do_not_keep_the_next_one_from_delivering(mosquitto: Mosquitto, tmp_path: Path):
    with Listener(mosquitto.port, EVENT) as listener:
        office = Office(mosquitto.port, tmp_path)
        for _ in range(5):
            office.call.broker.open()
        office.record("e1")
        office.work_until_delivered()
        office.work_until(listener.messages, "the event")
        office.close()


def test_a_good_bye_keeps_the_will_back_and_hanging_up_does_not(mosquitto: Mosquitto):
    with Listener(mosquitto.port, "sense/bridge/state", "end") as listener:
        with calling(mosquitto.port) as call:
            call.connect()
        listener.publish("end")
        listener.wait_for(lambda heard: heard, "the end")
        assert [heard.topic for heard in listener.messages()] == ["end"]
        with calling(mosquitto.port) as call:
            call.connect()
            call.broker.hang_up()
            listener.wait_for_payload("sense/bridge/state", "offline")


def test_what_was_asked_while_the_line_was_cut_arrives_when_it_stands_again(mosquitto: Mosquitto, lines: Lines):
    with calling(lines.port) as call, Listener(mosquitto.port, "a") as listener:
        call.connect()
        lines.cut()
        call.expect(BrokerDropped)
        listener.publish(REQUEST, "asked meanwhile")
        listener.publish("a")
        listener.wait_for(lambda heard: heard, "that the broker has both")
        assert call.connect().resumed
        assert call.expect(MessageArrived).payload == b"asked meanwhile"


def test_a_cut_between_an_event_and_its_acknowledgement_doubles_nothing(
    mosquitto: Mosquitto, lines: Lines, tmp_path: Path
):
    with Listener(mosquitto.port, EVENT) as listener:
        office = Office(lines.port, tmp_path)
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
        office = Office(mosquitto.port, tmp_path, stall_after_s=0.3)
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
    with calling(mosquitto.port) as call:
        call.connect()
    call.broker.close()
    call.broker.hang_up()
    assert call.broker.publish(Message("a", "1")) is None
    assert threading.active_count() <= before + 1
