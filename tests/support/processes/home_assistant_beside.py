"""A real Home Assistant that has its own Sense integration and the bridge's devices, both of one simulated cloud."""

import json
from pathlib import Path
from typing import Any

from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import Mosquitto, free_port
from tests.support.processes.bridge_config import configure
from tests.support.processes.bridge_process import BridgeProcess
from tests.support.processes.home_assistant import HomeAssistant
from tests.support.processes.home_assistant_api import HomeAssistantApi

# Python runs a module of this name when it starts. The library's addresses are constants, and it gives an SSL context
# to the websocket, which a plain one does not take.
SITECUSTOMIZE = """\
from sense_energy import asyncsenseable
asyncsenseable.API_URL = {api_url!r}
asyncsenseable.WS_URL = {feed_url!r} + "/monitors/%s/realtimefeed?access_token=%s"
asyncsenseable.get_ssl_context = lambda *_: None
"""
TIMEOUT_S = 30  # what their form proposes
CONNECTED = "binary_sensor.sense_connectivity"


class BothIntegrations:
    """Home Assistant and the bridge. `connect_theirs` sets up the other integration as a person does."""

    def __init__(self, folder: Path, broker: Mosquitto, listener: Listener, cloud: SimulatedCloud) -> None:
        self.cloud, self.port = cloud, free_port()
        self.bridge = BridgeProcess(folder, configure(cloud, broker.port))
        config, patch = folder / "home_assistant", folder / "patch"
        config.mkdir()
        patch.mkdir()
        (config / "configuration.yaml").write_text(json.dumps(configuration(self.port)))  # JSON is YAML
        addresses = {"api_url": cloud.api_url, "feed_url": cloud.feed_url}
        (patch / "sitecustomize.py").write_text(SITECUSTOMIZE.format(**addresses))
        self.home_assistant = HomeAssistant(config, listener, broker.port, {"PYTHONPATH": str(patch)})

    def api(self) -> HomeAssistantApi:
        return self.home_assistant.api(self.port)

    def connect_theirs(self, api: HomeAssistantApi) -> None:
        """Fill in the form of Home Assistant's own Sense integration."""
        flow = api.post("config/config_entries/flow", {"handler": "sense"})
        form = {"email": self.cloud.email, "password": self.cloud.password, "timeout": TIMEOUT_S}
        answer = api.post(f"config/config_entries/flow/{flow['flow_id']}", form)
        assert answer["type"] == "create_entry", answer


def configuration(port: int) -> dict[str, Any]:
    return {
        "homeassistant": {"name": "both", "time_zone": "America/New_York"},
        "logger": {"default": "warning"},
        "http": {"server_host": "127.0.0.1", "server_port": port},
        **{name: {} for name in ("config", "history", "logbook", "energy")},
    }
