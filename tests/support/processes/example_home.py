"""A home in which examples are tried: the simulated cloud, the real bridge, a real broker, and somebody who listens."""

from pathlib import Path
from typing import get_args

from sense_mqtt.simulator.house.model import Device, TrueState
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.listener import Heard, Listener
from tests.support.mqtt.mosquitto import Mosquitto
from tests.support.processes.bridge_config import configure
from tests.support.processes.bridge_process import BridgeProcess
from tests.support.simulator.hand_switched_house import HandSwitchedHouse

WASHER = Device("a1a1a1a1", "Washer", "washer", "WashingMachine")
DRYER = Device("b2b2b2b2", "Dryer", "washer", "Dryer")
IRON = Device("c3c3c3c3", "Iron", "home", "Iron")
TOASTER = Device("d4d4d4d4", "Toaster", "toast", "Toaster")
SHORT_CYCLE = {"cycle": {"pause_s": 10}, "off_delay_s": 0}
BRIDGE = {
    "publish": {"house_interval_s": 1, "device_interval_s": 1},
    "solar": {"surplus": {"hold_s": 2}},
    "devices": {WASHER.id: SHORT_CYCLE, DRYER.id: SHORT_CYCLE, IRON.id: {"off_delay_s": 0}},
}
SKY = "sense/900101/sky"
WAIT_S = 180.0
ON, _, OFF = get_args(TrueState)


class ExampleHome:
    """All parts; a subclass knows what the program under test told."""

    def __init__(self, folder: Path, broker: Mosquitto, listener: Listener, cloud: SimulatedCloud) -> None:
        self.broker, self.listener, self.cloud = broker, listener, cloud
        self.bridge = BridgeProcess(folder, configure(cloud, broker.port, **BRIDGE))

    @property
    def house(self) -> HandSwitchedHouse:
        assert isinstance(self.cloud.house, HandSwitchedHouse)
        return self.cloud.house

    def switch(self, device: Device, state: TrueState, watts: float = 0.0) -> None:
        """Switch an appliance; returns when the bridge has published it."""
        self.house.switch(device.id, state, watts)
        self.listener.wait_for_payload(f"sense/900101/device/{device.id}/state", state.upper(), WAIT_S)

    def wash(self) -> None:
        """Let the washer run twice for a second, with a pause between, as one cycle."""
        for state, watts in ((ON, 500.0), (OFF, 0.0), (ON, 480.0), (OFF, 0.0)):
            self.switch(WASHER, state, watts)

    def finished_cycle(self) -> Heard:
        """Return the last message that said that the washer has finished."""
        events = self.listener.messages(f"device/{WASHER.id}/event")
        return [event for event in events if event.document["event_type"] == "cycle_finished"][-1]

    def heard(self, *topics: str) -> list[Heard]:
        """Return what came on these topics, without what the broker kept from before."""
        return [said for said in self.listener.messages() if said.topic in topics and not said.retain]
