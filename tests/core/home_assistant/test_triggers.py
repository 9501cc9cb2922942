"""The device triggers that Home Assistant is offered."""

import pytest
from msgspec.structs import replace

from sense_mqtt.core.home_assistant.discovery import DeviceDescription, MonitorDescription, announce
from sense_mqtt.core.home_assistant.messages import DiscoveryOptions
from sense_mqtt.core.home_assistant.triggers import DEVICE_TRIGGERS, MONITOR_TRIGGERS
from sense_mqtt.core.publishing.topics import Topics
from sense_mqtt.core.readings.entities import DEVICE_EVENTS, HOUSE_EVENTS
from tests.support.checkout import ROOT

MONITOR = MonitorDescription(7)
NO_CYCLE = frozenset({"running"})
STYLE = DiscoveryOptions("0.1.0", Topics())


def triggers(*devices: DeviceDescription, mode: str = "device"):
    messages = announce(MONITOR, devices, replace(STYLE, mode=mode))
    if mode == "single":
        return [dict(each.payload) for each in messages if "/device_automation/" in each.topic]
    *_, message = messages
    found = message.payload["components"].values()
    return [each for each in found if each["platform"] == "device_automation"]


@pytest.mark.parametrize(
    ("device", "types"),
    [
        (DeviceDescription("a", left_out=NO_CYCLE), ["turned on", "turned off"]),
        (DeviceDescription("a"), ["turned on", "turned off", "finished a cycle"]),
        (DeviceDescription("a", kind="plug", left_out=NO_CYCLE), ["turned on", "turned off", "became idle"]),
        (DeviceDescription("always_on", kind="virtual"), []),
    ],
)
def test_a_device_has_the_triggers_of_what_can_happen_to_it(device, types):
    assert [each["type"] for each in triggers(device)] == types


def test_the_monitor_has_those_of_the_house():
    assert [each["type"] for each in triggers()] == ["found a device", "went offline", "came online"]


def test_a_trigger_hears_one_type_of_event_on_the_topic_of_events():
    on, _, finished = triggers(DeviceDescription("a/b"))
    assert on == {
        "platform": "device_automation",
        "automation_type": "trigger",
        "type": "turned on",
        "subtype": "device",
        "topic": "sense/7/device/a_b/event",
        "payload": "turned_on",
        "value_template": "{{ value_json.event_type if not value_json.late }}",
        "qos": 1,
    }
    assert finished["value_template"] == "{{ value_json.event_type }}"  # it is always told later than it was


def test_what_automations_store_holds_no_name_and_is_unique():
    renamed = [[(each["type"], each["subtype"]) for each in triggers(DeviceDescription("a", name))] for name in "xy"]
    assert renamed[0] == renamed[1]
    assert len(set(renamed[0])) == len(renamed[0])


def test_in_single_mode_each_is_told_on_a_topic_of_its_own_with_its_device():
    monitor_has, device_has = triggers(mode="single"), triggers(DeviceDescription("a"), mode="single")
    assert (len(monitor_has), len(device_has)) == (3, 6)
    assert {each["device"]["identifiers"][0] for each in device_has} == {"sense_mqtt_7", "sense_mqtt_7_a"}


def test_every_type_of_an_appliance_has_a_trigger_and_every_trigger_a_type_of_event():
    assert {each.event_type for each in DEVICE_TRIGGERS} == set(DEVICE_EVENTS)
    assert {each.event_type for each in MONITOR_TRIGGERS} <= set(HOUSE_EVENTS)


def test_the_page_lists_every_trigger():
    page = (ROOT / "docs/home-assistant.md").read_text()
    for each in (*DEVICE_TRIGGERS, *MONITOR_TRIGGERS):
        assert f"| `{each.event_type}` | `{each.type}` | `{each.subtype}` |" in page
