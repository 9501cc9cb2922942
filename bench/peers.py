"""What a frame costs the whole process, beside a plain floor and other programs, in one interleaved run.

Run by hand: `.venv/bin/python bench/peers.py [FRAMES]`, ten minutes. A simulated cloud sends frames of a house of which
twenty devices draw as fast as they are read; each program is a process of its own, and so is Mosquitto. CPU of all its
threads is read from /proc, so Linux only. PEER_PYTHON names an interpreter with `sense_energy`: that is measured too.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from busy_house import NOON, BusyHouse
from msgspec import Struct
from sustained import FRAME_S, SLICE_TIMEOUT_S, Start, bridge, cpu_s

from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import HOW_TO_GET_IT, Mosquitto, find_mosquitto

PACKETS = "$SYS/broker/messages/received"  # Mosquitto 2.0.11 leaves retained messages out of `publish/messages`
FRAMES, WARM_UP, ROUNDS, DRAWING = 10_000, 1_000, 3, 20
HOUSE_INTERVAL_S, DEVICE_INTERVAL_S = 10.0, 60.0  # as they are without configuration
SYS_INTERVAL_S = 1  # so often Mosquitto says how many packets it got
AT_ONCE = {"publish": {"house_interval_s": 0, "device_interval_s": 0}}


@contextmanager
def script(python: str, name: str, cloud: SimulatedCloud, port: int) -> Iterator[int]:
    """Run a script of this folder with address, token and port; give its process id."""
    answer = cloud.account.log_in({"email": cloud.email, "password": cloud.password}, "")
    url = f"{cloud.feed_url}/monitors/{cloud.monitor.id}/realtimefeed"
    command = [python, str(Path(__file__).with_name(name)), url, answer.body["access_token"], str(port)]
    process = subprocess.Popen(command)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


class Result(Struct, frozen=True):
    """What one run of one program showed."""

    cpu_us: float  # of a frame
    frames_s: float
    packets: float  # that the broker got, for each frame: messages, and PUBACKs of our own events that come back

    @property
    def speed(self) -> float:
        """How many times as fast as in life frames came."""
        return self.frames_s * FRAME_S


def ours(more: Mapping[str, Any]) -> Start:
    return lambda cloud, port, folder: bridge(cloud, port, folder, more)


def as_in_life(flooded: Result) -> Start:
    """Publish as many values for each frame as at two frames a second, by intervals that are as much shorter."""
    house_s, device_s = HOUSE_INTERVAL_S / flooded.speed, DEVICE_INTERVAL_S / flooded.speed
    return ours({"publish": {"house_interval_s": house_s, "device_interval_s": device_s}})


def round_of(form: str, frames: int) -> Mapping[str, Result]:
    """Let each program have its turn."""

    def run(start: Start) -> Result:
        return measure(start, frames, json=form == "JSON")

    peer = os.environ.get("PEER_PYTHON")
    results = {
        "floor": run(lambda cloud, port, _: script(sys.executable, "floor.py", cloud, port)),
        "bridge, flooded": (flooded := run(ours({}))),
        "bridge, as in life": run(as_in_life(flooded)),
        "bridge, at once": run(ours(AT_ONCE)),
    }
    if peer and form == "msgpack":  # it reads nothing else
        results["sense_energy, paho"] = run(lambda cloud, port, _: script(peer, "sense_energy_peer.py", cloud, port))
    return results


def measure(start: Start, frames: int, *, json: bool) -> Result:
    """Return what a program did, without its start."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Mosquitto(Path(folder), f"sys_interval {SYS_INTERVAL_S}") as broker,
        Listener(broker.port, PACKETS) as listener,
        SimulatedCloud(BusyHouse(DRAWING), clock_mode="free", step_s=FRAME_S, until=NOON) as cloud,
    ):
        cloud.faults.no_msgpack = json
        with start(cloud, broker.port, Path(folder)) as pid:
            cloud.records.wait(lambda counts: counts.sockets_open == 1)
            cloud.run_until(NOON + WARM_UP * FRAME_S, timeout_s=SLICE_TIMEOUT_S)
            packets, cpu, begun = received(listener), cpu_s(pid), time.monotonic()
            cloud.run_until(NOON + (WARM_UP + frames) * FRAME_S, timeout_s=SLICE_TIMEOUT_S)
            took_s, used_s = time.monotonic() - begun, cpu_s(pid) - cpu
            return Result(used_s / frames * 1e6, frames / took_s, (received(listener) - packets) / frames)


def received(listener: Listener) -> int:
    """Return how many packets Mosquitto has got until now."""
    time.sleep(3 * SYS_INTERVAL_S)
    return int(listener.latest()[PACKETS])


def main(frames: int) -> int:
    if find_mosquitto() is None:
        print(HOW_TO_GET_IT)
        return 1
    print(f"CPU microseconds of a frame, whole process, {DRAWING} devices draw, {frames} frames, least of {ROUNDS}\n")
    for form in ("msgpack", "JSON"):
        rounds = [round_of(form, frames) for _ in range(ROUNDS)]
        least = {name: min(each[name].cpu_us for each in rounds) for name in rounds[0]}
        for name, cost in least.items():
            middle = statistics.median(each[name].cpu_us / each["floor"].cpu_us for each in rounds)
            packets = statistics.median(each[name].packets for each in rounds)
            print(
                f"{form:9}{name:22}{cost:6.0f}   {cost / least['floor']:.2f} x floor (median of rounds {middle:.2f}), "
                f"{packets:.2f} packets a frame"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else FRAMES))
