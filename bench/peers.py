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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from busy_house import NOON, BusyHouse
from sustained import FRAME_S, SLICE_TIMEOUT_S, Start, bridge, cpu_s

from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.mosquitto import HOW_TO_GET_IT, Mosquitto, find_mosquitto

FRAMES, WARM_UP, ROUNDS, DRAWING = 10_000, 1_000, 3, 20
# Frames come some 250 times as fast as in life: intervals divided by that publish as many values for each frame.
AS_IN_LIFE = {"publish": {"house_interval_s": 0.04, "device_interval_s": 0.24}}
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


def ours(more: Mapping[str, Any]) -> Start:
    return lambda cloud, port, folder: bridge(cloud, port, folder, more)


def programs() -> Mapping[str, Start]:
    peer = os.environ.get("PEER_PYTHON")
    more: Mapping[str, Start] = (
        {"sense_energy, paho": lambda cloud, port, _: script(peer, "sense_energy_peer.py", cloud, port)} if peer else {}
    )
    return {
        "floor": lambda cloud, port, _: script(sys.executable, "floor.py", cloud, port),
        "bridge, flooded": ours({}),
        "bridge, as in life": ours(AS_IN_LIFE),
        "bridge, at once": ours(AT_ONCE),
        **more,
    }


def measure(start: Start, frames: int, *, json: bool) -> float:
    """Return the CPU microseconds of a frame, without the start."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Mosquitto(Path(folder)) as broker,
        SimulatedCloud(BusyHouse(DRAWING), clock_mode="free", step_s=FRAME_S, until=NOON) as cloud,
    ):
        cloud.faults.no_msgpack = json
        with start(cloud, broker.port, Path(folder)) as pid:
            cloud.records.wait(lambda counts: counts.sockets_open == 1)
            cloud.run_until(NOON + WARM_UP * FRAME_S, timeout_s=SLICE_TIMEOUT_S)
            before = cpu_s(pid)
            cloud.run_until(NOON + (WARM_UP + frames) * FRAME_S, timeout_s=SLICE_TIMEOUT_S)
            return (cpu_s(pid) - before) / frames * 1e6


def main(frames: int) -> int:
    if find_mosquitto() is None:
        print(HOW_TO_GET_IT)
        return 1
    print(f"CPU microseconds of a frame, whole process, {DRAWING} devices draw, {frames} frames, least of {ROUNDS}\n")
    for form in ("msgpack", "JSON"):
        # sense_energy reads msgpack only.
        known = {name: start for name, start in programs().items() if form == "msgpack" or "sense_energy" not in name}
        rounds = [
            {name: measure(start, frames, json=form == "JSON") for name, start in known.items()} for _ in range(ROUNDS)
        ]
        least = {name: min(each[name] for each in rounds) for name in known}
        for name, cost in least.items():
            ratios = [each[name] / each["floor"] for each in rounds]
            middle = statistics.median(ratios)
            print(f"{form:9}{name:22}{cost:6.0f}   {cost / least['floor']:.2f} x floor (median of rounds {middle:.2f})")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else FRAMES))
