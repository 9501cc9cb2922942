"""Secrets that are kept in files: `x_file`, systemd credentials, Docker secrets."""

from collections.abc import Callable, Iterable
from pathlib import Path

from sense_mqtt.config.keys import KeyPath, dotted, secret_paths
from sense_mqtt.config.raw_values import RawValue, Settings

READABLE_BY_ALL = 0o004
BYTES_MOST = 4_000_000  # certificates of all the world's authorities have 250 kB; /dev/zero has no end

Warn = Callable[[str], None]


class UnreadableError(Exception):
    """Why a file gives no text, and what to do."""


def refuse_both(settings: Settings) -> list[str]:
    """Faults for every secret that one place gives both as `x` and as `x_file`."""
    twice = (path for path in secret_paths(settings) if path in settings and file_key(path) in settings)
    return [
        f"{settings[path].where}: {dotted(path)}: is given here and by {dotted(file_key(path))}; keep one"
        for path in twice
    ]


def drop_overridden(settings: Settings, stronger: Settings) -> dict[KeyPath, RawValue]:
    """`settings` without the secrets that a stronger place gives in either way."""
    paths = [{path, file_key(path)} for path in secret_paths(settings)]
    gone = {key for either in paths if either & stronger.keys() for key in either}
    return {path: given for path, given in settings.items() if path not in gone}


def read_secrets(settings: Settings, roots: Iterable[Path], warn: Warn) -> tuple[dict[KeyPath, RawValue], list[str]]:
    """The secrets that files hold, and the faults. `roots` are directories that a supervisor fills, first one first."""
    secrets: dict[KeyPath, RawValue] = {}
    faults: list[str] = []
    for path in secret_paths(settings):
        given = settings.get(file_key(path)) or _provided(path, roots)
        if path in settings or given is None or not isinstance(given.value, str):
            continue  # a list or the like is told by the models
        try:
            secrets[path] = RawValue(read_secret(Path(given.value)), given.where, given.directory)
        except UnreadableError as error:
            faults.append(f"{given.where}: {dotted(file_key(path))}: {given.value} {error}")
        else:
            warn_if_open(Path(given.value), roots, warn)
    return secrets, faults


def read_secret(path: Path) -> str:
    """The text of the file without the line end; raises UnreadableError."""
    text = read_bytes(path)
    try:
        secret = text.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise UnreadableError("is not UTF-8 text; write the secret into it as one line") from None
    if not secret:
        raise UnreadableError("is empty; write the secret into it as one line")
    return secret


def read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(BYTES_MOST + 1)
    except FileNotFoundError:
        raise UnreadableError("does not exist; create it, or correct the path") from None
    except IsADirectoryError:
        raise UnreadableError("is a directory; name a file") from None
    except PermissionError:
        raise UnreadableError("cannot be read by this user; change its owner or its mode") from None
    except (OSError, ValueError) as error:
        raise UnreadableError(f"cannot be read: {error.__class__.__name__}; correct the path") from None
    if len(content) > BYTES_MOST:
        raise UnreadableError(f"is larger than {BYTES_MOST // 1_000_000} MB; correct the path")
    return content


def warn_if_open(path: Path, exempt: Iterable[Path], warn: Warn) -> None:
    """Warn of a file with secrets that every user can read, unless a supervisor keeps it (Docker: always 0444)."""
    if not any(path.is_relative_to(root) for root in exempt) and path.stat().st_mode & READABLE_BY_ALL:
        warn(f"{path}: every user of this machine can read the secrets in it; run: chmod o-rwx {path}")


def file_key(path: KeyPath) -> KeyPath:
    return (*path[:-1], f"{path[-1]}_file")


def _provided(path: KeyPath, roots: Iterable[Path]) -> RawValue | None:
    """`sense_password` and the like in one of the directories."""
    files = (root / "_".join(path) for root in roots)
    return next((RawValue(str(file), file.name, file.parent) for file in files if _exists(file)), None)


def _exists(file: Path) -> bool:
    try:
        return file.exists()
    except OSError:  # a directory that is closed to us provides nothing
        return False
