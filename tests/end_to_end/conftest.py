"""Brokers, clouds and houses for whole runs; sockets to this machine only."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sense_mqtt.cli.demo_broker import EmbeddedBroker
from tests.support.checkout import SHARED
from tests.support.mqtt.mosquitto import HOW_TO_GET_IT, Mosquitto, find_mosquitto
from tests.support.mqtt.mqtt_connection import TcpProxy

IN_CI = os.environ.get("CI") == "true"


def skip_unless_in_ci(reason: str) -> None:
    """Skip with the reason; where continuous integration runs, that is a failure."""
    if IN_CI:
        pytest.fail(f"must not be skipped here: {reason}")
    pytest.skip(reason)


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A real Mosquitto, for tests that kill, freeze or question it."""
    with make_mosquitto(tmp_path) as broker:
        yield broker


def make_mosquitto(folder: Path, extra: str = "") -> Mosquitto:
    """Return a real Mosquitto with more lines in its configuration."""
    if find_mosquitto() is None:
        skip_unless_in_ci(HOW_TO_GET_IT)
    return Mosquitto(folder, extra)


@pytest.fixture
def lines(mosquitto: Mosquitto) -> Iterator[TcpProxy]:
    """TcpProxy to a real Mosquitto, that can be cut."""
    with TcpProxy(mosquitto.port) as lines:
        yield lines


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
