"""What the bridge asks of Sense's servers in an ordinary hour, for docs/calls-to-sense.md.

    python -m tests.long.hour_of_manners MODE [MINUTES]

MODE is a feed.mode. The simulated cloud drops sockets after 15 minutes, as the real one does; the home has solar.
"""

import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import Mosquitto
from tests.support.processes.bridge_config import configure
from tests.support.processes.bridge_process import BridgeProcess


def main(mode: str, minutes: int) -> int:
    with (
        tempfile.TemporaryDirectory() as folder,
        Mosquitto(Path(folder)) as broker,
        Listener(broker.port, "sense/+/availability") as listener,
        SimulatedCloud(BuiltInHouse(1, begins=time.time())) as cloud,
        BridgeProcess(Path(folder), configure(cloud, broker.port, feed={"mode": mode})),
    ):
        listener.wait_for_payload("sense/900101/availability", "online", 120)
        time.sleep(minutes * 60)
        asked = Counter(re.sub(r"\d{4,}", "N", request.path) for request in cloud.records.requests())
        for path, times in asked.most_common():
            print(f"{mode}: {times:4d} {path}")
        print(f"{mode}: {sum(asked.values()):4d} in all, most sockets at once {cloud.records.counts.sockets_most}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 60))
