"""Who may import whom: every contract of pyproject.toml is tried by breaking it, in memory."""

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import grimp
import pytest
from importlinter import api
from importlinter.contracts import acyclic_siblings, forbidden, layers, protected

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
TYPES = {
    "acyclic_siblings": acyclic_siblings.AcyclicSiblingsContract,
    "forbidden": forbidden.ForbiddenContract,
    "layers": layers.LayersContract,
    "protected": protected.ProtectedContract,
}


@cache
def settings() -> dict[str, Any]:
    return api.read_configuration(str(PYPROJECT))


@cache
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("sense_mqtt", include_external_packages=True, cache_dir=None)


def broken(graph: grimp.ImportGraph) -> set[str]:
    """The names of the contracts that this graph breaks."""
    names = set()
    for options in settings()["contracts_options"]:
        contract = TYPES[options["type"]](options["name"], settings()["session_options"], options)
        if not contract.check(deepcopy(graph), verbose=False).kept:
            names.add(options["name"])
    return names


VIOLATIONS = [
    pytest.param("sense_mqtt.mqtt.client", "sense_mqtt.bridge.loop", "Layers", id="the broker knows the bridge"),
    pytest.param("sense_mqtt.sense.rest.api", "sense_mqtt.mqtt.client", "Layers", id="the cloud knows the broker"),
    pytest.param(
        "sense_mqtt.sense.rest_queries.lookups", "sense_mqtt.bridge.monitor", "Layers", id="a lookup knows the monitors"
    ),
    pytest.param("sense_mqtt.core.home.state", "sense_mqtt.inbox", "Layers", id="the core knows the inbox"),
    pytest.param("sense_mqtt.webhooks.post", "sense_mqtt.sense.rest.api", "Layers", id="a webhook knows the cloud"),
    pytest.param("sense_mqtt.net.deadline", "sense_mqtt.inbox", "Layers", id="a connection knows the inbox"),
    pytest.param("sense_mqtt.store.journal", "sense_mqtt.mqtt.client", "Layers", id="the journal knows the broker"),
    pytest.param("sense_mqtt.errors", "sense_mqtt.core.wire.devices", "Layers", id="the errors know the core"),
    pytest.param(
        "sense_mqtt.core.wire.devices",
        "sense_mqtt.core.wire.frames",
        "No import",
        id="two parts of the core know each other",
    ),
    pytest.param("sense_mqtt.core.home.state", "time", "The core", id="the core reads a clock"),
    pytest.param("sense_mqtt.core.home.state", "random", "The core", id="the core throws dice"),
    pytest.param("sense_mqtt.core.home.state", "logging", "The core", id="the core logs"),
    pytest.param("sense_mqtt.simulator.house.model", "sense_mqtt.errors", "The simulator", id="the simulator borrows"),
    pytest.param(
        "sense_mqtt.bridge.loop",
        "sense_mqtt.simulator",
        "Only the command line and the demo",
        id="a fake cloud",
    ),
    pytest.param("sense_mqtt.sense.rest_queries.lookups", "urllib3", "urllib3", id="a third door to urllib3"),
    pytest.param("sense_mqtt.bridge.loop", "paho", "paho", id="a second door to paho"),
    pytest.param("sense_mqtt.bridge.loop", "sqlite3", "sqlite3", id="a second door to sqlite3"),
    pytest.param("sense_mqtt.bridge.loop", "yaml", "yaml", id="a second door to yaml"),
    pytest.param("sense_mqtt.cli.demo", "amqtt", "amqtt", id="a second door to amqtt"),
    pytest.param("sense_mqtt.bridge.loop", "prometheus_client", "prometheus_client", id="metrics of the bridge's own"),
    pytest.param(
        "sense_mqtt.assembly.sense_client",
        "sense_mqtt.assembly.assemble",
        "Layers of the assembly",
        id="the client of Sense knows the bridge",
    ),
    pytest.param("sense_mqtt.web.state", "sense_mqtt.web.server", "Layers of the page", id="the state serves pages"),
    pytest.param("sense_mqtt.bridge.loop", "aiohttp", "aiohttp", id="a web server of the bridge's own"),
]


def test_the_code_keeps_every_import_rule():
    assert not broken(imports())


@pytest.mark.parametrize(("importer", "imported", "contract"), VIOLATIONS)
def test_the_import_rules_do_not_allow(importer, imported, contract):
    graph = deepcopy(imports())
    if imported not in graph.modules:
        graph.add_module(imported, is_squashed=True)
    graph.add_import(importer=importer, imported=imported)
    assert any(name.startswith(contract) for name in broken(graph))


def test_every_import_rule_is_tried():
    names = {contract["name"] for contract in settings()["contracts_options"]}
    tried = {case.values[2] for case in VIOLATIONS}
    assert not [name for name in names if not name.startswith(tuple(tried))]
