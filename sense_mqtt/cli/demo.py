"""Everything in one process: a simulated Sense cloud, an embedded broker, the bridge and a live table."""

import argparse
import contextlib
import logging
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from sense_mqtt.cli.extras import WEB, find_missing, how_to_install
from sense_mqtt.cli.listening import listening
from sense_mqtt.cli.run import run_until_stopped
from sense_mqtt.cli.watch import LiveTable, watch
from sense_mqtt.clock import SystemClock
from sense_mqtt.config import Config
from sense_mqtt.errors import ConfigError
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import Stop
from sense_mqtt.logs.redaction import RedactingFormatter, Redactor
from sense_mqtt.mqtt.settings import BrokerSettings
from sense_mqtt.simulator.command import positive

SPEED = 60.0  # house seconds a second: something happens every few seconds
BRIDGE_END_S = 10.0
HOME_ZONE = "America/New_York"  # of the simulated account
DAY_S = 86_400.0
MORNING_S = 15 * 3600.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the demo."""
    parser.add_argument("--speed", type=positive, default=SPEED, help=f"simulated seconds a second (default {SPEED:g})")
    parser.add_argument("--seed", type=int, default=1, help="seed of the simulated house (default 1)")
    parser.add_argument("--mqtt-port", type=_port, default=None, help="port of the MQTT broker (default: a free one)")
    parser.add_argument("--seconds", type=positive, default=None, help="end after this time (default: at Ctrl-C)")


def run(options: argparse.Namespace) -> int:
    """Run the demo until Ctrl-C, or for `--seconds`; return the exit code."""
    try:
        from sense_mqtt.cli.demo_broker import EmbeddedBroker
        from sense_mqtt.simulator.house.builtin import BuiltInHouse
        from sense_mqtt.simulator.server.cloud import SimulatedCloud
    except ModuleNotFoundError as error:
        raise ConfigError(f"the demo needs {error.name}: {how_to_install('demo')}") from error

    clock = SystemClock()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    house = BuiltInHouse(seed=options.seed, begins=_next_morning(clock.now().wall))
    with (
        tempfile.TemporaryDirectory(prefix="sense-mqtt-demo-") as folder,
        EmbeddedBroker(options.mqtt_port) as broker,
        SimulatedCloud(house, speed=options.speed) as cloud,
    ):
        _log_to(Path(folder) / "demo.log")
        account = {"email": cloud.email, "password": cloud.password}
        config = _configure(account, cloud.api_url, cloud.feed_url, broker.port, Path(folder))
        with _running_bridge(config):
            heading = _heading(config, options.speed)
            _watch(broker.port, config, heading, options.seconds)
    return 0


def _port(text: str) -> int:
    if not 0 < int(text) < 65_536:
        raise argparse.ArgumentTypeError(f"must be from 1 to 65535, not {text}")
    return int(text)


def _next_morning(now: float) -> float:
    """Return the next 15:00 UTC: in America the sun is up, and nothing is late yet."""
    return now + (MORNING_S - now) % DAY_S


def _configure(account: dict[str, str], api_url: str, feed_url: str, port: int, folder: Path) -> Config:
    return Config.model_validate(
        {
            "sense": {**account, "api_url": api_url, "feed_url": feed_url},
            "mqtt": {"host": "127.0.0.1", "port": port, "protocol": "3.1.1"},
            "publish": {"device_interval_s": 1, "house_interval_s": 1},
            "state_dir": folder / "state",
            "web": {"enabled": not find_missing(WEB), "port": _free_port()},
        }
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def _running_bridge(config: Config) -> Iterator[None]:
    inbox = Inbox()

    def run_bridge() -> None:  # the journal belongs to the thread that opens it
        run_until_stopped(config, Redactor(config.secrets()), inbox)

    thread = threading.Thread(target=run_bridge, name="bridge", daemon=True)
    thread.start()
    try:
        yield
    finally:
        inbox.put(Stop("the demo ends"))
        thread.join(BRIDGE_END_S)


def _watch(port: int, config: Config, heading: str, seconds: float | None) -> None:
    settings = BrokerSettings("127.0.0.1", port, protocol="3.1.1")
    board = LiveTable(zone=ZoneInfo(HOME_ZONE))
    watch(
        listening(settings, (f"{config.mqtt.base_topic}/#",), "watch"),
        Console(),
        heading,
        SystemClock(),
        seconds,
        board,
    )


def _heading(config: Config, speed: float) -> str:
    listen = f"mosquitto_sub -p {config.mqtt.port} -v -t 'sense/#'"
    page = f"\nThe page of the house: http://127.0.0.1:{config.web.port}/" if config.web.enabled else ""
    return (
        f"A simulated house, {speed:g} times as fast as real time; Ctrl-C ends. To see its messages:\n  {listen}{page}"
    )


def _log_to(file: Path) -> None:
    handler = logging.FileHandler(file)
    handler.setFormatter(RedactingFormatter(Redactor()))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
