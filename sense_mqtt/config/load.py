"""From files and environment to a Config, or to all that is wrong with them at once."""

import logging
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace
from pydantic import ValidationError

from sense_mqtt.config.documents import parse
from sense_mqtt.config.environment import CONFIG, read_environment
from sense_mqtt.config.faults import explain
from sense_mqtt.config.keys import PATHS, KeyPath, dotted, generic, secret_paths
from sense_mqtt.config.models import Config
from sense_mqtt.config.raw_values import RawValue, flatten, nest, origin
from sense_mqtt.config.secret_files import (
    UnreadableError,
    Warn,
    drop_overridden,
    file_key,
    read_bytes,
    read_secrets,
    refuse_both,
    warn_if_open,
)
from sense_mqtt.errors import ConfigError

logger = logging.getLogger(__name__)

USUAL_FILES = ("config.yaml", "/etc/sense-mqtt/config.yaml")  # the first that is there, where none is named

Written = tuple[dict[KeyPath, RawValue], list[str]]  # settings and faults


class SystemPaths(Struct, frozen=True):
    """Where the system keeps things; tests say otherwise."""

    system_file: Path = Path(USUAL_FILES[1])
    docker_secrets: Path = Path("/run/secrets")


SYSTEM = SystemPaths()
MAX_FAULTS = 50  # that are told at once; each costs a search for what was meant


def load(
    path: Path | None,
    environ: Mapping[str, str],
    cwd: Path,
    *,
    places: SystemPaths = SYSTEM,
    warn: Warn = logger.warning,
) -> Config:
    """The configuration: environment over file over systemd credentials and Docker secrets over defaults.

    The file is `path`, else $SENSE_MQTT_CONFIG, else config.yaml in `cwd`, else /etc/sense-mqtt/config.yaml; only the
    last two may be absent. Raises ConfigError with a line for each fault. `warn` hears of files that are too open.
    """
    supervised = _supervised(environ, places)
    filed, file_faults = _read_file(find_file(path, environ, cwd, places), cwd, supervised, warn)
    named, name_faults = read_environment(environ, cwd)
    both = refuse_both(filed) + refuse_both(named)
    settings, path_faults = _with_paths(drop_overridden(filed, named) | named, environ)
    secrets, secret_faults = read_secrets(settings, supervised, warn)
    config, model_faults = _validate(_with_state_dir(settings | secrets, environ, cwd))
    faults = file_faults + name_faults + both + path_faults + secret_faults + model_faults
    if faults or config is None:
        raise ConfigError("\n".join(dict.fromkeys(faults)))
    return config


def find_file(path: Path | None, environ: Mapping[str, str], cwd: Path, places: SystemPaths = SYSTEM) -> Path | None:
    """Return the file of the configuration as it was named, or as it is found; None where there is none."""
    named = path or Path(environ.get(CONFIG, ""))
    if named != Path():
        return named
    usual = (Path(USUAL_FILES[0]), places.system_file)
    return next((file for file in usual if (cwd / file).is_file()), None)


def _supervised(environ: Mapping[str, str], places: SystemPaths) -> tuple[Path, ...]:
    """Directories of secrets that systemd or Docker fills and guards."""
    credentials = environ.get("CREDENTIALS_DIRECTORY")
    return (*([Path(credentials)] if credentials else []), places.docker_secrets)


def _read_file(file: Path | None, cwd: Path, supervised: tuple[Path, ...], warn: Warn) -> Written:
    if file is None:
        return {}, []
    try:
        document = parse(read_bytes(cwd / file))
    except UnreadableError as error:
        return {}, [f"{file}: {error}; config.example.yaml shows what belongs there"]
    if not isinstance(document.content, dict | None):
        return {}, [f"{file}: must hold keys such as `mqtt:`, one a line, not a list or a single value"]
    settings = flatten(document.content, str(file), (cwd / file).parent)
    if settings.keys() & set(secret_paths(settings)):
        warn_if_open(cwd / file, supervised, warn)
    return settings, [f"{file}: {fault}" for fault in document.faults]


def _with_paths(settings: dict[KeyPath, RawValue], environ: Mapping[str, str]) -> Written:
    """`~` and relative paths made whole; what must be a readable file, is."""
    whole = {path: _whole(given, environ) if _is_path(path, given) else given for path, given in settings.items()}
    read_later = {file_key(path) for path in secret_paths(settings)}
    faults = []
    for path in sorted(whole.keys() - read_later - {("state_dir",)}):
        if not _is_path(path, whole[path]):
            continue  # what should be one and is no text, the models tell
        try:
            read_bytes(Path(whole[path].value))
        except UnreadableError as error:
            faults.append(f"{whole[path].where}: {dotted(path)}: {whole[path].value} {error}")
    return whole, faults


def _is_path(path: KeyPath, given: RawValue) -> bool:
    return generic(path) in PATHS and isinstance(given.value, str)


def _whole(given: RawValue, environ: Mapping[str, str]) -> RawValue:
    text = given.value
    if text.startswith("~/") and "HOME" in environ:
        text = environ["HOME"] + text[1:]
    return replace(given, value=str(given.directory / text))


def _with_state_dir(
    settings: dict[KeyPath, RawValue], environ: Mapping[str, str], cwd: Path
) -> dict[KeyPath, RawValue]:
    """state_dir filled in: systemd's, else the user's."""
    if ("state_dir",) in settings:
        return settings
    ours = environ.get("STATE_DIRECTORY", "").split(":")[0]
    state_home = environ.get("XDG_STATE_HOME") or f"{environ.get('HOME', str(cwd))}/.local/state"
    return settings | {("state_dir",): RawValue(ours or f"{state_home}/sense-mqtt", "environment", cwd)}


def _validate(settings: dict[KeyPath, RawValue]) -> tuple[Config | None, list[str]]:
    try:
        return Config.model_validate(nest(settings)), []
    except ValidationError as error:
        faults = []
        for detail in error.errors(include_url=False)[:MAX_FAULTS]:
            path = tuple(str(part) for part in detail["loc"])
            place = f"{dotted(path)}: " if path else ""  # none: what is wrong is between sections
            faults.append(f"{origin(settings, path, 'configuration')}: {place}{explain(detail)}")
    return None, faults
