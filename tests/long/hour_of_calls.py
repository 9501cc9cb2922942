"""What the bridge asks of Sense's servers in an ordinary hour, for docs/calls-to-sense.md.

    python -m tests.long.hour_of_calls MODE [MINUTES] [no-solar]

MODE is a feed.mode. The simulated cloud drops sockets after 15 minutes, as the real one does.
"""

import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from sense_mqtt.simulator.house.builtin import BuiltInHouse, RandomHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import Mosquitto
from tests.support.processes.bridge_config import configure
from tests.support.processes.bridge_process import BridgeProcess


def main(mode: str, minutes: int = 60, *, solar: bool = True) -> int:
    begins = time.time()
    house = BuiltInHouse(1, begins=begins) if solar else RandomHouse(20, on_s=600.0, off_s=1200.0, begins=begins)
    with (
        tempfile.TemporaryDirectory() as folder,
        Mosquitto(Path(folder)) as broker,
        Listener(broker.port, "sense/+/availability") as listener,
        SimulatedCloud(house) as cloud,
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
    minutes_asked = [int(word) for word in sys.argv[2:] if word.isdigit()]
    sys.exit(main(sys.argv[1], *minutes_asked, solar="no-solar" not in sys.argv))
