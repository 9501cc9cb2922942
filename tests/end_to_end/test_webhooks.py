"""Webhooks of a real process that is killed, posting to a real server that fails."""

import time
from pathlib import Path
from typing import Any

import pytest

from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.long import ten_thousand_posts
from tests.support.mqtt.listener import Listener
from tests.support.processes.bridge_config import configure
from tests.support.processes.switching_bridge import SwitchingBridge
from tests.support.sense.sense_fixtures import wait_for
from tests.support.webhooks.hook_server import hook_server


def test_each_event_arrives_in_order_over_a_kill_and_a_server_that_fails(broker_port: int, tmp_path: Path):
    house = BuiltInHouse(1, begins=time.time())
    devices = [device.id for device in house.devices][:3]
    with (
        SimulatedCloud(house) as cloud,
        Listener(broker_port, "sense/+/device/+/event") as listener,
        hook_server() as hook,
        SwitchingBridge(tmp_path, configure(cloud, broker_port, webhooks=[{"url": hook.url()}]), devices) as bridge,
    ):
        fates = iter([500, 200, 0, 429])
        hook.answer = lambda _path, _body: (next(fates, 200), {})
        wait_for(lambda: len(hook.bodies) >= 5)
        bridge.kill()
        bridge.devices = []  # nothing switches any more
        bridge.start()
        wait_for(lambda: bridge.log.count(" starts") == 2)  # from there on it can be told to stop
        wait_for(lambda: ids(hook.bodies) >= (told := ids([h.document for h in listener.messages()])) and len(told) > 5)
        assert bridge.stop() == 0
        assert hook.url() not in bridge.log
    firsts: dict[str, Any] = {}
    for body in hook.bodies:
        firsts.setdefault(body["id"], body)
    for device in devices:
        times = [body["time"] for body in firsts.values() if body["device"] == device]
        assert times == sorted(times)


@pytest.mark.long
@pytest.mark.timeout(2_400)
@pytest.mark.usefixtures("mosquitto")
def test_none_of_ten_thousand_events_is_lost_or_out_of_order_over_ten_kills():
    assert ten_thousand_posts.main(10_000, 10) == 0


def ids(events: list[Any]) -> set[str]:
    return {event["id"] for event in events}
