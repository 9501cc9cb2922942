"""Every key as a path, derived from the models: for the environment, for secrets and files, and for suggestions."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from sense_mqtt.config.cycle_settings import CycleSettings
from sense_mqtt.config.models import Config, DeviceSettings
from sense_mqtt.config.section import Section

KeyPath = tuple[str, ...]
ANY = "*"  # stands for a device's id in a path
# Sections that the type of a key does not tell, by that key: each with what stands between it and its own keys.
_NESTED: Mapping[str, tuple[type[Section], KeyPath]] = {
    "devices": (DeviceSettings, (ANY,)),
    "cycle": (CycleSettings, ()),
}


def _walk(model: type[Section], above: KeyPath = ()) -> Iterator[tuple[KeyPath, FieldInfo]]:
    for name, field in model.model_fields.items():
        path = (*above, name)
        yield path, field
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _walk(field.annotation, path)
        elif name in _NESTED:
            model_of, more = _NESTED[name]
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
    """The path with a device's id replaced by `*`, as in KEYS."""
    return (path[0], ANY, *path[2:]) if len(path) > 1 and path[0] == "devices" else path


def siblings(path: KeyPath) -> list[str]:
    """The keys that exist where `path` points."""
    above = generic(path)[:-1]
    return [key[-1] for key in KEYS if key[:-1] == above and key[-1] != ANY]
