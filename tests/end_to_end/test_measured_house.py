"""A measured house through the simulated cloud into a real broker: every transition once, none invented."""

from pathlib import Path

import pytest

from sense_mqtt.core.timestamps import write_timestamp
from sense_mqtt.simulator.house.measured import MeasuredHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.listener import Listener
from tests.support.processes.bridge_config import configure
from tests.support.processes.bridge_process import BridgeProcess
from tests.support.simulator.measured_home import measured_home

REPLAY_TIMEOUT_S = 600.0
HOUR_S = 3_600
REPLAYS = [  # hours, drops
    pytest.param(2, 4, id="2 hours, four drops"),
    pytest.param(6, 10, id="6 hours, ten drops", marks=pytest.mark.long),
    pytest.param(24, 0, id="a day undisturbed", marks=pytest.mark.long),
    pytest.param(72, 10, id="3 days, ten drops", marks=pytest.mark.long),
]


def told(event: dict) -> tuple[str, str, str]:
    return event["device"], event["event_type"], event["time"]


def truth(house: MeasuredHouse, since: float, until: float) -> list[tuple[str, str, str]]:
    return [(t.device, t.kind, write_timestamp(t.at)) for t in house.transitions(since, until)]


def by_device(events: list[tuple[str, str, str]]) -> dict[str, list[tuple[str, str, str]]]:
    return {device: [event for event in events if event[0] == device] for device in {event[0] for event in events}}


@pytest.mark.timeout(REPLAY_TIMEOUT_S + 60)
@pytest.mark.parametrize(("hours", "drops"), REPLAYS)
def test_every_transition_of_a_measured_house_is_reported_once(mosquitto, tmp_path: Path, hours: int, drops: int):
    house = measured_home(tmp_path, hours + 1)
    begins, ends = house.begins, house.begins + hours * HOUR_S
    with (
        Listener(mosquitto.port, "sense/+/device/+/event") as listener,
        SimulatedCloud(house, clock_mode="free", step_s=1.0, until=begins) as cloud,
        BridgeProcess(tmp_path, configure(cloud, mosquitto.port)),
    ):
        assert cloud.records.wait(lambda counts: counts.sockets_open == 1)
        for part in range(1, drops + 1):
            cloud.run_until(begins + (ends - begins) * part / (drops + 1), timeout_s=REPLAY_TIMEOUT_S)
            cloud.drop_sockets()
        cloud.run_until(ends, timeout_s=REPLAY_TIMEOUT_S)
        expected = truth(house, begins, cloud.now - 5)
        listener.wait_for(lambda heard: len(heard) >= len(expected), f"{len(expected)} events", 60)
        events = listener.events()
    heard = [told(event) for event in events]
    assert by_device(heard) == by_device(expected)
    assert len({event["id"] for event in events}) == len(events)
    sources = {event["source"] for event in events}
    assert sources <= ({"frame", "reconnect", "timeline"} if drops else {"frame"})
