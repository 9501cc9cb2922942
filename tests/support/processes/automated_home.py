"""A home whose people have made automations from our device triggers in a real Home Assistant."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import Mosquitto, free_port
from tests.support.processes.example_home import BRIDGE, DRYER, IRON, OFF, ON, WASHER, ExampleHome
from tests.support.processes.home_assistant import HomeAssistant
from tests.support.processes.home_assistant_api import HomeAssistantApi

NODE = "sense_mqtt_900101"
IRON_NODE, WASHER_NODE, DRYER_NODE = (f"{NODE}_{device.id}" for device in (IRON, WASHER, DRYER))
BRIDGE_NODE = "sense_mqtt_bridge_sense"
WITHOUT_DRYER = {"devices": {**BRIDGE["devices"], DRYER.id: {"ignore": True}}}
TOTALS = ("energy_total", "solar_energy_total", "energy_from_grid_total", "energy_to_grid_total")
USED_BY_HOUSE, PRODUCED, FROM_GRID, TO_GRID = (f"sensor.sense_{name}" for name in TOTALS)


@dataclass
class Seen:
    """What Home Assistant showed and did."""

    triggers: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # by device
    ran: dict[str, list[str]] = field(default_factory=dict)  # which automations, by phase
    ran_after: dict[str, list[str]] = field(default_factory=dict)  # and with the iron switched once after it
    entities: list[dict[str, Any]] = field(default_factory=list)
    devices: list[dict[str, Any]] = field(default_factory=list)
    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    logbook: list[dict[str, Any]] = field(default_factory=list)
    energy: dict[str, Any] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)


class Life(ExampleHome):
    """The home, with a Home Assistant in which somebody has made automations."""

    def __init__(self, folder: Path, broker: Mosquitto, listener: Listener, cloud: SimulatedCloud) -> None:
        super().__init__(folder, broker, listener, cloud)
        self.port = free_port()
        config = folder / "home_assistant"
        config.mkdir()
        lines = [f"{key}: {json.dumps(value)}" for key, value in configuration(self.port).items()]  # JSON is YAML
        (config / "configuration.yaml").write_text("\n".join([*lines, "automation: !include automations.yaml", ""]))
        (config / "automations.yaml").write_text("[]")
        self.home_assistant = HomeAssistant(config, listener, broker.port)
        self.seen = Seen()

    def api(self) -> HomeAssistantApi:
        return self.home_assistant.api(self.port)

    def note(self, phase: str) -> None:
        """Note what ran in a phase, once it is over; then iron once, and note what that set off."""
        self.note_what_ran(phase)
        self.switch(IRON, ON, 6000.0)
        self.switch(IRON, OFF)
        self._wait_for_last_run()
        self.seen.ran_after[phase] = self._ran_since()

    def note_what_ran(self, phase: str) -> None:
        """Note what ran in a phase, once it is over."""
        self.wait_for_entities()
        self.seen.ran[phase] = self._ran_since()

    def wait_for_entities(self) -> None:
        """Return once Home Assistant shows the appliance as it is."""
        with self.api() as api:
            api.wait_for_state("binary_sensor.iron", "off")
            api.wait_for_state("binary_sensor.sense_connectivity", "on")

    def _wait_for_last_run(self) -> None:
        """Return once an event that came after all others has set off its automation."""
        before = len(self.listener.messages("ran/mark"))
        self.listener.publish("mark")
        self.listener.wait_for(lambda _: len(self.listener.messages("ran/mark")) > before, "the mark")

    def _ran_since(self) -> list[str]:
        self._wait_for_last_run()
        noted = sum(map(len, (*self.seen.ran.values(), *self.seen.ran_after.values())))
        ran = [said.topic.removeprefix("ran/") for said in self.listener.messages() if said.topic.startswith("ran/")]
        return [name for name in ran if name != "mark"][noted:]


def configuration(port: int) -> dict[str, Any]:
    trigger = {"trigger": "mqtt", "topic": "mark"}
    mark = {"alias": "mark", "mode": "queued", "triggers": [trigger], "actions": [ran("mark")]}
    return {
        "homeassistant": {"name": "life", "time_zone": "America/New_York"},
        "logger": {"default": "warning"},
        "http": {"server_host": "127.0.0.1", "server_port": port},
        **{name: {} for name in ("config", "history", "logbook", "energy")},
        "automation marks": [mark],
    }


def ran(name: str) -> dict[str, Any]:
    return {"action": "mqtt.publish", "data": {"topic": f"ran/{name}", "payload": "ran"}}


def is_told(life: Life, change: dict[str, Any]) -> bool:
    """True once all topics of discovery hold what this configuration says, and no others hold anything."""
    if change == WITHOUT_DRYER and life.listener.latest(f"{DRYER.id}/state") != {
        f"sense/900101/device/{DRYER.id}/state": ""
    }:
        return False  # its discovery goes before its values
    told = {topic for topic, payload in life.listener.latest("/config").items() if payload}
    options = {"discovery": "device", "prefix": "homeassistant", **change.get("home_assistant", {})}
    nodes = {topic.split("/")[2] for topic in told}
    known = {NODE, IRON_NODE, WASHER_NODE, DRYER_NODE, BRIDGE_NODE, f"{NODE}_always_on", f"{NODE}_unknown"}
    expected = known - ({DRYER_NODE} if change == WITHOUT_DRYER else set())
    is_single = options["discovery"] == "single"
    return nodes == expected and all(
        topic.startswith(f"{options['prefix']}/") and topic.startswith(f"{options['prefix']}/device/") is not is_single
        for topic in told
    )


def ask_energy_dashboard(life: Life) -> None:
    """Note what the energy dashboard says to the sensors that docs/home-assistant.md names."""
    with life.api() as api:
        for name, sources in (
            ("with solar", [grid(FROM_GRID, TO_GRID), {"type": "solar", "stat_energy_from": PRODUCED}]),
            ("without solar", [grid(USED_BY_HOUSE)]),
        ):
            devices = [{"stat_consumption": f"sensor.{each}_energy_total"} for each in ("iron", "always_on", "other")]
            api.ask("energy/save_prefs", energy_sources=sources, device_consumption=devices)
            wait_for_statistics(life, api)
            life.seen.energy[name] = api.ask("energy/validate")


def grid(taken: str, given: str | None = None) -> dict[str, Any]:
    price = {"entity_energy_price": None, "number_energy_price": None}
    return {
        "type": "grid",
        "flow_from": [{"stat_energy_from": taken, **price}],
        "flow_to": [] if given is None else [{"stat_energy_to": given, **price}],
        "cost_adjustment_day": 0,
    }


def wait_for_statistics(life: Life, api: HomeAssistantApi) -> None:
    """Return once the recorder has statistics of what the dashboard uses, which it compiles each five minutes."""

    def is_there(_: object) -> bool:
        found = api.ask("energy/validate")
        issues = [issue["type"] for each in found["energy_sources"] + found["device_consumption"] for issue in each]
        return "statistics_not_defined" not in issues

    life.listener.wait_for(is_there, "statistics of the meters", 330.0)
