"""A real Node-RED with a file of flows, whose debug nodes publish what they are given."""

import json
import os
import signal
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

from tests.support.mqtt.mosquitto import free_port, wait_for_port

START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 20.0
BIRTH = "told/birth"  # said with each connection to the broker, after the subscriptions
FILES = {"flowFile": "flows.json", "logging": {"console": {"level": "warn"}}, "telemetry": {"enabled": False}}


def folder_of(version: str) -> Path:
    """Return where `npm install node-red@VERSION` was run, as NODE_RED_4 and NODE_RED_5 say."""
    return Path(os.environ.get(f"NODE_RED_{version}", "nowhere")) / "node_modules"


class NodeRed:
    """One Node-RED; `stop` and `start` keep its files."""

    def __init__(self, modules: Path, folder: Path, flows: list[dict[str, Any]], broker_port: int) -> None:
        self._folder = folder
        self._port = free_port()
        own_node = modules / "node/bin/node"  # newer than the machine's, where the package `node` is there too
        self._command = [str(own_node) if own_node.exists() else "node", str(modules / "node-red/red.js")]
        (folder / "flows.json").write_text(json.dumps([audible(node, broker_port) for node in flows]))
        settings = {**FILES, "uiHost": "127.0.0.1", "uiPort": self._port, "userDir": str(folder)}
        (folder / "settings.js").write_text(f"module.exports = {json.dumps(settings)}")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self._folder / "log.txt").open("ab") as log:
            command = [*self._command, "--settings", str(self._folder / "settings.js")]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_for_port(self._port, START_TIMEOUT_S)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(STOP_TIMEOUT_S)
            self._process = None

    def press(self, button: str) -> None:
        """Press the button of an inject node."""
        url = f"http://127.0.0.1:{self._port}/inject/{button}"
        with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=10):
            pass


def audible(node: dict[str, Any], broker_port: int) -> dict[str, Any]:
    """Return the node with the broker of the test; a debug node publishes its messages below `told/`."""
    if node["type"] == "mqtt-broker":
        birth = {"birthTopic": BIRTH, "birthQos": "1", "birthRetain": "false", "birthPayload": "here"}
        return {**node, "broker": "127.0.0.1", "port": str(broker_port), **birth}
    if node["type"] == "debug":
        kept = {key: node[key] for key in ("id", "z", "name", "x", "y", "wires")}
        return {
            **kept,
            "type": "mqtt out",
            "topic": f"told/{node['name']}",
            "qos": "1",
            "retain": "false",
            "broker": "sense_broker",
        }
    return node
