"""A home with all examples for Home Assistant in a real one, the real bridge and the simulated cloud."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.checkout import ROOT
from tests.support.mqtt.listener import Heard, Listener
from tests.support.mqtt.mosquitto import Mosquitto
from tests.support.processes.example_home import ExampleHome
from tests.support.processes.home_assistant import HomeAssistant

EXAMPLES = ROOT / "examples/home-assistant"
DASHBOARD = yaml.safe_load((EXAMPLES / "dashboard.yaml").read_text())
LAMP = {
    "name": "Lamp",
    "unique_id": "lamp",
    "default_entity_id": "light.lamp",
    "command_topic": "lamp/set",
    "brightness_command_topic": "lamp/brightness",
}
WAIT_S = 180.0
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
    "run_on_surplus pump": {  # that soon gives up when nothing is known
        "surplus": "binary_sensor.sense_solar_surplus",
        "appliance": {"entity_id": "input_boolean.pump"},
        "helper": "input_boolean.pump_helper",
        "at_least": {"seconds": 0},
        "patience": {"seconds": 5},
    },
    "device_found": {"tell": tell("found", "{{ name }} {{ device }}")},
}


def cards(part: Any) -> Iterator[dict[str, Any]]:
    """Yield every card of the dashboard, and every row of a card."""
    if isinstance(part, dict):
        yield part
    for below in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from cards(below)


(BUBBLES,) = [card["content"] for card in cards(DASHBOARD) if card.get("type") == "markdown"]
# What the test itself needs to know: that all that came before was carried out, and how the bubbles look.
MARKS = [
    {
        "id": "bubbles",
        "triggers": [{"trigger": "mqtt", "topic": "mark/draw"}],
        "actions": [{"action": "mqtt.publish", "data": {"topic": "mark/bubbles", "payload": BUBBLES}}],
    },
    {
        "id": "ping",
        "triggers": [{"trigger": "mqtt", "topic": "mark/ping"}],
        "actions": [{"action": "mqtt.publish", "data": {"topic": "mark/pong", "payload": "{{ trigger.payload }}"}}],
    },
]


def write_configuration(folder: Path) -> Path:
    """Write Home Assistant's configuration with every blueprint in use."""
    shutil.copytree(EXAMPLES / "blueprints", folder / "blueprints")
    used = [
        {"id": name, "alias": name, "use_blueprint": {"path": f"sense_mqtt/{name.split()[0]}.yaml", "input": given}}
        for name, given in AUTOMATIONS.items()
    ]
    document = {
        "homeassistant": {"name": "examples", "time_zone": "America/New_York"},
        "logger": {"default": "warning"},
        "mqtt_statestream": {"base_topic": "ha"},
        "input_boolean": {name: {} for name in ("sky", "surplus", "heater", "pump", "pump_helper")},
        "automation": [*used, *MARKS],
    }
    (folder / "configuration.yaml").write_text(json.dumps(document))  # JSON is YAML
    return folder


class HomeAssistantHome(ExampleHome):
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

    def settle(self) -> None:
        """Return once Home Assistant has carried out all that came before."""
        self._ask("mark/ping", "mark/pong")

    def draw(self) -> str:
        """Return what Home Assistant makes of the dashboard's bubbles now."""
        self._ask("mark/draw", "mark/bubbles")
        return self.listener.messages("mark/bubbles")[-1].payload

    def _ask(self, topic: str, answer: str) -> None:
        before = len(self.listener.messages(answer))
        self.listener.publish(topic, "now")
        self._wait_for(answer, before)

    def _wait_for(self, topic: str, before: int) -> None:
        self.listener.wait_for(lambda _: len(self.listener.messages(topic)) > before, topic, WAIT_S)


def state_topic(entity: str) -> str:
    """Return where Home Assistant says this entity's state."""
    return f"ha/{entity.replace('.', '/')}/state"
