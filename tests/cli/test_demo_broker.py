"""The embedded broker of the demo ends, whatever its clients do."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from sense_mqtt.cli.demo_broker import CannotListen, EmbeddedBroker

pytestmark = pytest.mark.enable_socket

PATIENCE_S = 30.0
CONNECT = bytes.fromhex("101000044d5154540402000000046d757465")  # MQTT 3.1.1, clean session, client id "mute"
SUBSCRIBE = bytes.fromhex("82060001000123") + b"\x00"  # "#", QoS 0


def client(port: int) -> paho.Client:
    made = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv311)
    made.connect("127.0.0.1", port)
    made.loop_start()
    return made


@contextmanager
def busy_publisher(port: int) -> Iterator[None]:
    """Publishes retained messages at QoS 1 until the end of the block."""
    publisher, stopped = client(port), threading.Event()

    def publish() -> None:
        number = 0
        while not stopped.wait(0.002):
            publisher.publish(f"sense/{number % 100}", "x" * 300, 1, retain=True)
            number += 1

    thread = threading.Thread(target=publish, daemon=True)
    thread.start()
    yield
    stopped.set()
    thread.join()
    publisher.disconnect()
    publisher.loop_stop()


@contextmanager
def subscriber(port: int) -> Iterator[None]:
    """Takes all messages."""
    taken = threading.Event()
    listener = client(port)
    listener.on_message = lambda *_: taken.set()
    listener.subscribe("#", 1)
    with busy_publisher(port):
        assert taken.wait(PATIENCE_S)
        yield
    listener.disconnect()
    listener.loop_stop()


@contextmanager
def subscriber_that_does_not_read(port: int) -> Iterator[None]:
    """Lets the broker's buffers fill up."""
    with socket.create_connection(("127.0.0.1", port)) as mute:
        mute.sendall(CONNECT + SUBSCRIBE)
        assert mute.recv(64)
        publisher = client(port)
        for number in range(100):
            publisher.publish(f"sense/{number}", "x" * 100_000, 1).wait_for_publish(PATIENCE_S)
        publisher.disconnect()
        publisher.loop_stop()
        yield


@contextmanager
def client_without_connect(port: int) -> Iterator[None]:
    """Is only a TCP connection."""
    with socket.create_connection(("127.0.0.1", port)):
        yield


@pytest.mark.parametrize("attach", [subscriber, subscriber_that_does_not_read, client_without_connect])
def test_it_ends_within_seconds_and_without_an_error_while_a_client_is_attached(attach):
    broker = EmbeddedBroker()
    with broker, attach(broker.port):
        began = time.monotonic()
        broker.__exit__(None, None, None)
        assert time.monotonic() - began < PATIENCE_S


class Stuck(EmbeddedBroker):
    """Never comes to listen."""

    async def _start(self) -> None:
        await asyncio.Event().wait()


def test_a_start_that_takes_too_long_is_reported_in_one_line():
    with pytest.raises(CannotListen, match=r"did not start within 0.1 s; start it again"):
        Stuck(start_timeout_s=0.1).__enter__()
