"""10,000 events to a webhook server that fails at random, and ten times `kill -9`: does each event arrive, in order?

    python -m tests.long.ten_thousand_posts [EVENTS] [KILLS]

Needs Mosquitto on this machine. Of 100 posts 5 are answered with 500, 2 with 503, 1 with 429, 2 break off before and 2
after the event was taken. Prints what was counted; exit code 1 where an event is missing, or a device's events come in
another order than on MQTT.
"""

import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import Mosquitto
from tests.support.processes.bridge_config import configure
from tests.support.processes.switching_bridge import SwitchingBridge
from tests.support.webhooks.hook_server import HookServer, hook_server

QUIET_S = 20.0  # without a new post: nothing is to come
HANG_UP = 0


def fail_at_random(dice: random.Random) -> Any:
    faults = Counter[str]()

    def answer(_path: str, _body: Any) -> tuple[int, dict[str, str]]:
        fate = dice.random()
        for below, status, headers in (
            (0.05, 500, {}),
            (0.07, 503, {}),
            (0.08, 429, {"Retry-After": "1"}),
            (0.10, HANG_UP, {}),
        ):
            if fate < below:
                faults[str(status)] += 1
                return status, headers
        return 200, {}

    return answer, faults


def main(events: int, kills: int) -> int:
    dice = random.Random(1)
    house = BuiltInHouse(1, begins=time.time())
    with (
        tempfile.TemporaryDirectory() as folder,
        Mosquitto(Path(folder)) as broker,
        Listener(broker.port, "sense/+/device/+/event") as listener,
        SimulatedCloud(house) as cloud,
        hook_server() as hook,
    ):
        hook.answer, faults = fail_at_random(dice)
        config = configure(cloud, broker.port, webhooks=[{"url": hook.url()}])
        with SwitchingBridge(Path(folder), config, [device.id for device in house.devices]) as bridge:
            for kill in range(kills + 1):
                wait_for_events(listener, events * (kill + 1) // (kills + 1))
                bridge.kill()
                if kill < kills:
                    bridge.start()
            bridge.devices = []
            bridge.start()  # nothing switches any more: what waits goes out
            wait_until_quiet(hook)
        return report(hook, [heard.document for heard in listener.messages()], faults)


def ids(events: list[Any]) -> set[str]:
    return {event["id"] for event in events}


def wait_for_events(listener: Listener, many: int) -> None:
    """Wait until so many were told on MQTT; the hook may be behind."""
    while len(ids([heard.document for heard in listener.messages()])) < many:
        time.sleep(0.2)


def wait_until_quiet(hook: HookServer) -> None:
    posts, since = hook.posts, time.monotonic()
    while time.monotonic() - since < QUIET_S:
        time.sleep(0.2)
        if hook.posts != posts:
            posts, since = hook.posts, time.monotonic()


def report(hook: HookServer, published: list[Any], faults: Counter[str]) -> int:
    bodies = hook.bodies
    missing, unheard = ids(published) - ids(bodies), ids(bodies) - ids(published)
    both = ids(published) & ids(bodies)
    posted, told = (order_by_device(event for event in events if event["id"] in both) for events in (bodies, published))
    wrong = [device for device in told if posted[device] != told[device]]
    print(f"{len(ids(bodies))} events of {len(posted)} devices by {hook.posts} posts; faults: {dict(faults)}")
    print(
        f"taken twice: {len(bodies) - len(ids(bodies))}; on MQTT only: {len(missing)}; by the hook only: {len(unheard)}"
    )
    print(f"devices whose events came in another order than on MQTT: {len(wrong)}")
    for device in wrong:
        print(f"  {device}: by the hook {posted[device]}, on MQTT {told[device]}")
    return 1 if missing or wrong else 0


def order_by_device(events: Iterable[Any]) -> dict[str, list[str]]:
    """Return the ids of each device's events in the order in which each came first.

    That of their times it is not: an event that is `late` comes after newer ones (docs/topics.md).
    """
    first = {event["id"]: event["device"] for event in events}
    order: dict[str, list[str]] = {}
    for id_, device in first.items():
        order.setdefault(device, []).append(id_)
    return order


if __name__ == "__main__":
    sys.exit(main(*(int(given) for given in (sys.argv[1:] + ["10000", "10"][len(sys.argv) - 1 :]))))
