"""How many frames a second one bridge process takes in, at what cost, and what becomes of its memory.

A simulated cloud sends frames of thirty devices as fast as they are read, in this process; the bridge is a process of
its own, and so is a real Mosquitto. Run by hand: `make bench`, or `.venv/bin/python bench/sustained.py [FRAMES]`.
Linux only: it reads /proc.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from busy_house import NOON, BusyHouse

from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.mosquitto import HOW_TO_GET_IT, Mosquitto, find_mosquitto

FRAMES = 100_000
SLICES = 20  # memory is looked at so often
FRAME_S = 0.5  # of the house's time
SLICE_TIMEOUT_S = 600.0
AIM_MB, GROWTH_MB = 60.0, 1.0  # less than this over half the run is the allocator, and no growth
AT_ONCE = {"publish": {"device_interval_s": 0, "house_interval_s": 0}}

Start = Callable[[SimulatedCloud, int, Path], Any]  # a context that gives the process id


@dataclass(frozen=True, slots=True)
class Run:
    """What one run showed."""

    name: str
    frames: int
    wall_s: float
    cpu_s: float
    rss_mb: tuple[float, ...]  # after each slice

    @property
    def cpu_us(self) -> float:
        return self.cpu_s / self.frames * 1e6

    @property
    def growth_mb(self) -> float:
        return self.rss_mb[-1] - self.rss_mb[len(self.rss_mb) // 2 - 1]


def main() -> int:
    frames = int(sys.argv[1]) if len(sys.argv) > 1 else FRAMES
    if find_mosquitto() is None:
        print(HOW_TO_GET_IT)
        return 1
    runs = [measure(name, start, frames) for name, start in STARTS.items()]
    tell(runs, frames)
    return 0


# --- who is measured


@contextmanager
def bridge(cloud: SimulatedCloud, port: int, folder: Path, more: Mapping[str, Any]) -> Iterator[int]:
    """Run the bridge in an interpreter of its own, as people do: what tests fork has the tests' memory too."""
    sense = {"email": cloud.email, "password": cloud.password, "api_url": cloud.api_url, "feed_url": cloud.feed_url}
    own = {"sense": sense, "mqtt": {"host": "127.0.0.1", "port": port}, "state_dir": str(folder / "state"), **more}
    file = folder / "config.yaml"
    file.write_text(json.dumps(own))  # JSON is YAML
    file.chmod(0o600)
    with (folder / "bridge.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "sense_mqtt", "run", "--config", str(file)], stderr=log)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()


@contextmanager
def floor(cloud: SimulatedCloud, port: int, _folder: Path) -> Iterator[int]:
    answer = cloud.account.log_in({"email": cloud.email, "password": cloud.password}, "")
    url = f"{cloud.feed_url}/monitors/{cloud.monitor.id}/realtimefeed"
    script = Path(__file__).with_name("floor.py")
    process = subprocess.Popen([sys.executable, str(script), url, answer.body["access_token"], str(port)])
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


STARTS: Mapping[str, Start] = {
    "floor": floor,
    "bridge": lambda cloud, port, folder: bridge(cloud, port, folder, {}),
    "bridge, intervals 0": lambda cloud, port, folder: bridge(cloud, port, folder, AT_ONCE),
}


# --- how


def measure(name: str, start: Start, frames: int) -> Run:
    with (
        tempfile.TemporaryDirectory() as folder,
        Mosquitto(Path(folder)) as broker,
        SimulatedCloud(BusyHouse(), clock_mode="free", step_s=FRAME_S, until=NOON) as cloud,
        start(cloud, broker.port, Path(folder)) as pid,
    ):
        cloud.records.wait(lambda counts: counts.sockets_open == 1)
        begun, cpu_begun, rss = time.monotonic(), cpu_s(pid), []
        for part in range(1, SLICES + 1):
            cloud.run_until(NOON + frames * FRAME_S * part / SLICES, timeout_s=SLICE_TIMEOUT_S)
            rss.append(rss_mb(pid))
        wall_s, used_s = time.monotonic() - begun, cpu_s(pid) - cpu_begun
        return Run(name, cloud.records.counts.frames_sent, wall_s, used_s, tuple(rss))


def cpu_s(pid: int) -> float:
    """Return the seconds of CPU that a process has used, in user and system mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


# --- what is told


def tell(runs: list[Run], frames: int) -> None:
    print(f"{frames} frames of 30 devices as msgpack, from a simulated cloud to Mosquitto\n")
    print(f"{'':22}{'frames/s':>10}{'CPU us':>8}{'times':>7}{'MB first':>10}{'last':>6}{'most':>6}{'growth':>8}")
    for run in runs:
        rate, times, rss = run.frames / run.wall_s, run.cpu_us / runs[0].cpu_us, run.rss_mb
        print(
            f"{run.name:22}{rate:10.0f}{run.cpu_us:8.0f}{times:7.1f}"
            f"{rss[0]:10.1f}{rss[-1]:6.1f}{max(rss):6.1f}{run.growth_mb:8.1f}"
        )
    bridges = runs[1:]
    fits = all(max(run.rss_mb) <= AIM_MB and run.growth_mb < GROWTH_MB for run in bridges)
    print(
        "\nCPU us and times: of a frame, all threads, and how many times the floor's. Growth: MB over the second half."
    )
    print(f"aim: at most {AIM_MB:.0f} MB, no growth: {'met' if fits else 'missed'}")


if __name__ == "__main__":
    sys.exit(main())
