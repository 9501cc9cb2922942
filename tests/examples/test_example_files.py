"""Files of the examples name what the bridge publishes, for programs that cannot be had in the tests."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from sense_mqtt.config import load
from sense_mqtt.core.entity import Entity
from sense_mqtt.core.publishing.home_state import KEYS as HOUSE_DOCUMENT
from sense_mqtt.core.readings.entities import DEVICE, MONITOR
from tests.support.checkout import ROOT

EXAMPLES = ROOT / "examples"
TOPIC = re.compile(r"\bsense/(?:123456|\+)/[\w/+-]+\b")
HOUSE = {entity.topic for entity in MONITOR} | {"state", "events", "devices", "availability"}
OF_A_DEVICE = {entity.topic for entity in DEVICE} | {"attributes"}
FILES = sorted(path for path in EXAMPLES.rglob("*") if path.is_file() and path.suffix != ".png")


def is_published(topic: str) -> bool:
    """Tell whether the bridge publishes there, or there is such a topic for a filter with `+`."""
    _, _monitor, *rest = topic.split("/")
    if rest[0] == "device":
        return "/".join(rest[2:]) in OF_A_DEVICE
    return "/".join(rest) in HOUSE


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_each_topic_that_an_example_names_is_published(path: Path) -> None:
    named = set(TOPIC.findall(path.read_text()))
    assert {topic for topic in named if not is_published(topic)} == set()


def test_topics_are_recognised() -> None:
    """The claim above would hold of nothing if none were found, or all were taken."""
    text = (EXAMPLES / "openhab/sense.things").read_text()
    assert "sense/123456/device/1a2b3c4d/event" in TOPIC.findall(text)
    assert not is_published("sense/123456/watts")
    assert not is_published("sense/123456/device/1a2b3c4d/watts")


# --- Home Assistant


class BlueprintLoader(yaml.SafeLoader):
    """Reads `!input` as the input's name."""


BlueprintLoader.add_constructor("!input", lambda loader, node: loader.construct_scalar(node))


@pytest.mark.parametrize(
    ("blueprint", "field", "row"),
    [
        ("laundry_done", "appliance", ("running", DEVICE)),
        ("left_on_too_long", "appliance", ("state", DEVICE)),
        ("lights_by_the_sky", "sky", ("sky", MONITOR)),
        ("run_on_surplus", "surplus", ("surplus", MONITOR)),
    ],
)
def test_a_blueprint_lets_choose_the_entity_that_it_needs(
    blueprint: str, field: str, row: tuple[str, tuple[Entity, ...]]
) -> None:
    text = (EXAMPLES / f"home-assistant/blueprints/automation/sense_mqtt/{blueprint}.yaml").read_text()
    document = yaml.load(text, BlueprintLoader)  # noqa: S506 - a safe loader
    (shown,) = document["blueprint"]["input"][field]["selector"]["entity"]["filter"]
    (needed,) = [entity for entity in row[1] if entity.key == row[0]]
    assert (shown["integration"], shown["domain"]) == ("mqtt", needed.platform)
    assert shown.get("device_class") in (None, needed.device_class)


# --- openHAB


def test_items_and_rules_of_openhab_use_just_the_channels_of_its_things() -> None:
    things = (EXAMPLES / "openhab/sense.things").read_text()
    channels = {
        f"mqtt:topic:sense:{thing[1]}:{channel}"
        for thing in re.finditer(r"Thing topic (\w+).*?\n    }", things, flags=re.DOTALL)
        for channel in re.findall(r"Type \w+ +: (\w+)", thing[0])
    }
    used = (EXAMPLES / "openhab/sense.items").read_text() + (EXAMPLES / "openhab/sense.rules").read_text()
    assert set(re.findall(r"mqtt:topic:sense:\w+:\w+", used)) == channels


# --- IFTTT


def test_the_bridge_takes_the_webhook(tmp_path: Path) -> None:
    address = tmp_path / "ifttt_url"
    address.write_text("https://maker.ifttt.com/trigger/sense/with/key/made-up")
    address.chmod(0o600)
    text = (EXAMPLES / "ifttt/config.yaml").read_text().replace("/etc/sense-mqtt/ifttt_url", str(address))
    (tmp_path / "config.yaml").write_text(f"sense: {{email: you@example.com, password: made up}}\n{text}")
    (hook,) = load(tmp_path / "config.yaml", {}, tmp_path).webhooks
    assert (hook.format, set(hook.events)) == ("ifttt", {"turned_on", "turned_off", "cycle_finished"})


# --- Homebridge


def test_homebridge_listens_and_gives_no_order() -> None:
    accessories = json.loads((EXAMPLES / "homebridge/config.json").read_text())["accessories"]
    named = [name for accessory in accessories for name in accessory["topics"]]
    assert [name for name in named if not name.startswith("get")] == []


# --- Grafana

TELEGRAF = tomllib.loads((EXAMPLES / "grafana/telegraf.conf").read_text())["inputs"]["mqtt_consumer"]
BOARD = json.loads((EXAMPLES / "grafana/influxdb-board.json").read_text())
ENERGY = {"consumption_kwh", "production_kwh", "from_grid_kwh", "to_grid_kwh"}
EVENT = {"name", "event_type", "power_w", "duration_s", "energy_kwh"}
# What each measurement holds, by the bridge's payloads (docs/topics.md); `value` is what Telegraf calls a plain number.
HELD = {
    "sense_house": {*HOUSE_DOCUMENT},
    "sense_device": {"value"},
    "sense_event": EVENT,
    "sense_house_energy": ENERGY,
}


def test_each_level_of_a_topic_of_telegraf_has_a_tag_or_none() -> None:
    for consumer in TELEGRAF:
        (parsing,) = consumer["topic_parsing"]
        assert consumer["topics"] == [parsing["topic"]]
        levels = list(zip(parsing["topic"].split("/"), parsing["tags"].split("/"), strict=True))
        assert {tag for level, tag in levels if level != "+"} == {"_"}
        assert levels[1] == ("+", "monitor")


def test_text_in_the_house_s_document_is_named_for_telegraf() -> None:
    """Telegraf's JSON parser drops text that is not named, and takes `time` as the time of the point."""
    (house,) = [consumer for consumer in TELEGRAF if consumer["name_override"] == "sense_house"]
    assert set(house["json_string_fields"]) == {"sky", "surplus"}
    assert house["json_time_key"] == "time"


def queries() -> Iterator[str]:
    for panel in BOARD["panels"]:
        yield from (target["query"] for target in panel["targets"])


def test_the_board_asks_only_for_what_telegraf_writes() -> None:
    written = {consumer["name_override"] for consumer in TELEGRAF}
    for query in queries():
        (measurement,) = re.findall(r'FROM "(\w+)"', query)
        fields = set(re.findall(r'"(\w+)"', query.partition(" FROM ")[0]))
        assert measurement in written
        assert fields <= HELD[measurement], query
    assert len(list(queries())) >= len(BOARD["panels"])
