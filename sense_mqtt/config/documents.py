"""The only door to YAML: text -> plain mappings and lists whose every scalar is still text.

YAML's own guesses (`1e5` a float, `0123` octal, `off` false) never happen: the models give each value its type.
"""

import re
from typing import Any

import yaml
from msgspec import Struct, field

from sense_mqtt.config.yaml_faults import explain_yaml

NULL = "tag:yaml.org,2002:null"
MAX_VALUES = 10_000  # aliases counted as often as they are used: a few lines can stand for billions of values
FORBIDDEN_CHARACTERS = re.compile("[\\0\ud800-\udfff]")  # no file name, MQTT or HTTP can carry these
OWN_TAG = re.compile(r"!(?!!)")  # `!secret`; `!!str` and the like resolve to tag:yaml.org


class Document(Struct, frozen=True):
    """What was written, and what was wrong with the writing."""

    content: Any  # dict, list, str or None
    faults: tuple[str, ...] = ()


def parse(text: str | bytes) -> Document:
    """Read YAML (or JSON). Faults never quote a value: it may be a secret."""
    reading = _Reading()
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        content = reading.plain(node, "") if node else None
    except yaml.YAMLError as error:
        return Document(None, (explain_yaml(error),))
    except _TooManyValues:
        return Document(None, (f"holds more than {MAX_VALUES} values; aliases count as often as they are used",))
    except RecursionError:
        return Document(None, ("is nested too deeply",))
    return Document(content, tuple(reading.faults))


class _TooManyValues(Exception):
    """The document is too long, or a bomb of aliases."""


class _Reading(Struct):
    """One walk over the nodes of a document. Raises _TooManyValues."""

    faults: list[str] = field(default_factory=list)
    values: int = 0

    def plain(self, node: yaml.Node, path: str) -> Any:
        self.values += 1
        if self.values > MAX_VALUES:
            raise _TooManyValues
        match node:
            case yaml.MappingNode():
                return self._mapping(node, path)
            case yaml.SequenceNode():
                return [self.plain(item, f"{path}[{index}]") for index, item in enumerate(node.value)]
            case _:
                return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Any]:
        content: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else "?"
            here = f"{path}.{key}" if path else key
            if key in content:
                again = f"line {key_node.start_mark.line + 1}, column {key_node.start_mark.column + 1}"
                self.faults.append(f"{here}: is given twice, again in {again}; keep one")
            content[key] = self.plain(value_node, here)
        return content

    def _scalar(self, node: yaml.Node, path: str) -> str | None:
        if OWN_TAG.match(node.tag):
            self.faults.append(f"{path}: tags such as !secret are not understood; give the value, or a *_file")
        if FORBIDDEN_CHARACTERS.search(node.value):
            self.faults.append(f"{path}: holds a NUL character or half of a surrogate pair; give plain text")
        return None if node.tag == NULL else FORBIDDEN_CHARACTERS.sub("", node.value)
