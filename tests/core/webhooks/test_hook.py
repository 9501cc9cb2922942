"""Which events a webhook gets, and what is posted of one."""

import json

import pytest

from sense_mqtt.core.webhooks.hook import Hook, hook_keys, lane_of

ON = {"event_type": "turned_on", "monitor": 7, "device": "dryer", "name": "Dryer", "time": "2026-11-21T19:00:00.500Z"}
FOUND = {"event_type": "device_found", "monitor": 7, "device": "kettle"}
OFFLINE = {"event_type": "monitor_offline", "monitor": 7}

WANTED = [
    pytest.param([], [], [True, False, False], id="all of devices, and none of the house"),
    pytest.param(["turned_on"], [], [True, False, False], id="a type"),
    pytest.param(["turned_off"], [], [False, False, False], id="another type"),
    pytest.param(["device_found", "monitor_offline"], [], [False, True, True], id="those of the house where named"),
    pytest.param([], ["dryer"], [True, False, False], id="a device"),
    pytest.param([], ["kettle"], [False, False, False], id="another device"),
    pytest.param(
        ["turned_on", "device_found", "monitor_offline"],
        ["kettle"],
        [False, True, True],
        id="of the house what is about the device, and what is about none",
    ),
]


@pytest.mark.parametrize(("events", "devices", "expected"), WANTED)
def test_a_hook_gets_the_events_and_devices_it_names(events, devices, expected):
    hook = Hook("key", "json", frozenset(events), frozenset(devices))
    assert [hook.wants(event) for event in (ON, FOUND, OFFLINE)] == expected


def test_json_is_the_payload_of_mqtt_and_ifttt_three_values():
    assert Hook("key", "json").body(json.dumps(ON)) == json.dumps(ON)
    assert json.loads(Hook("key", "ifttt").body(json.dumps(ON))) == {
        "value1": "Dryer",
        "value2": "turned_on",
        "value3": "2026-11-21T19:00:00.500Z",
    }
    assert json.loads(Hook("key", "ifttt").body(json.dumps(OFFLINE)))["value1"] == ""


def test_the_key_of_a_hook_is_that_of_its_url_and_format_and_tells_nothing_of_it():
    first, second, third, again = hook_keys(
        [("http://a/secret", "json"), ("http://a/secret", "ifttt"), ("http://b", "json"), ("http://a/secret", "json")]
    )
    assert len({first, second, third, again}) == 4
    assert list(hook_keys([("http://b", "json"), ("http://a/secret", "json")])) == [third, first]
    assert "secret" not in first


def test_order_is_kept_for_each_device_and_for_the_house():
    assert [lane_of(event) for event in (ON, FOUND, OFFLINE)] == ["7/dryer", "7/kettle", "7/"]
