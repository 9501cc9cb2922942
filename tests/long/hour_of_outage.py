"""An outage of an hour, in four parts: how does the bridge behave towards Sense, and how soon is it back?

    python -m tests.long.hour_of_outage [MINUTES]

A quarter each: every answer a 5xx page, every answer 429, sockets refused, sockets that stay silent. Prints for each
quarter the attempts and their gaps; exit code 1 where there was more than one login, or socket at once.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import Mosquitto
from tests.support.processes.bridge_config import configure
from tests.support.processes.bridge_process import BridgeProcess

HEALTHY_S = 90
QUARTERS: dict[str, Callable[[SimulatedCloud], object]] = {
    "5xx": lambda cloud: cloud.faults.refuse(503),
    "429": lambda cloud: cloud.faults.refuse(429, retry_after=30),
    "refused sockets": lambda cloud: cloud.faults.refuse(403, path="realtimefeed"),
    "silence": lambda cloud: setattr(cloud.faults, "silent", True),
}


def main(minutes: int) -> int:
    with (
        tempfile.TemporaryDirectory() as folder,
        Mosquitto(Path(folder)) as broker,
        Listener(broker.port) as listener,
        SimulatedCloud(BuiltInHouse(1, begins=time.time())) as cloud,
        BridgeProcess(Path(folder), configure(cloud, broker.port)) as bridge,
    ):
        listener.wait_for_payload("sense/900101/availability", "online")
        time.sleep(HEALTHY_S)
        for name, begin in QUARTERS.items():
            began = time.monotonic()
            begin(cloud)
            cloud.drop_sockets()
            time.sleep(minutes * 60 / len(QUARTERS))
            report(name, cloud, began)
            cloud.faults.clear()
        cloud.drop_sockets()
        ended, frames = time.monotonic(), cloud.records.counts.frames_sent
        back = cloud.records.wait(lambda counts: counts.frames_sent > frames + 1 and counts.sockets_open == 1, 20 * 60)
        print(f"a stream again after {time.monotonic() - ended:.0f} s: {back}", flush=True)
        counts = cloud.records.counts
        print(f"logins {len(cloud.records.requests('authenticate'))}, most sockets at once {counts.sockets_most}")
        print(bridge.log)
    return 0 if len(cloud.records.requests("authenticate")) == 1 and counts.sockets_most == 1 else 1


def report(name: str, cloud: SimulatedCloud, began: float) -> None:
    for what in ("realtimefeed", "realtime_update", "apiservice"):
        times = [request.monotonic - began for request in cloud.records.requests(what) if request.monotonic >= began]
        gaps = [f"{later - sooner:.0f}" for sooner, later in pairwise(times)]
        print(f"{name}: {what}: {len(times)} requests, gaps in s: {' '.join(gaps)}", flush=True)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 60))
