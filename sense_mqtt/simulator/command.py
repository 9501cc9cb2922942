"""`sense-mqtt simulate`: the simulated Sense cloud alone, until Ctrl-C."""

import argparse
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.house.measured import InvalidMeasurements, MeasuredHouse, read_solar
from sense_mqtt.simulator.house.model import House
from sense_mqtt.simulator.house.recorded import RecordedHouse
from sense_mqtt.simulator.payloads.periods import CYCLE_START

if TYPE_CHECKING:
    from sense_mqtt.simulator.server.cloud import SimulatedCloud

EXIT_OK, EXIT_CRASHED, EXIT_CONFIG = 0, 1, 2
MISSING_EXTRA = "the simulated cloud needs aiohttp: in a checkout of sense-mqtt, pip install '.[demo]'"

SNIPPET = """\
A simulated Sense cloud is running; Ctrl-C ends it. For config.yaml:

sense:
  email: {email}
  password: {password!r}{totp}
  api_url: {api_url}
  feed_url: {feed_url}
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=_whole(0, 65_535), default=0, help="to listen on; 0: a free one (%(default)s)")
    parser.add_argument("--house", type=Path, metavar="FILE", help="measured watts: CSV, column unix, then appliances")
    parser.add_argument(
        "--recording", type=Path, metavar="FILE", help="what `record`, `run --record` or `report` wrote"
    )
    parser.add_argument("--solar", type=Path, metavar="FILE", help="measured solar for --house: CSV, unix, watts")
    parser.add_argument("--speed", type=positive, default=1.0, help="house seconds per second (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the built-in house (%(default)s)")
    parser.add_argument(
        "--unfinished",
        choices=["partial", "absent", "spiky"],
        default="partial",
        help="what the history says of the hour that is not finished (%(default)s)",
    )
    day = _whole(1, 31)
    parser.add_argument("--cycle-day", type=day, default=CYCLE_START, help="of the billing cycle (%(default)s)")
    parser.add_argument("--mfa", action="store_true", help="ask for a one-time code at login")
    parser.add_argument("--email", help="e-mail address of the demo account")
    parser.add_argument("--password", help="of the demo account (visible in the list of processes)")
    parser.add_argument(
        "--token-life",
        type=positive,
        default=86_400.0,
        metavar="S",
        help="of an access token (%(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM; returns the exit code. For the main thread."""
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    return serve(arguments, stopping, sys.stdout)


def serve(arguments: argparse.Namespace, stopping: threading.Event, out: TextIO) -> int:
    """Say on `out` how to connect, and serve until `stopping` is set."""
    try:
        from sense_mqtt.simulator.server.cloud import SimulatedCloud
    except ModuleNotFoundError as error:
        if error.name != "aiohttp":
            raise
        return _fail(MISSING_EXTRA, EXIT_CONFIG)
    try:
        house = open_house(arguments.house, arguments.solar, arguments.seed, arguments.recording)
    except (InvalidMeasurements, OSError) as error:
        return _fail(str(error), EXIT_CONFIG)
    cloud = SimulatedCloud(house, **_settings(arguments))
    try:
        cloud.start()
    except OSError as error:
        return _fail(f"cannot listen on {arguments.host}:{arguments.port}: {error.strerror or error}", EXIT_CRASHED)
    print(_config_snippet(cloud, mfa=arguments.mfa), file=out, flush=True)
    stopping.wait()
    cloud.stop()
    return EXIT_OK


def _settings(arguments: argparse.Namespace) -> dict[str, Any]:
    account = {"email": arguments.email, "password": arguments.password}
    return {
        **{key: value for key, value in account.items() if value},
        "speed": arguments.speed,
        "host": arguments.host,
        "port": arguments.port,
        "mfa": arguments.mfa,
        "unfinished": arguments.unfinished,
        "cycle_day": arguments.cycle_day,
        "token_life_s": arguments.token_life,
    }


def _config_snippet(cloud: "SimulatedCloud", *, mfa: bool) -> str:
    totp = f"\n  totp_secret: {cloud.totp_secret}" if mfa else ""
    urls = {"api_url": cloud.api_url, "feed_url": cloud.feed_url}
    return SNIPPET.format(email=cloud.email, password=cloud.password, totp=totp, **urls)


def open_house(measured: Path | None, solar: Path | None, seed: int, recording: Path | None = None) -> House:
    """Return the measured or recorded house, or the built-in one as of now; raises InvalidMeasurements or OSError."""
    if recording is not None:
        if measured is not None or solar is not None:
            raise InvalidMeasurements("--recording has devices and sun: leave out --house and --solar")
        return RecordedHouse(recording)
    if measured is None:
        if solar is not None:
            raise InvalidMeasurements("--solar goes with --house: the built-in house has a sun of its own")
        return BuiltInHouse(seed, begins=float(int(time.time())))
    return MeasuredHouse(measured, None if solar is None else read_solar(solar))


def positive(text: str) -> float:
    """Read an option that must be a finite number above 0; raises what argparse tells."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"must be above 0, not {text}")
    return number


def _whole(least: int, most: int) -> Callable[[str], int]:
    """Return the type of an option: a whole number from `least` to `most`."""

    def number(text: str) -> int:
        if not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"must be from {least} to {most}, not {text}")
        return int(text)

    return number


def _fail(message: str, code: int) -> int:
    print(f"sense-mqtt simulate: {message}", file=sys.stderr)  # noqa: T201 - a command's own error
    return code
