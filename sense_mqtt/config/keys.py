"""Every key as a path, derived from the models: for the environment, for secrets and files, and for suggestions."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from sense_mqtt.config.cycle_settings import CycleSettings
from sense_mqtt.config.models import Config, DeviceSettings
from sense_mqtt.config.section import Section
from sense_mqtt.config.sense_settings import AccountSettings
from sense_mqtt.config.webhook_settings import WebhookSettings

KeyPath = tuple[str, ...]
ANY = "*"  # stands in a path for a device's id, or for the place of an item in a list, from 0
LISTS: Mapping[str, type[Section]] = {  # each holds items with keys of their own
    "accounts": AccountSettings,
    "webhooks": WebhookSettings,
}
ITEMS: Mapping[str, type[Section]] = {"devices": DeviceSettings, **LISTS}
# Sections that the type of a key does not tell, by that key: each with what stands between it and its own keys.
_NESTED: Mapping[KeyPath, tuple[type[Section], KeyPath]] = {
    **{(name,): (model, (ANY,)) for name, model in ITEMS.items()},
    ("devices", ANY, "cycle"): (CycleSettings, ()),
}


def _walk(model: type[Section], above: KeyPath = ()) -> Iterator[tuple[KeyPath, FieldInfo]]:
    for name, field in model.model_fields.items():
        path = (*above, name)
        yield path, field
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _walk(field.annotation, path)
        elif path in _NESTED:
            model_of, more = _NESTED[path]
            yield from _walk(model_of, (*path, *more))


def _holds(annotation: Any, wanted: type) -> bool:
    """Whether `wanted` is the annotation, or a part of it (`Path | None`, `Annotated[Path, ...]`)."""
    if get_origin(annotation) in (UnionType, Union, Annotated):
        return any(_holds(part, wanted) for part in get_args(annotation))
    return annotation is wanted


FIELDS = dict(_walk(Config))
KEYS = tuple(FIELDS)  # sections too
SECRETS = frozenset(path for path, field in FIELDS.items() if _holds(field.annotation, SecretStr))
PATHS = frozenset(path for path, field in FIELDS.items() if _holds(field.annotation, Path))
FROM_FILE = tuple(sorted(path for path in SECRETS if (*path[:-1], f"{path[-1]}_file") in PATHS))  # may be `x_file`


def dotted(path: KeyPath) -> str:
    return ".".join(path)


def generic(path: KeyPath) -> KeyPath:
    """The path with a device's id, or the place in a list, replaced by `*`, as in KEYS."""
    return (path[0], ANY, *path[2:]) if len(path) > 1 and path[0] in ITEMS else path


def secret_paths(given: Iterable[KeyPath]) -> list[KeyPath]:
    """Every secret that may be in a file of its own, those of the items that are given at all included."""
    items = {path[:2] for path in given if len(path) > 1}
    own = [(*item, *path[2:]) for path in FROM_FILE if ANY in path for item in sorted(items) if item[0] == path[0]]
    return [path for path in FROM_FILE if ANY not in path] + own


def siblings(path: KeyPath) -> list[str]:
    """The keys that exist where `path` points."""
    above = generic(path)[:-1]
    return [key[-1] for key in KEYS if key[:-1] == above and key[-1] != ANY]
