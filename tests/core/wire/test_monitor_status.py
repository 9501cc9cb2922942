"""What Sense's answer about a monitor's status tells."""

import pytest

from sense_mqtt.core.wire.monitor_status import read_firmware


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
