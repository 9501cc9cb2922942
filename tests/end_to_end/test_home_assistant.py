"""A real Home Assistant, headless, beside a real Mosquitto: it shows what we tell it, and has nothing to complain of.

Takes half a minute and a Home Assistant, so it runs where one was set up:

    ../shared/tools/setup_home_assistant.sh DIR
    HOME_ASSISTANT_VENV=DIR pytest tests/end_to_end/test_home_assistant.py
"""

import json
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from sense_mqtt.core.home_assistant.discovery import DeviceDescription, MonitorDescription, announce, announce_bridge
from sense_mqtt.core.home_assistant.messages import DiscoveryOptions
from sense_mqtt.core.publishing.topics import Topics
from tests.support.mqtt.mosquitto import find_mosquitto, free_port, wait_for_port
from tests.support.processes.home_assistant import PROBE, PYTHON

MOSQUITTO = find_mosquitto()
PATIENCE_S = 100

pytestmark = [
    pytest.mark.timeout(200),
    pytest.mark.skipif(not PROBE.exists(), reason=f"{PROBE} is not here"),
    pytest.mark.skipif(not PYTHON.exists(), reason="HOME_ASSISTANT_VENV names no Home Assistant that was set up"),
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (Debian: apt install mosquitto)"),
]

DEVICES = (
    DeviceDescription("1a2b3c4d", "Dryer", "LG", "DLEX", "Laundry", "Dryer"),
    DeviceDescription("ssi-9f", "Büro Lampe", "TP-Link", "HS110", kind="plug"),
    DeviceDescription("always_on", "Always On", kind="virtual"),
)
START = "2026-11-21T05:00:00.000Z"
RETAINED = {
    "123456/power": "2210.5",
    "123456/solar_power": "1200.0",
    "123456/last_frame": "2026-11-21T19:00:00.500Z",
    "123456/energy/day": {"consumption_kwh": 12.345, "start": START, "updated": START},
    "123456/device/1a2b3c4d/state": "ON",
    "123456/device/1a2b3c4d/power": "5584.7",
    "123456/device/1a2b3c4d/attributes": {"id": "1a2b3c4d", "location": "Laundry", "kind": "detected", "icon": None},
    "123456/device/1a2b3c4d/running": "ON",
    "123456/device/ssi-9f/state": "OFF",
    "123456/device/ssi-9f/running": "OFF",
    "123456/device/ssi-9f/energy/day": {"start": START, "updated": START},
    "123456/device/always_on/power": "96.0",
    "bridge/health": {"feed": "paused", "feeds": {"123456": "stream", "7": "paused"}, "auth": "ok"},
    "123456/availability": "online",
    "bridge/state": "online",
}
EVENT = {"id": "b3f0", "monitor": 123456, "time": "2026-11-21T19:00:00.500Z", "source": "frame", "late": False}
EVENTS = {
    "123456/device/1a2b3c4d/event": {"event_type": "cycle_finished", "name": "Dryer", "phases": 3, **EVENT},
    "123456/device/ssi-9f/event": {"event_type": "idle", "name": "Büro Lampe", **EVENT},
    "123456/event": {"event_type": "device_found", "device": "1a2b3c4d", **EVENT},
}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    number = free_port()
    settings = tmp_path_factory.mktemp("mosquitto") / "mosquitto.conf"
    settings.write_text(f"listener {number} 127.0.0.1\nallow_anonymous true\n")
    broker = subprocess.Popen([str(MOSQUITTO), "-c", settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for_port(number, PATIENCE_S)
    yield number
    broker.terminate()
    broker.wait(10)


class BridgeStandIn:
    """Speaks to the broker as the bridge does, and listens for Home Assistant's birth and its commands."""

    def __init__(self, port: int) -> None:
        self.born = threading.Event()
        self.connected = threading.Event()
        self.commands: list[tuple[str, bytes]] = []
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.on_connect = self._greet
        self._client.on_message = self._listen
        self._client.connect_async("127.0.0.1", port)
        self._client.reconnect_delay_set(1, 1)
        self._client.loop_start()

    def say(self, topic: str, payload: Any, *, retain: bool = True) -> None:
        text = payload if isinstance(payload, str) else json.dumps(payload)
        self._client.publish(topic, text, qos=1, retain=retain).wait_for_publish(PATIENCE_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _greet(self, client: mqtt.Client, *_: object) -> None:
        client.subscribe([("homeassistant/status", mqtt.SubscribeOptions(1)), ("sense/#", mqtt.SubscribeOptions(1))])
        self.connected.set()

    def _listen(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        if message.topic == "homeassistant/status" and message.payload == b"online":
            self.born.set()
        elif message.topic.startswith("sense/bridge/request/"):
            self.commands.append((message.topic, message.payload))


@pytest.fixture(scope="module", params=["device", "single"])
def seen(
    request: pytest.FixtureRequest, port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """What Home Assistant made of it, with the commands that it sent."""
    told = tmp_path_factory.mktemp("probe") / "seen.json"
    bridge = BridgeStandIn(port)
    assert bridge.connected.wait(PATIENCE_S)
    style = DiscoveryOptions("0.1.0", Topics(), request.param)
    home = announce(MonitorDescription(123456, solar=True, firmware="1.64.2"), DEVICES, style)
    configs = (*announce_bridge(style, monitors=2), *home)
    for topic, payload in {config.topic: config.payload for config in configs}.items():
        bridge.say(topic, payload)
    for topic, payload in RETAINED.items():
        bridge.say(f"sense/{topic}", payload)
    probe = [PYTHON, PROBE, "--port", str(port), "--seconds", "15", "--out", told]
    with subprocess.Popen([*probe, "--call", "button.press:button.sense_refresh@12"]) as home_assistant:
        assert bridge.born.wait(PATIENCE_S)
        for topic, payload in EVENTS.items():
            bridge.say(f"sense/{topic}", payload, retain=False)
        home_assistant.wait(PATIENCE_S)
    yield {**json.loads(told.read_text()), "commands": bridge.commands}
    for config in configs:
        bridge.say(config.topic, "")
    bridge.close()


def state(seen: dict[str, Any], entity: str) -> str:
    return str(found(seen, entity)["state"])


def found(seen: dict[str, Any], entity: str) -> dict[str, Any]:
    (only,) = [one for one in seen["states"] if one["entity_id"] == entity]
    return dict(only)


def test_home_assistant_logs_no_complaint(seen: dict[str, Any]) -> None:
    assert seen["log"] == []


def test_monitor_and_devices_are_shown(seen: dict[str, Any]) -> None:
    ours = {one["name"]: one for one in seen["devices"] if one["identifiers"][0][0] == "mqtt"}
    monitor = ours["Sense"]
    assert (monitor["manufacturer"], monitor["model"], monitor["sw_version"]) == ("Sense", "Energy Monitor", "1.64.2")
    appliances = {"Dryer", "Büro Lampe", "Always On"}
    assert set(ours) == {"Sense bridge", "Sense", *appliances}
    assert {ours[name]["via_device_id"] for name in appliances} == {monitor["id"]}


def test_a_bridge_of_two_monitors_has_no_button_to_refresh(seen: dict[str, Any]) -> None:
    bridge = {one["entity_id"] for one in seen["entities"] if one["unique_id"].startswith("sense_mqtt_bridge_sense_")}
    assert "select.sense_bridge_log_level" in bridge
    assert "button.sense_bridge_refresh" not in bridge


@pytest.mark.parametrize(
    ("entity", "value"),
    [
        ("sensor.sense_power", "2210.5"),
        ("sensor.sense_solar_power", "1200.0"),
        ("sensor.sense_grid_power", "unknown"),
        ("sensor.sense_energy_today", "12.345"),
        ("sensor.sense_solar_energy_today", "unknown"),
        ("sensor.sense_feed", "stream"),
        ("switch.sense_pause", "off"),  # though another monitor is paused
        ("binary_sensor.sense_login", "off"),
        ("binary_sensor.sense_connectivity", "on"),
        ("binary_sensor.dryer", "on"),
        ("sensor.dryer_power", "5584.7"),
        ("binary_sensor.dryer_running", "on"),
        ("binary_sensor.buro_lampe", "off"),
        ("binary_sensor.buro_lampe_running", "off"),
        ("sensor.buro_lampe_energy_today", "unknown"),
        ("sensor.always_on_power", "96.0"),
    ],
)
def test_entity_says_what_its_topic_says(seen: dict[str, Any], entity: str, value: str) -> None:
    assert state(seen, entity) == value


def test_energy_tells_when_it_began(seen: dict[str, Any]) -> None:
    assert found(seen, "sensor.sense_energy_today")["attributes"]["last_reset"] == "2026-11-21T05:00:00+00:00"


def test_state_of_a_device_carries_its_attributes(seen: dict[str, Any]) -> None:
    attributes = found(seen, "binary_sensor.dryer")["attributes"]
    assert (attributes["friendly_name"], attributes["location"]) == ("Dryer", "Laundry")


@pytest.mark.parametrize(
    ("entity", "event_type"),
    [
        ("event.dryer_activity", "cycle_finished"),
        ("event.buro_lampe_activity", "idle"),
        ("event.sense_activity", "device_found"),
    ],
)
def test_event_entity_tells_the_last_event(seen: dict[str, Any], entity: str, event_type: str) -> None:
    assert found(seen, entity)["attributes"]["event_type"] == event_type


def test_energy_of_longer_periods_waits_to_be_enabled(seen: dict[str, Any]) -> None:
    disabled = {one["unique_id"] for one in seen["entities"] if one["disabled_by"]}
    assert "sense_mqtt_123456_consumption_year" in disabled
    assert "sense_mqtt_123456_consumption_day" not in disabled


def test_button_asks_the_bridge_to_refresh(seen: dict[str, Any]) -> None:
    assert seen["commands"] == [("sense/bridge/request/refresh", b'{"monitor": 123456}')]
