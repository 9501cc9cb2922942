"""How long an edge takes to its state on MQTT, beside a plain floor that publishes the watts of each frame.

Run by hand: `.venv/bin/python bench/latency.py [SECONDS]`, a minute for each of the two. A simulated cloud in this
process sends 25 frames a second of a house in which a device switches on every twelve frames. Needs Mosquitto, Linux.
The time begins before the frame is made, for both alike. Off edges are not measured: they are held back for 2 s.
"""

import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import busy_house
import paho.mqtt.client as paho
from busy_house import NOON, BusyHouse
from paho.mqtt.enums import CallbackAPIVersion
from sustained import FRAME_S, STARTS, Start

from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.mosquitto import HOW_TO_GET_IT, Mosquitto, find_mosquitto

SECONDS, PERIOD_S, DRAWING, WARM_UP = 60.0, 0.04, 20, 200
STEP_TIMEOUT_S = 60.0
busy_house.SWITCH_S, busy_house.PAUSE_S = 12 * FRAME_S, 6 * FRAME_S  # of the house's time


class Arrivals:
    """Notes when (monotonic) a message came on a topic that ends so, with one of these payloads (none: any)."""

    def __init__(self, port: int, topic: str, payload: bytes | None) -> None:
        self.times: list[float] = []
        self._payload = payload
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._keep
        self._client.connect("127.0.0.1", port)
        self._client.subscribe(topic)
        self._client.loop_start()

    def close(self) -> None:
        self._client.loop_stop()

    def _keep(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        if self._payload in (None, message.payload) and not message.retain:
            self.times.append(time.monotonic())


def measure(name: str, start: Start, seconds: float) -> list[float]:
    """Return the times, in s, sorted."""
    house = BusyHouse(DRAWING)
    topic, payload = ("floor/power", None) if name == "floor" else ("sense/+/device/+/state", b"ON")
    with (
        tempfile.TemporaryDirectory() as folder,
        Mosquitto(Path(folder)) as broker,
        SimulatedCloud(house, clock_mode="free", step_s=FRAME_S, until=NOON) as cloud,
        start(cloud, broker.port, Path(folder)),
    ):
        cloud.records.wait(lambda counts: counts.sockets_open == 1)
        cloud.run_until(NOON + WARM_UP * FRAME_S, timeout_s=STEP_TIMEOUT_S)
        time.sleep(5.0)  # what was held back is published
        arrivals = Arrivals(broker.port, topic, payload)
        time.sleep(1.0)
        found = []
        for number in range(WARM_UP + 1, WARM_UP + 1 + round(seconds / PERIOD_S)):
            before, at = NOON + (number - 1) * FRAME_S, NOON + number * FRAME_S
            is_edge = any(each.kind == "turned_on" for each in house.transitions(before, at))
            arrivals.times.clear()
            sent = time.monotonic()
            cloud.run_until(at, timeout_s=STEP_TIMEOUT_S)
            threading.Event().wait(max(0.0, sent + PERIOD_S - time.monotonic()))
            if (is_edge or name == "floor") and arrivals.times:
                found.append(arrivals.times[0] - sent)
        arrivals.close()
        return sorted(found)


def main(seconds: float) -> int:
    if find_mosquitto() is None:
        print(HOW_TO_GET_IT)
        return 1
    p99 = dict[str, float]()
    for name in ("floor", "bridge"):
        times = measure(name, STARTS[name], seconds)
        p50, p99[name] = times[len(times) // 2], times[int(len(times) * 0.99)]
        print(f"{name:7}{len(times):6} times, p50 {p50 * 1e3:.1f} ms, p99 {p99[name] * 1e3:.1f} ms", flush=True)
    print(f"p99 of the bridge: {p99['bridge'] / p99['floor']:.2f} times the floor's (aim: at most 2)")
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS))
