"""Home Assistant's own Sense integration beside the bridge, in one real Home Assistant on one simulated cloud.

    HOME_ASSISTANT_VENV=DIR python -m tests.long.both_integrations [SECONDS] [OUT]

DIR is what ../shared/tools/setup_home_assistant.sh made; Mosquitto has to be there. Prints how many of the edges of the
house each of the two showed as a state of its binary sensors, and how late. OUT gets all states, entities and devices
of Home Assistant at the end, as JSON, and its warnings: what docs/home-assistant.md says of theirs and ours.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.house.model import TrueTransition
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.mqtt.listener import Listener
from tests.support.mqtt.mosquitto import Mosquitto
from tests.support.processes.home_assistant_api import HomeAssistantApi
from tests.support.processes.home_assistant_beside import CONNECTED, BothIntegrations

SEED = 10
AFTER_S = 75.0  # how long after its end an edge of the measured time may still be told: theirs looks each 60 s
KIND = {"on": "turned_on", "off": "turned_off"}
UNIQUE_IDS = {"theirs": ("sense", "900101-{}"), "ours": ("mqtt", "sense_mqtt_900101_{}_state")}

Told = list[tuple[float, str]]  # when (unix seconds), and what kind


def main(seconds: float, out: Path | None) -> int:
    with (
        tempfile.TemporaryDirectory() as folder,
        Mosquitto(Path(folder)) as broker,
        Listener(broker.port) as listener,
        SimulatedCloud(BuiltInHouse(SEED, begins=time.time())) as cloud,
    ):
        both = BothIntegrations(Path(folder), broker, listener, cloud)
        with both.bridge, both.home_assistant:
            with both.api() as api:
                both.connect_theirs(api)
                api.wait_for_state(CONNECTED, "on")
            time.sleep(AFTER_S)  # both have seen the house
            since = time.time()
            time.sleep(seconds + AFTER_S)
            with both.api() as api:
                report(cloud, api, since, since + seconds)
                if out is not None:
                    write(out, api, both.home_assistant.complaints)
        for line in both.home_assistant.complaints:
            print(line)
    return 0


def report(cloud: SimulatedCloud, api: HomeAssistantApi, since: float, until: float) -> None:
    """Print how many edges each integration told, and how late. A plug's idle is neither on nor off for both."""
    plugs = {device.id for device in cloud.house.devices if device.plug}
    edges = [edge for edge in cloud.house.transitions(since, until) if edge.device not in plugs]
    print(f"{len(edges)} edges of {len({edge.device for edge in edges})} detected devices in {until - since:.0f} s")
    entities = api.ask("config/entity_registry/list")
    for side, (platform, pattern) in UNIQUE_IDS.items():
        names = {
            device: entity["entity_id"]
            for device in {edge.device for edge in edges}
            for entity in entities
            if (entity["platform"], entity["unique_id"]) == (platform, pattern.format(device))
        }
        told = changes(api, names, since)
        lags = [lag for device in names for lag in lags_of([e for e in edges if e.device == device], told[device])]
        late = f"median {statistics.median(lags):.1f} s, last {max(lags):.1f} s late" if lags else ""
        print(f"{side}: {len(lags)} told as states of {len(names)} entities; {late}")


def changes(api: HomeAssistantApi, names: dict[str, str], since: float) -> dict[str, Told]:
    """Return by device when its entity went to which state."""
    if not names:
        return {}
    start = datetime.fromtimestamp(since - AFTER_S, UTC).isoformat()
    history: dict[str, list[dict[str, Any]]] = api.ask(
        "history/history_during_period", start_time=start, entity_ids=list(names.values()), no_attributes=True
    )
    return {device: list(told(history.get(name, []), since)) for device, name in names.items()}


def told(states: Iterable[dict[str, Any]], since: float) -> Iterable[tuple[float, str]]:
    before = None
    for each in states:
        changed = each.get("lc", each["lu"])
        if each["s"] in KIND and before in KIND and each["s"] != before and changed >= since:
            yield changed, KIND[each["s"]]
        before = each["s"]


def lags_of(edges: Sequence[TrueTransition], states: Told) -> list[float]:
    """Return how late (s) each edge was told. A state tells the newest edge before it; each edge is told once."""
    lags: dict[float, float] = {}
    for changed, kind in states:
        newest = max((edge.at for edge in edges if edge.kind == kind and edge.at <= changed), default=None)
        if newest is not None:
            lags.setdefault(newest, changed - newest)
    return list(lags.values())


def write(out: Path, api: HomeAssistantApi, complaints: list[str]) -> None:
    lists = {name: api.ask(f"config/{name}/list") for name in ("entity_registry", "device_registry")}
    document = {"states": api.states(), **lists, "config": api.ask("get_config"), "complaints": complaints}
    out.write_text(json.dumps(document, indent=1))


if __name__ == "__main__":
    sys.exit(main(float((*sys.argv[1:], "1800")[0]), Path(sys.argv[2]) if len(sys.argv) > 2 else None))
