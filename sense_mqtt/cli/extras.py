"""The optional libraries: which are missing, and the command that installs them the way this program was installed."""

import json
import shlex
import sys
from collections.abc import Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

WEB = ("aiohttp", "prometheus_client")


def find_missing(libraries: Sequence[str]) -> tuple[str, ...]:
    """Return those that are not installed; none is imported."""
    return tuple(name for name in libraries if not _is_installed(name))


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ValueError:  # an import of it was forbidden
        return False


def how_to_install(extra: str) -> str:
    """Return the command that adds an extra to this Python."""
    try:
        source = metadata.distribution("sense-mqtt").read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        source = None
    return install_command(extra, source, sys.executable)


def install_command(extra: str, source: str | None, python: str) -> str:
    """Return the command; `source` is the content of direct_url.json (PEP 610), by which pip keeps what it installed.

    No package index has sense-mqtt, so it is installed from a checkout: from the same one, where that is still there.
    """
    told = json.loads(source or "{}")
    place = urlsplit(told.get("url", ""))
    checkout = Path(unquote(place.path))
    pip = f"{shlex.quote(python)} -m pip install"
    if place.scheme != "file" or not (checkout / "pyproject.toml").is_file():
        return f"in a checkout of sense-mqtt, {pip} '.[{extra}]'"
    editable = "--editable " if told.get("dir_info", {}).get("editable") else ""
    return f"{pip} {editable}{shlex.quote(f'{checkout}[{extra}]')}"
