"""Access tokens that live 30 s, and a `kill -9` every minute, for an hour: how many password logins does it take?

    python -m tests.long.hour_of_kills [MINUTES]

Needs Mosquitto on this machine. Prints what the simulated cloud counted; exit code 1 where it was more than one.
"""

import random
import sys
import tempfile
import time
from pathlib import Path

from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import Mosquitto
from tests.support.processes.bridge_config import configure
from tests.support.processes.bridge_process import BridgeProcess

TOKEN_LIFE_S = 30
KILL_EVERY_S = 60


def main(minutes: int) -> int:
    dice = random.Random(1)
    with (
        tempfile.TemporaryDirectory() as folder,
        Mosquitto(Path(folder)) as broker,
        Listener(broker.port, "sense/+/device/+/event", "sense/bridge/state") as listener,
        SimulatedCloud(BuiltInHouse(1, begins=time.time()), token_life_s=TOKEN_LIFE_S) as cloud,
        BridgeProcess(Path(folder), configure(cloud, broker.port)) as bridge,
    ):
        for minute in range(1, minutes + 1):
            time.sleep(KILL_EVERY_S + dice.uniform(-5, 5))
            bridge.kill()
            bridge.start()
            counts = cloud.records.counts
            renewals = f"{counts.renews} renewals, {counts.renews_refused} refused"
            print(f"minute {minute}: {counts.logins} logins, {renewals}, {len(listener.events())} events", flush=True)
    return 0 if counts.logins == 1 else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 60))
