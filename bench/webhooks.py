"""Does a webhook delay MQTT? The time from a frame to its event on the broker, without a hook, with one, a slow one.

    .venv/bin/python bench/webhooks.py [ROUNDS]

Twenty devices switch, some 20 events a second, in a bridge process of its own; a real Mosquitto. The three take turns,
so that a busy machine is as busy for each: read the ratios. Linux or macOS: needs fork.
"""

import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from sense_mqtt.core.payloads import read_object
from sense_mqtt.core.timestamps import read_timestamp
from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.mosquitto import HOW_TO_GET_IT, Mosquitto, find_mosquitto
from tests.support.processes.bridge_config import configure
from tests.support.processes.switching_bridge import SwitchingBridge
from tests.support.webhooks.hook_server import HookServer, hook_server

SECONDS = 15.0
SETTLE_S = 4.0
SLOW_S = 5.0


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    if find_mosquitto() is None:
        print(HOW_TO_GET_IT)
        return 1
    delays: dict[str, list[float]] = defaultdict(list)
    with hook_server() as quick, hook_server() as slow:
        slow.answer = stall
        hooks: dict[str, list[HookServer]] = {
            "no hook": [],
            "a hook": [quick],
            "a slow hook": [slow],
            "again no hook": [],
        }
        for _ in range(rounds):
            for name, servers in hooks.items():
                delays[name] += measure([{"url": server.url()} for server in servers])
    floor = statistics.median(delays["no hook"])
    for name, found in delays.items():
        median, high = statistics.median(found), statistics.quantiles(found, n=20)[-1]
        told = f"median {1000 * median:6.1f} ms, 95 % {1000 * high:6.1f} ms, {median / floor:.2f} times"
        print(f"{name:14} {len(found):6} events, {told}")
    return 0


def stall(_path: str, _body: Any) -> tuple[int, dict[str, str]]:
    threading.Event().wait(SLOW_S)
    return 200, {}


def measure(webhooks: list[dict[str, str]]) -> list[float]:
    """Return the delay of each event, in seconds."""
    house = BuiltInHouse(1, begins=time.time())
    with tempfile.TemporaryDirectory() as folder, Mosquitto(Path(folder)) as broker, SimulatedCloud(house) as cloud:
        config = configure(cloud, broker.port, webhooks=webhooks)
        devices = [device.id for device in house.devices]
        with listening(broker.port) as delays, SwitchingBridge(Path(folder), config, devices):
            time.sleep(SETTLE_S)
            delays.clear()
            time.sleep(SECONDS)
            return list(delays)


@contextmanager
def listening(port: int) -> Iterator[list[float]]:
    """Give a list to which the delay of each event is added as it comes."""
    delays: list[float] = []

    def note(_client: Any, _userdata: Any, message: paho.MQTTMessage) -> None:
        told = read_timestamp(read_object(message.payload.decode()).get("time"))
        delays.append(time.time() - (told or 0.0))

    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_message = note
    client.on_connect = lambda *_: client.subscribe("sense/+/device/+/event", 0)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        yield delays
    finally:
        client.disconnect()
        client.loop_stop()


if __name__ == "__main__":
    sys.exit(main())
