"""How many homes one process carries: threads, memory, CPU, latency, lost frames, and the way back after a cut.

Run by hand: `.venv/bin/python bench/homes.py [HOMES ...]`, such as `bench/homes.py 1 100 1000`. One account with so
many monitors, Mosquitto, `sense-mqtt run` in a process of its own. Needs Mosquitto and Linux; three to six minutes for
each, with `--quick` first among the arguments one and a half less: the frames that are on their way count as lost then.
"""

import compileall
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import json
import statistics

import paho.mqtt.client as paho
from many_homes_feed import ManyHomesFeed
from paho.mqtt.enums import CallbackAPIVersion
from sustained import cpu_s, rss_mb

from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.mosquitto import HOW_TO_GET_IT, Mosquitto, find_mosquitto

PACKAGE = Path(__file__).parents[1] / "sense_mqtt"
HOMES = (1, 100, 300, 1000)
ONLINE_S, SETTLE_S, MEASURE_S, BACK_S = 120.0, 15.0, 30.0, 60.0
LISTS_S = 150.0  # at most: an account reads one list of devices a second, and each holds up the others
JUMP_W = 500.0
HEALTH_S, SILENT_S, STOP_S = 60.0, 10.0, 60.0


class Subscriber:
    """Keeps when each home came online, and how late each house value was."""

    def __init__(self, feed: ManyHomesFeed, port: int) -> None:
        self.online: set[int] = set()
        self.first_watts: dict[int, float] = {}  # of each home: monotonic
        self.spoke: dict[int, float] = {}  # of watts above JUMP_W: monotonic
        self.latencies: list[float] = []
        self.frames_taken = 0
        self.frames_behind = -1  # sent and not taken in when the bridge said last how many it took; -1: it did not yet
        self._feed = feed
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._keep
        self._client.connect("127.0.0.1", port)
        self._client.subscribe([("sense/+/power", 0), ("sense/+/availability", 0), ("sense/bridge/health", 0)])
        self._client.loop_start()

    def close(self) -> None:
        self._client.loop_stop()

    def _keep(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        now, (_, home, topic) = time.monotonic(), message.topic.split("/")
        if topic == "health":
            self.frames_taken = json.loads(message.payload)["frames"]
            self.frames_behind = self._feed.frames_sent - self.frames_taken
        elif topic == "availability":
            (self.online.add if message.payload == b"online" else self.online.discard)(int(home))
        else:
            watts = float(message.payload)
            self.first_watts.setdefault(int(home), now)
            sent_at = self._feed.sent_at.get((int(home), watts))
            if sent_at is not None:
                self.latencies.append(now - sent_at)
            if watts >= 2 * JUMP_W + 1000:
                self.spoke.setdefault(int(home), now)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run showed. Times in s."""

    homes: int
    online: int
    online_s: float
    first_watts_s: tuple[float, float]  # half of the homes, all
    start_cpu_s: float
    threads: int
    rss_mb: float
    cores: float
    p50_ms: float
    p99_ms: float
    values: int
    lost: int
    back_s: tuple[float, float]  # half of the homes, all
    back: int


def main() -> int:
    if find_mosquitto() is None:
        print(HOW_TO_GET_IT)
        return 1
    heads = (
        "homes",
        "online",
        "after s",
        "first W: half s",
        "all s",
        "CPU s",
        "threads",
        "MB",
        "cores",
        "p50 ms",
        "p99 ms",
    )
    print("".join(f"{head:>{len(head) + 2}}" for head in (*heads, "values", "lost", "back", "half s", "all s")))
    compileall.compile_dir(PACKAGE, quiet=1)  # as pip does; PYTHONDONTWRITEBYTECODE would have each start compile all
    is_quick = sys.argv[1:2] == ["--quick"]
    for homes in [int(each) for each in sys.argv[1 + is_quick :]] or HOMES:
        tell(measure(homes, is_quick=is_quick))
    return 0


def measure(homes: int, *, is_quick: bool) -> Figures:
    house = BuiltInHouse(seed=1)
    with (
        tempfile.TemporaryDirectory() as folder,
        Mosquitto(Path(folder)) as broker,
        SimulatedCloud(*[house] * homes, clock_mode="manual") as cloud,
        ManyHomesFeed() as feed,
    ):
        subscriber = Subscriber(feed, broker.port)
        process = start(cloud, feed, broker.port, Path(folder))
        try:
            return watch(homes, feed, subscriber, process.pid, is_quick=is_quick)
        finally:
            end(process)
            subscriber.close()


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        print(f"the bridge did not stop within {STOP_S:.0f} s and was killed")
        process.kill()
        process.wait()


def start(cloud: SimulatedCloud, feed: ManyHomesFeed, port: int, folder: Path) -> subprocess.Popen[bytes]:
    config = {
        "sense": {
            "email": cloud.email,
            "password": cloud.password,
            "api_url": cloud.api_url,
            "feed_url": f"ws://127.0.0.1:{feed.port}",
        },
        "mqtt": {"host": "127.0.0.1", "port": port},
        "publish": {"jump_w": JUMP_W},
        "state_dir": str(folder / "state"),
    }
    file = folder / "config.yaml"
    file.write_text(json.dumps(config))  # JSON is YAML
    file.chmod(0o600)
    with (folder / "bridge.log").open("wb") as log:
        command = [sys.executable, "-m", "sense_mqtt", "run", "--config", str(file)]
        # A session of its own: Linux divides the cores among sessions, and what sends the frames must not take ours.
        return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


def watch(homes: int, feed: ManyHomesFeed, subscriber: Subscriber, pid: int, *, is_quick: bool) -> Figures:
    begun = time.monotonic()
    until(lambda: len(subscriber.online) >= homes, ONLINE_S)
    online_s, start_cpu_s = time.monotonic() - begun, cpu_s(pid)
    first = sorted(at - begun for at in subscriber.first_watts.values()) or [float("nan")]
    time.sleep(SETTLE_S + min(homes, LISTS_S))
    subscriber.latencies.clear()
    subscriber.frames_behind = -1
    since, cpu_since = time.monotonic(), cpu_s(pid)
    time.sleep(MEASURE_S)
    cores = (cpu_s(pid) - cpu_since) / (time.monotonic() - since)
    latencies = sorted(subscriber.latencies) or [float("nan")]
    online, threads, rss = len(subscriber.online), thread_count(pid), rss_mb(pid)
    lost = frames_behind(subscriber) if is_quick else lost_frames(feed, subscriber)
    back = sorted(way_back(homes, feed, subscriber))
    half_s, all_s = (statistics.median(back), back[-1]) if back else (float("nan"),) * 2
    p50, p99 = latencies[len(latencies) // 2], latencies[int(len(latencies) * 0.99)]
    return Figures(
        homes, online, online_s, (statistics.median(first), first[-1]), start_cpu_s, threads, rss, cores,
        p50 * 1e3, p99 * 1e3, len(latencies), lost, (half_s, all_s), len(back),
    )  # fmt: skip


def frames_behind(subscriber: Subscriber) -> int:
    """Return how many frames were lost or on their way when the bridge said how many it took: once a minute."""
    until(lambda: subscriber.frames_behind >= 0, HEALTH_S + 10.0)
    return subscriber.frames_behind


def lost_frames(feed: ManyHomesFeed, subscriber: Subscriber) -> int:
    """Return how many frames were sent and never taken in: the bridge says each minute how many it took.

    It is silent for some seconds before the bridge says so, fewer than the bridge bears.
    """
    subscriber.frames_taken = 0
    until(lambda: subscriber.frames_taken > 0, HEALTH_S + 10.0)
    time.sleep(HEALTH_S - SILENT_S)
    feed.stop_sending()
    subscriber.frames_taken = 0
    until(lambda: subscriber.frames_taken > 0, 2 * SILENT_S)
    feed.go_on_sending()
    return feed.frames_sent - subscriber.frames_taken


def way_back(homes: int, feed: ManyHomesFeed, subscriber: Subscriber) -> list[float]:
    """Cut all sockets; return after how many seconds each home spoke again."""
    until(lambda: feed.open_sockets >= homes, BACK_S)
    time.sleep(SETTLE_S)
    subscriber.spoke.clear()
    cut = time.monotonic()
    feed.cut_all()
    feed.raised_w = 3 * JUMP_W
    until(lambda: len(subscriber.spoke) >= homes, BACK_S)
    return [at - cut for at in subscriber.spoke.values()]


def until(is_so: Callable[[], bool], seconds: float) -> None:
    ends = time.monotonic() + seconds
    while not is_so() and time.monotonic() < ends:
        threading.Event().wait(0.02)


def thread_count(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Threads:"))


def tell(run: Figures) -> None:
    print(
        f"{run.homes:7}{run.online:8}{run.online_s:9.1f}{run.first_watts_s[0]:17.1f}{run.first_watts_s[1]:7.1f}"
        f"{run.start_cpu_s:7.1f}{run.threads:9}{run.rss_mb:4.0f}{run.cores:7.2f}{run.p50_ms:8.1f}{run.p99_ms:8.1f}"
        f"{run.values:8}{run.lost:6}{run.back:6}{run.back_s[0]:8.1f}{run.back_s[1]:7.1f}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
