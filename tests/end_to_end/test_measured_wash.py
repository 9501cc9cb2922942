"""The measured wash through the bridge as people run it, killed and started again in the middle."""

from pathlib import Path

import pytest

from sense_mqtt.core.timestamps import read_timestamp
from sense_mqtt.simulator.house.measured import MeasuredHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.listener import Listener
from tests.support.processes.bridge_config import configure
from tests.support.processes.bridge_process import BridgeProcess

BEGINS_S, ENDS_S = 50_200, 54_300  # of the 72 hours: the wash, and the pause after it
KILLED_S, AWAY_S = 52_000, 20
WASHER = "Washing machine"


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_wash_is_one_cycle_with_the_right_energy_through_a_killed_bridge(mosquitto, shared, tmp_path: Path):
    house = MeasuredHouse(shared / "data/measured_home_b_72h_1s.csv.gz")
    first = house.begins
    house.begins = first + BEGINS_S
    with (
        Listener(mosquitto.port, "sense/+/device/+/event") as listener,
        SimulatedCloud(house, clock_mode="free", step_s=1.0, until=house.begins) as cloud,
        BridgeProcess(tmp_path, configure(cloud, mosquitto.port)) as bridge,
    ):
        assert cloud.records.wait(lambda counts: counts.sockets_open == 1)
        cloud.run_until(first + KILLED_S, timeout_s=120)
        bridge.kill()
        cloud.run_until(first + KILLED_S + AWAY_S, timeout_s=120)
        bridge.start()
        assert cloud.records.wait(lambda counts: counts.sockets_open == 1)
        cloud.run_until(first + ENDS_S, timeout_s=120)
        listener.wait_for(lambda _: told(listener), "cycle_finished", 60)
    [cycle] = told(listener)
    washes = [each for each in house.transitions(house.begins, first + ENDS_S) if each.device == cycle["device"]]
    started, ended = read_timestamp(cycle["started"]), read_timestamp(cycle["time"])
    assert (cycle["name"], started, ended) == (WASHER, washes[0].at, washes[-1].at)
    assert cycle["phases"] == len(washes) / 2
    assert cycle["energy_kwh"] == pytest.approx(energy_kwh(house, cycle["device"], started, ended), rel=0.01)


def told(listener: Listener) -> list[dict]:
    return [event for event in listener.events() if event["event_type"] == "cycle_finished"]


def energy_kwh(house: MeasuredHouse, device: str, started: float, ended: float) -> float:
    seconds = (house.power_at(started + number).devices for number in range(round(ended - started)))
    return sum(listed.w for devices in seconds for listed in devices if listed.device.id == device) / 3_600_000
