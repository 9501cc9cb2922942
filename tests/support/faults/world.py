"""The world around one bridge: simulated cloud, real Mosquitto, proxies between, and somebody who listens."""

import contextlib
import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sense_mqtt.simulator.house.builtin import RandomHouse
from sense_mqtt.simulator.server.cloud import FIRST_MONITOR, SimulatedCloud
from tests.support.faults.bridge_under_test import BridgeUnderTest
from tests.support.faults.disk import SmallDisk
from tests.support.faults.plan import STEP_S, Plan
from tests.support.faults.proxy import Proxy
from tests.support.faults.shared_clock import SharedClockWriter
from tests.support.faults.subscriber import Subscriber
from tests.support.mqtt.mosquitto import Mosquitto

CHUNK_S = 5.0  # house seconds between two checkpoints
INBOX_S = 40.0  # what a bridge may have received and not looked at yet: 64 frames, and some under way
SILENCE_S = 2.0  # the bridge's feed.silence_timeout_s
KEEPALIVE_S = 3  # and its mqtt.keepalive_s: a stalled broker is given up after twice that
READY_TIMEOUT_S = 30.0
POLL_S = 0.1  # real seconds between two polls, in poll mode

SHORTER = {
    "sense": {"timeout_s": 1.0},
    "feed": {"silence_timeout_s": SILENCE_S, "poll_interval_s": POLL_S},
    "mqtt": {"keepalive_s": KEEPALIVE_S},
}

GAP_MOST_S = 400.0  # house seconds that nobody sees, in one fault


@dataclass(slots=True)
class World:
    """All parts, and what the harness learns on the way."""

    plan: Plan
    base: str
    broker: Mosquitto
    cloud: SimulatedCloud
    clock: SharedClockWriter
    feed_proxy: Proxy
    rest_proxy: Proxy
    broker_proxy: Proxy
    subscriber: Subscriber
    disk: SmallDisk
    bridge: BridgeUnderTest
    checkpoints: list[float] = field(default_factory=list)
    lossy_spans: list[tuple[float, float]] = field(default_factory=list)
    kill_spans: list[tuple[float, float]] = field(default_factory=list)
    reached: list[str] = field(default_factory=list)  # crash points that the bridge reached
    crashes: list[int] = field(default_factory=list)  # exit codes of bridges that ended without being asked

    @property
    def house(self) -> RandomHouse:
        house = self.cloud.house
        assert isinstance(house, RandomHouse)
        return house

    def run_house(self, seconds: float, timeout_s: float) -> bool:
        """Let the house go on; False where nobody listened long enough within the time."""
        goal, ends = self.cloud.now + max(seconds, self.plan.frame_interval_s), time.monotonic() + timeout_s
        run = self._poll_once if self.plan.mode == "poll" else self._run_chunk
        while self.cloud.now + self.plan.frame_interval_s <= goal:
            left_s = ends - time.monotonic()
            if left_s <= 0:
                return False
            run(min(self.cloud.now + CHUNK_S, goal), left_s)
        return True

    def _poll_once(self, _until: float, timeout_s: float) -> None:
        """Move the house on by one stride, and wait for a poll that shows it."""
        self.cloud.outage(self.plan.frame_interval_s)
        began = time.monotonic()
        if self.cloud.records.wait(lambda _: self._was_polled(began), timeout_s):
            self.checkpoints.append(self.cloud.now)

    def _was_polled(self, since: float) -> bool:
        # Whoever asks again has looked at the answer before: its time is that of its arrival.
        polls = self.cloud.records.requests("realtime_update")[-2:]
        return len(polls) == 2 and all(poll.monotonic >= since and poll.status == 200 for poll in polls)

    def _run_chunk(self, until: float, timeout_s: float) -> None:
        before = self.cloud.records.counts.sockets_opened
        with contextlib.suppress(TimeoutError):  # a stalled socket confirms nothing
            arrived = self.cloud.run_until(until, timeout_s=timeout_s)
            counts = self.cloud.records.counts
            if arrived and counts.sockets_open and counts.sockets_opened == before:
                self.checkpoints.append(self.cloud.now)

    def pass_unseen(self, seconds: float) -> None:
        """Let house time pass that no frame tells of, all sockets dropped."""
        self.cloud.outage(seconds)

    def discard_recent_checkpoints(self) -> None:
        """What was received last may not have been looked at: the bridge was killed, or could not keep it."""
        since = self.cloud.now - INBOX_S
        self.checkpoints = [moment for moment in self.checkpoints if moment < since]

    def restart_if_ended(self) -> None:
        """Start the bridge again where it ended without being asked, as a supervisor does."""
        if not self.bridge.is_alive:
            self.crashes.append(self.bridge.stop())
            self.discard_recent_checkpoints()
            self.bridge.start()

    @contextlib.contextmanager
    def killed(self) -> Iterator[None]:
        """Within, the bridge is killed; it is started at the end."""
        began = time.monotonic()
        yield
        self.kill_spans.append((began, time.monotonic()))
        self.discard_recent_checkpoints()
        self.bridge.start()

    @contextlib.contextmanager
    def losing_frames(self) -> Iterator[None]:
        """Within, frames get lost, spoiled, or cannot be kept."""
        began = self.cloud.now
        yield
        self.lossy_spans.append((began - INBOX_S, self.cloud.now + INBOX_S))
        self.discard_recent_checkpoints()

    def wait_until_ready(self) -> None:
        """Return once the bridge knows every device and has told of its first frame."""

        def ready() -> bool:
            rows = json.loads(self.subscriber.latest.get(f"{FIRST_MONITOR}/devices", "[]"))
            known = {row["id"] for row in rows if row["on"] is not None}
            return known >= {device.id for device in self.house.devices} and self.is_online()

        assert self.subscriber.wait_for(ready, READY_TIMEOUT_S), "the bridge does not get ready"
        self.bridge.measure_memory()

    def is_online(self) -> bool:
        latest = self.subscriber.latest
        return latest.get(f"{FIRST_MONITOR}/availability") == "online" and latest.get("bridge/state") == "online"


# A fault: it begins, the house goes on, it ends.
Begin = Callable[[World, random.Random], contextlib.AbstractContextManager[None]]


@contextlib.contextmanager
def build(plan: Plan, folder: Path) -> Iterator[World]:
    """Start everything but the bridge; end everything, the bridge too."""
    base = f"s{plan.seed}"
    house = plan.house()
    clock = SharedClockWriter(folder / "clock", house.begins)
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(folder))
        cloud = SimulatedCloud(house, clock_mode="free", step_s=STEP_S, until=house.begins, wall=clock.wall)
        stack.enter_context(cloud)
        plan.set_timeline(cloud.timeline_settings)
        cloud.rules.grace = True  # else an answer to a renewal that gets lost costs a login, and those are rationed
        stack.callback(clock.follow(cloud.monitor.wait_until, lambda: cloud.now).close)
        cloud_port = int(cloud.feed_url.rpartition(":")[2])
        feed_proxy, rest_proxy = (stack.enter_context(Proxy(cloud_port, plan.seed)) for _ in range(2))
        broker_proxy = stack.enter_context(Proxy(broker.port, plan.seed))
        subscriber = stack.enter_context(Subscriber(broker.port, base))
        disk = stack.enter_context(SmallDisk(folder / "state"))
        config = _configure(plan, base, cloud, (feed_proxy.port, rest_proxy.port, broker_proxy.port), disk.path)
        bridge = BridgeUnderTest(folder, config, folder / "clock", SHORTER)
        stack.callback(lambda: bridge.kill() if bridge.is_alive else None)
        yield World(plan, base, broker, cloud, clock, feed_proxy, rest_proxy, broker_proxy, subscriber, disk, bridge)


def _configure(
    plan: Plan, base: str, cloud: SimulatedCloud, ports: tuple[int, int, int], state_dir: Path
) -> dict[str, Any]:
    feed_port, rest_port, broker_port = ports
    path = cloud.api_url.split("/", 3)[3]
    sense = {
        "email": cloud.email,
        "password": cloud.password,
        "api_url": f"http://127.0.0.1:{rest_port}/{path}",
        "feed_url": f"ws://127.0.0.1:{feed_port}",
    }
    mqtt = {"host": "127.0.0.1", "port": broker_port, "base_topic": base}
    return {"sense": sense, "mqtt": mqtt, "feed": {"mode": plan.mode}, "state_dir": str(state_dir)}
