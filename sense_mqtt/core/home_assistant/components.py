"""How one row of the table of entities is described to Home Assistant: the keys of one MQTT discovery component.

Facts without another source: Home Assistant 2026.11, components/mqtt/, one file a platform.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from sense_mqtt.core.entity import Entity

# No key of discovery holds an attribution; as an attribute Home Assistant shows it below the entity.
_ATTRIBUTION = "{{ dict(value_json | default({}), attribution='Data provided by Sense') | tojson }}"
_NOT_IN_ENTITY_IDS = re.compile(r"[^a-z0-9]+")


class EntityTopics(Struct, frozen=True):
    """A row of the table, of one monitor or device, with its topics."""

    row: Entity
    topic: str
    attributes_topic: str | None = None
    command_topic: str | None = None
    icon: str | None = None  # of its device, where the row has none of its own


def describe_component(entity: EntityTopics, *, node: str, name: str, monitor: int | None) -> dict[str, Any]:
    """Return the keys of one component, `platform` aside; `node` and the row's key make its unique id, for ever.

    The device's `name` only makes the first entity id, which is the user's from then on.
    """
    row = entity.row
    shared = {
        "unique_id": f"{node}_{row.key}",
        "default_entity_id": first_entity_id(row, name),
        "icon": row.icon or entity.icon,
        "device_class": row.device_class,
        "entity_category": "config" if row.config else "diagnostic" if row.diagnostic else None,
        "enabled_by_default": None if row.enabled else False,
        **DESCRIBERS[row.platform](entity, monitor),
    }
    return {"name": row.name, **without_none(shared)}  # a name of null is what marks a device's main feature


def without_none(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what has a value: Home Assistant takes no null for text."""
    return {key: value for key, value in fields.items() if value is not None}


def first_entity_id(row: Entity, name: str) -> str | None:
    """Return the entity id to begin with; None where the name's script is better left to Home Assistant's own ways."""
    words = name if row.name is None else f"{name} {row.name}"
    plain = "".join(
        letter for letter in unicodedata.normalize("NFKD", words.casefold()) if not unicodedata.combining(letter)
    )
    stem = _NOT_IN_ENTITY_IDS.sub("_", plain).strip("_")
    return f"{row.platform}.{stem}" if plain.isascii() and stem else None


def _describe_sensor(entity: EntityTopics, monitor: int | None) -> dict[str, Any]:
    row = entity.row
    return {
        "state_topic": entity.topic,
        "unit_of_measurement": row.unit,
        "state_class": row.state_class,
        "suggested_display_precision": row.display_decimals,
        "options": list(row.options) or None,
        "value_template": None if row.field is None else f"{{{{ {_path(row.field, monitor)} | default(none) }}}}",
        # Nothing, not "None", leaves the last reset as it was: "None" would be logged as an invalid time.
        "last_reset_value_template": "{{ value_json.start | default('', true) }}"
        if row.state_class == "total"
        else None,
    }


def _describe_binary_sensor(entity: EntityTopics, monitor: int | None) -> dict[str, Any]:
    row = entity.row
    on, off = row.on_off_payloads
    return {
        "state_topic": entity.topic,
        "payload_on": on,
        "payload_off": off,
        "value_template": _is_on(row, monitor),
        "json_attributes_topic": entity.attributes_topic,
        "json_attributes_template": None if entity.attributes_topic is None else _ATTRIBUTION,
    }


def _path(field: str, monitor: int | None) -> str:
    return f"value_json.{field.format(monitor=monitor)}"


def _is_on(row: Entity, monitor: int | None) -> str | None:
    if row.field is None:
        return None
    on, off = row.on_off_payloads
    field = _path(row.field, monitor)
    wanted = "true" if row.on_when is True else f"'{row.on_when}'"
    return f"{{{{ ('{on}' if {field} == {wanted} else '{off}') if {field} is defined else none }}}}"


def _describe_event(entity: EntityTopics, monitor: int | None) -> dict[str, Any]:  # noqa: ARG001 - one shape for all describers
    # Without availability: an event that comes back from `unavailable` looks to an automation as if it happened again.
    return {"state_topic": entity.topic, "event_types": list(entity.row.options), "availability": [], "qos": 1}


def _describe_button(entity: EntityTopics, monitor: int | None) -> dict[str, Any]:
    return {"command_topic": entity.topic, "payload_press": json.dumps(_arguments(monitor))}


def _describe_switch(entity: EntityTopics, monitor: int | None) -> dict[str, Any]:
    on, off = entity.row.on_off_payloads
    return {
        "state_topic": entity.topic,
        "state_on": on,
        "state_off": off,
        "value_template": _is_on(entity.row, monitor),
        "command_topic": entity.command_topic,
        "payload_on": json.dumps(_arguments(monitor)),
        "payload_off": json.dumps({**_arguments(monitor), "minutes": 0}),
    }


def _describe_select(entity: EntityTopics, monitor: int | None) -> dict[str, Any]:
    row = entity.row
    return {
        "state_topic": entity.topic,
        "options": list(row.options),
        "value_template": f"{{{{ {_path(str(row.field), monitor)} | default(none) }}}}",
        "command_topic": entity.command_topic,
        "command_template": json.dumps({**_arguments(monitor), str(row.argument): "{{ value }}"}),
    }


def _arguments(monitor: int | None) -> dict[str, int]:
    """Return what a command is told of whom it is for; nothing where all monitors are meant."""
    return {} if monitor is None else {"monitor": monitor}


DESCRIBERS: Mapping[str, Callable[[EntityTopics, int | None], dict[str, Any]]] = {
    "sensor": _describe_sensor,
    "binary_sensor": _describe_binary_sensor,
    "event": _describe_event,
    "button": _describe_button,
    "switch": _describe_switch,
    "select": _describe_select,
}
