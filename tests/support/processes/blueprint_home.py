"""A home with every blueprint of the examples in a real Home Assistant, the real bridge and the simulated cloud."""

import json
import shutil
from pathlib import Path
from typing import Any

from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.checkout import ROOT
from tests.support.mqtt.listener import Heard, Listener
from tests.support.mqtt.mosquitto import Mosquitto
from tests.support.processes.example_home import ExampleHome
from tests.support.processes.home_assistant import HomeAssistant

BLUEPRINTS = ROOT / "examples/home-assistant/blueprints"
LAMP = {
    "name": "Lamp",
    "unique_id": "lamp",
    "default_entity_id": "light.lamp",
    "command_topic": "lamp/set",
    "brightness_command_topic": "lamp/brightness",
}
WAIT_S = 60.0
# Where the blueprints do something that can be heard, and what it is called here.
DEEDS = {
    "told/laundry": "laundry",
    "told/iron": "iron",
    "told/found": "found",
    "lamp/set": "lamp",
    "ha/input_boolean/heater/state": "heater",
}


def tell(name: str, text: str) -> list[dict[str, Any]]:
    return [{"action": "mqtt.publish", "data": {"topic": f"told/{name}", "payload": text}}]


AUTOMATIONS: dict[str, dict[str, Any]] = {
    "laundry_done": {
        "appliance": "binary_sensor.washer_running",
        "tell": tell("laundry", "{{ name }} {{ minutes | int >= 0 }}"),
    },
    "left_on_too_long": {
        "appliance": "binary_sensor.iron",
        "limit": {"seconds": 20},
        "tell": tell("iron", "{{ name }} {{ minutes | int >= 0 }}"),
    },
    "lights_by_the_sky": {
        "sky": "sensor.sense_sky",
        "lights": {"entity_id": "light.lamp"},
        "helper": "input_boolean.sky",
    },
    "run_on_surplus": {
        "surplus": "binary_sensor.sense_solar_surplus",
        "appliance": {"entity_id": "input_boolean.heater"},
        "helper": "input_boolean.surplus",
        "at_least": {"seconds": 5},
        "patience": {"minutes": 10},
    },
    "device_found": {"tell": tell("found", "{{ name }} {{ device }}")},
}
# What the test itself needs to know: the next full minute has come, and all before it was carried out.
MARKS = [
    {
        "id": "minute",
        "triggers": [{"trigger": "time_pattern", "minutes": "/1"}],
        "actions": [{"action": "mqtt.publish", "data": {"topic": "mark/minute", "payload": "{{ now() }}"}}],
    },
    {
        "id": "ping",
        "triggers": [{"trigger": "mqtt", "topic": "mark/ping"}],
        "actions": [{"action": "mqtt.publish", "data": {"topic": "mark/pong", "payload": "{{ trigger.payload }}"}}],
    },
]


def write_configuration(folder: Path) -> Path:
    """Write Home Assistant's configuration with every blueprint in use."""
    shutil.copytree(BLUEPRINTS, folder / "blueprints")
    used = [
        {"id": name, "alias": name, "use_blueprint": {"path": f"sense_mqtt/{name}.yaml", "input": given}}
        for name, given in AUTOMATIONS.items()
    ]
    document = {
        "homeassistant": {"name": "examples", "time_zone": "America/New_York"},
        "logger": {"default": "warning"},
        "mqtt_statestream": {"base_topic": "ha"},
        "input_boolean": {"sky": {}, "surplus": {}, "heater": {}},
        "automation": [*used, *MARKS],
    }
    (folder / "configuration.yaml").write_text(json.dumps(document))  # JSON is YAML
    return folder


class BlueprintHome(ExampleHome):
    """The home with Home Assistant, and what the blueprints did."""

    def __init__(self, folder: Path, broker: Mosquitto, listener: Listener, cloud: SimulatedCloud) -> None:
        super().__init__(folder, broker, listener, cloud)
        config = folder / "home_assistant"
        config.mkdir()
        self.home_assistant = HomeAssistant(write_configuration(config), listener, broker.port)

    def told(self) -> list[str]:
        """Return all that the blueprints did so far: what they told, and what they switched."""
        heard = self.heard(*DEEDS)
        return [f"{DEEDS[said.topic]}: {said.payload}" for said in heard]

    def wait_told(self, text: str, times: int = 1, timeout_s: float = WAIT_S) -> None:
        self.listener.wait_for(lambda _: self.told().count(text) >= times, f"{text} {times} times", timeout_s)

    def wait_state(self, entity: str, state: str, *, since: int = 0) -> None:
        """Return once Home Assistant shows this state, and has said so after its first `since` messages."""

        def shown(_: list[Heard]) -> bool:
            said = [one.payload for one in self.listener.messages(state_topic(entity))]
            return len(said) > since and said[-1] == state

        self.listener.wait_for(shown, f"{entity} is {state}", WAIT_S)

    def wait_minute(self) -> None:
        """Return once the next full minute has come in Home Assistant, and all that it made happen."""
        self._wait_for_another("mark/minute")
        self.settle()

    def settle(self) -> None:
        """Return once Home Assistant has carried out all that came before."""
        self.listener.publish("mark/ping", "now")
        self._wait_for_another("mark/pong")

    def _wait_for_another(self, topic: str) -> None:
        before = len(self.listener.messages(topic))
        self.listener.wait_for(lambda _: len(self.listener.messages(topic)) > before, topic, 70.0)


def state_topic(entity: str) -> str:
    """Return where Home Assistant says this entity's state."""
    return f"ha/{entity.replace('.', '/')}/state"
