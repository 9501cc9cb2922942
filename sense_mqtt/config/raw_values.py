"""What was written, before it is a Config: one text a key, with where it came from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from sense_mqtt.config.keys import ANY, FIELDS, LISTS, KeyPath, generic


class RawValue(Struct, frozen=True):
    """One value as written."""

    value: Any  # str, or a list
    where: str  # the file or the variable, as messages name it
    directory: Path  # relative paths start here


Settings = Mapping[KeyPath, RawValue]


def flatten(content: Any, where: str, directory: Path, above: KeyPath = ()) -> dict[KeyPath, RawValue]:
    """The leaves of nested mappings. An empty value or section counts as not written, unless nobody knows its key."""
    if content is None or content == {}:
        return {} if _is_known(above) else {above: RawValue("", where, directory)}
    if isinstance(content, list) and content and above and len(above) == 1 and above[0] in LISTS:
        content = {str(place): item for place, item in enumerate(content)}
    if not isinstance(content, Mapping):
        return {above: RawValue(content, where, directory)}
    leaves: dict[KeyPath, RawValue] = {}
    for key, value in content.items():
        leaves |= flatten(value, where, directory, (*above, key))
    return leaves


def _is_known(path: KeyPath) -> bool:
    return generic(path) in ((), ("devices", ANY)) or generic(path) in FIELDS


def nest(settings: Settings) -> dict[str, Any]:
    """The reverse. A text where a section belongs stays, and is a fault later."""
    tree: dict[str, Any] = {}
    for path in sorted(settings):
        section = tree
        for part in path[:-1]:
            section = section.setdefault(part, {})
            if not isinstance(section, dict):
                break
        else:
            section[path[-1]] = settings[path].value
    return {key: _as_list(value) if key in LISTS else value for key, value in tree.items()}


def _as_list(items: Any) -> Any:
    """Items by place as a list; the places must be 0, 1 and so on, anything else stays and is a fault later."""
    places = [str(place) for place in range(len(items))]
    return [items[place] for place in places] if isinstance(items, dict) and items.keys() == set(places) else items


def origin(settings: Settings, path: KeyPath, otherwise: str) -> str:
    """Where the value at, above, below or beside `path` was written."""
    for length in range(len(path), 0, -1):
        if path[:length] in settings:
            return settings[path[:length]].where
    near = (given.where for above in (path, path[:-1]) for key, given in settings.items() if key[: len(above)] == above)
    return next(near, otherwise)
