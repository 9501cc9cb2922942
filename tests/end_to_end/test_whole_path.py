"""SenseClient to subscriber and back, as a user sees it."""

from pathlib import Path
from typing import Any

import pytest

from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import Mosquitto
from tests.support.processes.bridge_config import configure
from tests.support.processes.bridge_process import BridgeProcess, QuickBridge

FAST = {"publish": {"device_interval_s": 1, "house_interval_s": 1}}


@pytest.fixture
def house() -> BuiltInHouse:
    return BuiltInHouse(seed=1)


def test_a_clean_stop_says_offline_and_ends_with_0(broker_port: int, house: BuiltInHouse, tmp_path: Path):
    with Listener(broker_port) as listener, SimulatedCloud(house, speed=20) as cloud:
        with BridgeProcess(tmp_path, configure(cloud, broker_port)) as bridge:
            listener.wait_for_payload("sense/900101/availability", "online")
            listener.wait_for_payload("sense/bridge/state", "online")
            assert bridge.stop() == 0
        listener.wait_for_payload("sense/bridge/state", "offline")
        listener.wait_for_payload("sense/900101/availability", "offline")


def test_a_killed_bridge_is_reported_offline_by_its_will(broker_port: int, house: BuiltInHouse, tmp_path: Path):
    with Listener(broker_port) as listener, SimulatedCloud(house, speed=20) as cloud:
        with BridgeProcess(tmp_path, configure(cloud, broker_port)) as bridge:
            listener.wait_for_payload("sense/bridge/state", "online")
            bridge.kill()
        listener.wait_for_payload("sense/bridge/state", "offline")


def test_after_a_restart_of_the_broker_everything_retained_is_right_again(
    mosquitto: Mosquitto, house: BuiltInHouse, tmp_path: Path
):
    with (
        SimulatedCloud(house, speed=120) as cloud,
        BridgeProcess(tmp_path, configure(cloud, mosquitto.port, **FAST)),
    ):
        with Listener(mosquitto.port) as before:
            before.wait_for_payload("sense/bridge/state", "online")
            before.wait_for(lambda _: len(before.events()) > 2, "events")
            topics = {
                heard.topic
                for heard in before.messages()
                if not heard.topic.endswith(("/event", "/events", "bridge/state"))
            }
        mosquitto.kill()
        mosquitto.start()
        with Listener(mosquitto.port) as after:
            after.wait_for_payload("sense/bridge/state", "online")
            said = [heard.topic for heard in after.messages()]
            assert set(said) >= topics
            after.wait_for(lambda _: len(after.events()) > 2, "new events")
            states = after.latest("/state")
    open_now = {device for device, payload in states.items() if payload == "ON"}
    assert open_now <= set(states)


def test_what_changed_while_the_bridge_was_away_makes_events(broker_port: int, house: BuiltInHouse, tmp_path: Path):
    begins = house.begins
    with (
        Listener(broker_port) as listener,
        SimulatedCloud(house, clock_mode="free", until=begins + 600) as cloud,
        BridgeProcess(tmp_path, configure(cloud, broker_port)) as bridge,
    ):
        cloud.run_until(begins + 600)
        listener.wait_for_payload("sense/900101/availability", "online")
        bridge.stop()
        cloud.outage(6 * 3600)
        heard = len(listener.events())
        bridge.start()
        cloud.run_until(cloud.now + 60)
        listener.wait_for(lambda _: len(listener.events()) > heard, "events of the time away")
        assert {event["source"] for event in listener.events()[heard:]} <= {"reconnect", "timeline", "frame"}


def lookups(device: str) -> dict[str, dict[str, Any]]:
    return {
        "devices": {},
        "device": {"id": device},
        "always_on": {},
        "unknown": {},
        "status": {},
        "overview": {},
        "timeline": {"n_items": 5},
        "history": {"granularity": "HOUR", "frames": 5},
        "usage": {"scale": "DAY"},
        "solar_usage": {"scale": "WEEK"},
        "trends": {"scale": "MONTH"},
        "energy": {"scale": "day"},
        "realtime": {},
        "comparisons": {},
        "rate_zones": {},
        "get": {"path": "app/monitors/{monitor}/status"},
        "refresh": {},
        "republish": {},
        "health": {},
        "log_level": {"level": "debug"},
    }


REFUSED = {
    "device": ({"id": "zzz"}, "not_found"),
    "nonsense": ({}, "unknown_command"),
    "usage": ({"scale": "AEON"}, "bad_request"),
    "get": ({"path": "https://example.com/"}, "bad_request"),
    "status": ({"monitor": 5}, "not_found"),
}


def test_every_lookup_is_answered(broker_port: int, house: BuiltInHouse, tmp_path: Path):
    with (
        Listener(broker_port) as listener,
        SimulatedCloud(house, speed=20) as cloud,
        QuickBridge(tmp_path, configure(cloud, broker_port)),
    ):
        listener.wait_for_payload("sense/900101/availability", "online")
        asked = lookups(cloud.house.devices[0].id)
        answers = {name: listener.ask(name, timeout_s=60, **arguments) for name, arguments in asked.items()}
        assert {name: answer["status"] for name, answer in answers.items()} == dict.fromkeys(asked, "ok")
        for name, (arguments, code) in REFUSED.items():
            assert listener.ask(name, timeout_s=60, **arguments)["code"] == code
        listener.publish("sense/bridge/request/health", "{}", ResponseTopic="mine/answer", CorrelationData=b"\x01\x02")
        listener.wait_for(lambda heard: any(h.topic == "mine/answer" for h in heard), "an answer on my topic")


def test_restart_answers_and_ends_with_0(broker_port: int, house: BuiltInHouse, tmp_path: Path):
    with (
        Listener(broker_port) as listener,
        SimulatedCloud(house, speed=20) as cloud,
        BridgeProcess(tmp_path, configure(cloud, broker_port)) as bridge,
    ):
        listener.wait_for_payload("sense/bridge/state", "online")
        assert listener.ask("restart")["status"] == "ok"
        assert bridge.wait() == 0


def test_a_broker_that_is_away_at_the_start_is_waited_for(mosquitto: Mosquitto, house: BuiltInHouse, tmp_path: Path):
    mosquitto.kill()
    with SimulatedCloud(house, speed=20) as cloud, BridgeProcess(tmp_path, configure(cloud, mosquitto.port)) as bridge:
        assert cloud.records.wait(lambda counts: counts.frames_sent > 40)
        mosquitto.start()
        with Listener(mosquitto.port) as listener:
            listener.wait_for_payload("sense/bridge/state", "online", timeout_s=60)
        bridge.stop()
        assert bridge.log.count("no connection to the MQTT broker") <= 2


def test_a_wrong_configuration_ends_with_2_and_says_what_is_wrong(tmp_path: Path):
    bridge = BridgeProcess(tmp_path, {"mqtt": {"port": 99999}, "sens": {}})
    bridge.start()
    assert bridge.wait() == 2
    assert "mqtt.port" in bridge.log
    assert "sens" in bridge.log
