"""A state directory of an older version opens: nothing is published twice, nothing is forgotten."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sense_mqtt.sense.auth.tokens import Monitor
from tests.support.bridge.bridge_harness import BridgeHarness, raw_frame
from tests.support.core.builders import START

OLD = Path(__file__).parent / "state_0_1_0"
EXPECTED: dict[str, Any] = json.loads((OLD / "expected.json").read_text())
ADDED_TOPICS = {
    "surplus_power",
    "surplus",
    "sky",
    "expected_solar_power",
    "state",
    "running",
    "total",
    "status",
}  # since then
ADDED_COMPONENTS = {
    "surplus_power",
    "surplus",
    "sky",
    "expected_solar_power",
    "running",
    *("wifi_strength", "detection_in_progress", "detection_found", "new_device_found"),
    *(f"net_production_pct_{scale}" for scale in ("day", "week", "month", "year", "cycle")),
    *(f"{name}_total" for name in ("consumption", "production", "from_grid", "to_grid")),
}
BRIDGE_DEVICE = "homeassistant/device/sense_mqtt_bridge_sense/config"  # since then
STATES: dict[str, dict[str, str]] = EXPECTED["states"]  # by monitor and device
ENDED = EXPECTED["ends"] - START


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """A copy of the old state directory."""
    folder = tmp_path / "state"
    shutil.copytree(OLD, folder, ignore=shutil.ignore_patterns("*.md", "*.sql", "expected.json"))
    with closing(sqlite3.connect(folder / "journal.sqlite3")) as journal:
        journal.executescript((OLD / "journal.sql").read_text())
    for file in [folder, *folder.iterdir()]:
        file.chmod(0o700 if file.is_dir() else 0o600)
    return folder


@pytest.fixture
def bridge(state_dir: Path) -> BridgeHarness:
    """The present version, a minute after the old one ended; both homes show a frame in which nothing has changed."""
    return open_with_present_version(state_dir)


def open_with_present_version(state_dir: Path, **config: Any) -> BridgeHarness:
    monitors = (Monitor(int(monitor), solar=EXPECTED["solar"][monitor]) for monitor in STATES)
    bridge = BridgeHarness(state_dir, *monitors, **config)
    bridge.clock.after_s = ENDED + 60
    bridge.connect()
    bridge.work()
    bridge.pass_time(5)
    for monitor in map(int, STATES):
        bridge.open_feed(monitor)
        bridge.work()
    for _ in range(5):
        show_unchanged(bridge)
    return bridge


def show_unchanged(bridge: BridgeHarness) -> None:
    """Show a frame with the devices that the old version knew to be on or idle."""
    bridge.clock.after_s += 1
    for monitor, states in STATES.items():
        drawing = [
            {"id": device, "w": 100.0, **({"attrs": ["Idle"]} if state == "idle" else {})}
            for device, state in states.items()
            if state != "off"
        ]
        frame = raw_frame(*drawing, at=bridge.clock.after_s, monitor=int(monitor))
        solar = '"solar_w": 20.0, "grid_w": 280.0, ' if EXPECTED["solar"][monitor] else ""
        bridge.take(
            type(frame)(frame.monitor, frame.raw.replace('"w": 300.0, ', f'"w": 300.0, {solar}{HOUSE_FIELDS}', 1))
        )
    bridge.work()


HOUSE_FIELDS = '"channels": [150.0, 150.0], "voltage": [120.0, 120.0], "hz": 60.0, '


def events(bridge: BridgeHarness) -> list[tuple[str, str]]:
    return [(message.topic, message.payload) for message in bridge.published("/event") if "/device/" in message.topic]


def test_the_event_that_waited_is_published_once_and_known_states_make_no_events(bridge):
    assert events(bridge) == [(topic, payload) for topic, payload in EXPECTED["waiting"]]
    bridge.restart()
    bridge.begin()
    assert events(bridge) == []


def test_each_device_has_the_state_that_the_old_version_knew(bridge):
    shown = {"on": "ON", "idle": "OFF", "off": "OFF"}
    present = {
        monitor: {device: bridge.newest(f"sense/{monitor}/device/{device}/state") for device in states}
        for monitor, states in STATES.items()
    }
    assert present == {
        monitor: {device: shown[state] for device, state in states.items()} for monitor, states in STATES.items()
    }


def test_the_same_topics_are_retained(bridge):
    retained = {message.topic for message in bridge.broker.published if message.retain and message.payload}
    energy = {topic for topic in EXPECTED["retained"] if "/energy/" in topic}  # as Sense answers
    assert set(EXPECTED["retained"]) - energy - retained == set()
    added = {topic for topic in retained if topic.rpartition("/")[2] in ADDED_TOPICS}
    assert {topic for topic in retained if "/energy/" not in topic} - added <= {*EXPECTED["retained"], BRIDGE_DEVICE}
    assert not [message for message in bridge.broker.published if message.retain and not message.payload]


def test_home_assistant_sees_the_same_unique_ids(bridge):
    newest = {
        message.topic: json.loads(message.payload)
        for message in bridge.published("/config")
        if message.topic != BRIDGE_DEVICE
    }
    found = {
        topic: sorted(
            entity["unique_id"]
            for key, entity in document["components"].items()
            if key not in ADDED_COMPONENTS and entity["platform"] != "device_automation"
        )
        for topic, document in newest.items()
    }
    assert found == EXPECTED["unique_ids"]


def test_a_device_that_was_on_and_is_gone_makes_its_event(bridge):
    [device] = [device for device, state in STATES["900102"].items() if state == "on"][:1]
    for second in range(1, 6):
        others = [{"id": each, "w": 100.0} for each, state in STATES["900102"].items() if state == "on"][1:]
        bridge.show(*others, at=bridge.clock.after_s + second, monitor=900102)
    [event] = [event for event in map(json.loads, dict(events(bridge)).values()) if event["device"] == device]
    assert event["event_type"] == "turned_off"


def test_the_calls_that_commands_cost_in_the_last_hour_are_still_counted(state_dir):
    spent = json.loads((OLD / "command_calls.json").read_text())["spent"]
    bridge = open_with_present_version(state_dir, sense={"command_calls_per_hour": len(spent)})
    bridge.clock.after_s = max(spent) - START + 60  # of the wall, not of the simulated home
    bridge.ask("status", {"monitor": 900101})
    bridge.work()
    assert bridge.answers("status")[-1]["code"] == "rate_limited"


def test_a_damaged_copy_is_set_aside_and_the_bridge_begins_anew(state_dir, caplog):
    journal = state_dir / "journal.sqlite3"
    content = journal.read_bytes()
    journal.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    bridge = open_with_present_version(state_dir)
    assert "is damaged" in caplog.text
    assert (state_dir / "journal.sqlite3.damaged-1").exists()
    assert bridge.newest("sense/900102/availability") == "online"
