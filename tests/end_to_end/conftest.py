"""Brokers, clouds and homes for whole runs; sockets to this machine only."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sense_mqtt.cli.demo_broker import EmbeddedBroker
from tests.support.checkout import IN_CI, SHARED, skip_unless_in_ci
from tests.support.mqtt.mosquitto import Mosquitto, find_mosquitto, make_mosquitto
from tests.support.mqtt.tcp_proxy import TcpProxy


@pytest.fixture(autouse=True)
def sockets(socket_enabled: None) -> None:
    """Every test of this folder may use sockets."""


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A real Mosquitto, for tests that kill, freeze or question it."""
    with make_mosquitto(tmp_path) as broker:
        yield broker


@pytest.fixture
def tcp_proxy(mosquitto: Mosquitto) -> Iterator[TcpProxy]:
    """A proxy before a real Mosquitto, whose connections can be cut."""
    with TcpProxy(mosquitto.port) as proxy:
        yield proxy


@pytest.fixture
def broker_port(tmp_path: Path) -> Iterator[int]:
    """A broker for tests that any broker can serve: Mosquitto, or the demo's where that is not installed."""
    if find_mosquitto() is not None or IN_CI:
        with Mosquitto(tmp_path) as broker:
            yield broker.port
        return
    with EmbeddedBroker() as broker:
        yield broker.port


@pytest.fixture
def shared() -> Path:
    """The folder of measured data and recorded payloads that lies beside the checkout."""
    if not SHARED.is_dir():
        skip_unless_in_ci(f"{SHARED} is not there")
    return SHARED
