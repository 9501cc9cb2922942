"""`sense-mqtt discovery`, as people run it."""

import json
from pathlib import Path

from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from sense_mqtt.simulator.server.service import FIRMWARE
from tests.support.processes.command_line import run_command, write_config

PLACE = "homeassistant/device/sense_mqtt_900101/config "


def test_discovery_prints_the_firmware_as_home_assistant_gets_it(tmp_path: Path):
    with SimulatedCloud(BuiltInHouse(seed=1)) as cloud:
        sense = {"api_url": cloud.api_url, "feed_url": cloud.feed_url, "email": cloud.email, "password": cloud.password}
        ended = run_command(write_config(tmp_path, {"sense": sense}), "discovery")
        (config,) = (line.removeprefix(PLACE) for line in ended.out.splitlines() if line.startswith(PLACE))
        assert json.loads(config)["device"]["sw_version"] == FIRMWARE
