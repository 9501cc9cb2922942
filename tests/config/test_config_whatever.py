"""Whatever stands where a value belongs gives a configuration or messages, soon, and never a traceback."""

import json
import time

import pytest

from sense_mqtt.config.keys import KEYS, LISTS, dotted, secret_paths
from sense_mqtt.errors import ConfigError

ODD = [
    "[a]",
    "[[a]]",
    "[{a: 1}]",
    "{a: b}",
    "{a: {b: {c: 1}}}",
    "{? [x] : y}",
    "[]",
    "{}",
    "~",
    "2026-01-01",
    "1e999",
    '"a\\0b"',
    '"\\uD800"',
    '"a\\nb"',
    "!!binary aGk=",
    "!!set {a}",
]


def document(key: tuple[str, ...], value: str) -> str:
    """Return a file in which `value` stands at `key`."""
    place = "0" if key[0] in LISTS else "1a2b"
    path = [place if part == "*" else part for part in key]
    lines = [f"{'  ' * depth}{part}:" for depth, part in enumerate(path)]
    return "\n".join(lines) + f" {value}\n"


@pytest.mark.parametrize("key", KEYS, ids=dotted)
def test_any_value_at_any_key_gives_a_configuration_that_can_be_used_or_messages(machine, key):
    for value in ODD:
        machine.write("config.yaml", document(key, value))
        try:
            config = machine.load()
        except ConfigError:
            continue
        json.dumps(config.public(), ensure_ascii=False).encode()
        assert not [secret for secret in config.secrets() if not secret.encode()]
        config.state_dir.mkdir(parents=True, exist_ok=True)


@pytest.mark.parametrize("key", secret_paths({("accounts", "0", "name")}), ids=dotted)
def test_a_list_for_the_path_of_a_secret_gives_the_usual_message(machine, key):
    machine.write("config.yaml", document((*key[:-1], f"{key[-1]}_file"), "[a]"))
    assert f"config.yaml: {dotted(key)}_file: must be the path of a file" in machine.faults()


def test_text_that_no_protocol_can_carry_is_refused(machine):
    machine.write("config.yaml", 'mqtt: {username: "a\\0b"}')
    assert machine.faults() == [
        "config.yaml: mqtt.username: holds a NUL character or half of a surrogate pair; give plain text"
    ]


def test_a_variable_that_is_not_utf_8_is_refused(machine):
    machine.environ["SENSE_MQTT_MQTT__PASSWORD"] = "hunter\udcff2000"
    assert machine.faults() == ["SENSE_MQTT_MQTT__PASSWORD: is not UTF-8 text; set it again"]


def test_a_file_without_end_is_not_read_to_its_end(machine):
    machine.write("config.yaml", "sense: {password_file: /dev/zero}")
    assert machine.faults() == ["config.yaml: sense.password_file: /dev/zero is larger than 4 MB; correct the path"]


LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 12)
)
BOMBS = [
    pytest.param(LAUGHS, id="lists of lists"),
    pytest.param(LAUGHS.replace("[", "{k: [").replace("]", "]}"), id="mappings of lists"),
    pytest.param("a: &a [*a]", id="a list in itself"),
    pytest.param("a: &a {b: *a}", id="a mapping in itself"),
    pytest.param("[" * 10_000, id="brackets"),
    pytest.param("[" * 100_000, id="ten times the brackets", marks=pytest.mark.long),
    pytest.param("".join(f"k{number}: 1\n" for number in range(1_000)), id="unknown keys"),
    pytest.param("".join(f"k{number}: 1\n" for number in range(9_000)), id="more unknown keys", marks=pytest.mark.long),
]


@pytest.mark.parametrize("text", BOMBS)
@pytest.mark.parametrize("place", ["file", pytest.param("variable", marks=pytest.mark.long)])
def test_a_bomb_ends_soon_with_messages(machine, text, place):
    if place == "file":
        machine.write("config.yaml", text)
    else:
        machine.environ["SENSE_MQTT_DEVICES"] = f"{{z: {text}}}" if text.startswith("[") else f"{{\n{text}"
    began = time.monotonic()
    assert len(machine.faults()) <= 51
    assert time.monotonic() - began < 30
