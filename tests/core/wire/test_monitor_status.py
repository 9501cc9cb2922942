"""What Sense's answer about a monitor's status tells."""

import pytest

from sense_mqtt.core.wire.monitor_status import read_firmware, read_status


@pytest.mark.parametrize(
    ("status", "firmware"),
    [
        ({"monitor_info": {"version": " 1.64.2 "}}, "1.64.2"),
        ({"monitor_info": {"version": 1.64}}, None),
        ({"monitor_info": None}, None),
        ([], None),
    ],
)
def test_firmware_is_read_where_it_is_reported(status, firmware):
    assert read_firmware(status) == firmware


TOLD = {
    "signals": {"progress": 100, "status": "OK"},
    "device_detection": {
        "in_progress": [{"icon": "cup", "name": "Possible Coffee Maker", "progress": 16}],
        "found": [{"icon": "stove", "name": "Oven", "progress": 48}, {"name": None}, 3],
        "num_detected": 18,
    },
    "monitor_info": {
        "serial": "N000123456",
        "version": "1.64.2-release",
        "online": True,
        "ssid": "ExampleWiFi",
        "mac": "00:00:5E:00:53:02",
        "emac": "00:00:5E:00:53:03",
        "ip_address": "192.0.2.7",
        "wifi_strength": 92,
    },
}


def test_of_a_status_only_what_names_no_place_and_no_network_is_taken():
    assert read_status(TOLD) == {
        "online": True,
        "version": "1.64.2-release",
        "wifi_strength": 92,
        "detection": {
            "in_progress": [{"name": "Possible Coffee Maker", "icon": "cup", "progress": 16}],
            "found": [{"name": "Oven", "icon": "stove", "progress": 48}, {}],
            "num_in_progress": 1,
            "num_found": 2,
            "num_detected": 18,
        },
    }


@pytest.mark.parametrize(
    ("status", "document"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param([], {}, id="no object"),
        pytest.param({"signals": {}}, {}, id="nothing of use"),
        pytest.param({"monitor_info": {"online": "false"}}, {"online": False, "detection": {}}, id="a boolean as text"),
        pytest.param({"monitor_info": {"wifi_strength": 130}}, {"detection": {}}, id="a strength that cannot be"),
        pytest.param({"device_detection": {}}, {"detection": {}}, id="a detection without fields"),
        pytest.param(
            {"device_detection": {"found": None, "num_detected": "3"}},
            {"detection": {"found": [], "num_found": 0}},
            id="wrong types",
        ),
    ],
)
def test_what_a_status_does_not_say_is_absent(status, document):
    assert read_status(status) == document
