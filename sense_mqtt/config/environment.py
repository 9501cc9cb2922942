"""Settings from environment variables: SENSE_MQTT_ + the path in capitals, `__` between levels.

An empty variable counts as not set. A section, `devices` or a list may be given whole, as JSON.
"""

from collections.abc import Mapping
from pathlib import Path

from sense_mqtt.config.documents import FORBIDDEN_CHARACTERS, parse
from sense_mqtt.config.keys import ANY, KEYS, KeyPath, generic
from sense_mqtt.config.raw_values import RawValue, flatten

PREFIX = "SENSE_MQTT_"
WEBHOOK_LISTS = (("webhooks", ANY, "events"), ("webhooks", ANY, "devices"))
CONFIG = "SENSE_MQTT_CONFIG"  # names the file; not a key


def variable(path: KeyPath) -> str:
    return PREFIX + "__".join(path).upper()


def read_environment(environ: Mapping[str, str], cwd: Path) -> tuple[dict[KeyPath, RawValue], list[str]]:
    """The settings, and the faults."""
    settings: dict[KeyPath, RawValue] = {}
    faults: list[str] = []
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name == CONFIG:
            continue
        path = _path_of(name)
        if generic(path) not in KEYS:
            faults.append(f"{name}: is not a setting of sense-mqtt{_suggest(name)}")
        elif FORBIDDEN_CHARACTERS.search(environ[name]):
            faults.append(f"{name}: is not UTF-8 text; set it again")
        elif environ[name]:
            more, wrong = _read(name, path, environ[name], cwd)
            settings |= more
            faults += wrong
    return settings, faults


def _read(name: str, path: KeyPath, text: str, cwd: Path) -> tuple[dict[KeyPath, RawValue], list[str]]:
    if not _may_be_json(path) or not text.lstrip().startswith(("{", "[")):
        return {path: RawValue(text, name, cwd)}, []
    document = parse(text)
    return flatten(document.content, name, cwd, path), [f"{name}: {fault}" for fault in document.faults]


def _may_be_json(path: KeyPath) -> bool:
    """Sections and lists; a password that begins with a bracket is a password."""
    is_section = any(key[: len(path)] == generic(path) and key != generic(path) for key in KEYS)
    return is_section or path[-1] == "monitors" or generic(path) in WEBHOOK_LISTS


def _path_of(name: str) -> KeyPath:
    """The key that a variable names. A device's id in capitals is taken in lower case, and fits whatever Sense has."""
    parts = name.removeprefix(PREFIX).split("__")
    return tuple(part.lower() if part.isupper() else part for part in parts)


def _suggest(name: str) -> str:
    import difflib  # only where something is wrong

    known = [variable(key) for key in KEYS if ANY not in key]
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else "; remove it, or see config.example.yaml for the keys"
