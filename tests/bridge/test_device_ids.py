"""Ids of devices that Sense has changed: the topics stay, and commands take either id."""

import pytest

from tests.support.bridge.bridge_harness import asked
from tests.support.core.merges import FAN, OTHER_DEVICE, PARENT, PUMP, VIRTUAL

DEVICES = "app/monitors/7/devices"


@pytest.fixture
def merged(bridge):
    """Return a bridge whose motors were merged while one of them was on."""
    bridge.session.responses[DEVICES] = [FAN, PUMP, OTHER_DEVICE]
    asked(bridge, "refresh")
    bridge.show(FAN, at=1)
    bridge.session.responses[DEVICES] = [VIRTUAL, OTHER_DEVICE]
    asked(bridge, "refresh")
    bridge.show(PARENT, at=2)
    bridge.pass_time(10)
    return bridge


def test_a_merged_device_has_the_topics_of_one_of_its_parts_and_the_other_is_cleared(merged):
    merged.pass_time(5)  # the triggers go first, each step a second after the one before
    assert merged.newest("sense/7/device/aaaa1111/state") == "ON"
    assert merged.newest("sense/7/device/bbbb2222/state") == ""
    assert merged.newest("homeassistant/device/sense_mqtt_7_bbbb2222/config") == ""
    config = merged.documents("sense_mqtt_7_aaaa1111/config")[-1]
    assert config["device"]["name"] == "Air conditioner"
    assert config["components"]["state"]["unique_id"] == "sense_mqtt_7_aaaa1111_state"
    assert merged.published("Parent01/state") == []


def test_discovery_is_cleared_before_the_state(merged):
    merged.pass_time(5)
    topics = [message.topic for message in merged.broker.published if not message.payload]
    config, state = "homeassistant/device/sense_mqtt_7_bbbb2222/config", "sense/7/device/bbbb2222/state"
    assert topics.index(config) < topics.index(state)


@pytest.mark.parametrize("identity", ["aaaa1111", "Parent01"])
def test_a_command_takes_the_published_id_and_that_of_sense(merged, identity):
    merged.session.responses[f"{DEVICES}/Parent01"] = {"device": {"id": "Parent01"}}
    assert asked(merged, "device", {"id": identity})[-1]["data"] == {"device": {"id": "Parent01"}}


def test_a_merge_survives_a_restart(merged):
    merged.restart()
    merged.begin()
    merged.show(PARENT, at=20)
    merged.pass_time(5)
    assert [event for event in merged.documents("/event") if event["event_type"] in ("turned_on", "turned_off")] == []
    assert merged.newest("sense/7/device/aaaa1111/state") == "ON"


def test_a_list_is_read_at_once_where_one_device_vanishes_as_another_appears(bridge):
    bridge.session.responses[DEVICES] = [FAN, PUMP, OTHER_DEVICE]
    asked(bridge, "refresh")
    bridge.show(FAN, at=1)
    before = bridge.session.asked.count(DEVICES)
    bridge.session.responses[DEVICES] = [VIRTUAL, OTHER_DEVICE]
    bridge.show(PARENT, at=2)
    bridge.pass_time(2)
    bridge.work()
    assert bridge.session.asked.count(DEVICES) == before + 1
    bridge.show(PARENT, at=5)
    assert "turned_off" not in [event["event_type"] for event in bridge.documents("/event")]
    assert bridge.published("Parent01/state") == []
