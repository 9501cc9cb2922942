"""`report`: one archive for a bug report, whose content is shown before it is written."""

import argparse
import gzip
import json
import os
import platform
import sys
import time
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from sense_mqtt import __version__
from sense_mqtt.cli.account_option import add_config
from sense_mqtt.cli.report_data import DATA, RECORDING, WANTED, clean_config
from sense_mqtt.cli.run import read_config
from sense_mqtt.config import Config
from sense_mqtt.errors import ConfigError, StateError
from sense_mqtt.logs.redaction import Redactor
from sense_mqtt.recording.recorders import open_private, refuse_existing
from sense_mqtt.recording.redact import RecordingRedactor
from sense_mqtt.store.schema import SQLITE_VERSION
from sense_mqtt.store.state_directory import open_directory

WAIT_S = 20.0  # for the running bridge, which looks once a second
ABOUT: Mapping[str, str] = {
    "versions.json": "versions of sense-mqtt, of Python and its libraries, and of the system",
    "config.json": "the configuration without secrets; what you have typed is replaced, defaults stay",
    "health.json": "the health document of the running bridge",
    "log.txt": "the last lines of its log, without secrets; names of devices are replaced",
    "state.json": "what it knows of each home; names are replaced",
    RECORDING: "what came from Sense in the last ten minutes, names replaced: `sense-mqtt replay` plays the archive",
}
LIBRARIES = ("paho-mqtt", "urllib3", "pydantic", "PyYAML", "msgpack", "msgspec", "rich", "aiohttp", "amqtt")


def add_report(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `report`."""
    add_config(parser)
    parser.add_argument("file", type=Path, metavar="FILE", help="a new file, such as report.zip")
    parser.add_argument("--yes", action="store_true", help="write it without asking")


def run_report(options: argparse.Namespace) -> int:
    """Collect, show what there is, ask, write."""
    redactor = Redactor()
    refuse_existing(options.file)
    config = read_config(options.config, os.environ, redactor, "WARNING")
    files = contents(config, ask_bridge(config.state_dir), redactor)
    print(describe(options.file, files))  # noqa: T201 - what was asked for
    if not options.yes and not is_confirmed():
        print("nothing was written")  # noqa: T201
        return 0
    with open_private(options.file) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    print(f"{options.file} is written; look into it before you share it")  # noqa: T201
    return 0


def is_confirmed() -> bool:
    """Ask whoever sits there. Raises ConfigError where nobody does."""
    if not sys.stdin.isatty():
        raise ConfigError("report: nobody is there to be asked; give --yes")
    return input("write it? [y/N] ").strip().lower() in ("y", "yes")


def ask_bridge(state_dir: Path, wait_s: float = WAIT_S) -> dict[str, Any]:
    """Return what the running bridge tells; empty where none runs with this state_dir, or it does not answer."""
    data, ends = state_dir / DATA, time.monotonic() + wait_s
    try:
        with open_directory(state_dir) as directory:
            data.unlink(missing_ok=True)
            directory.replace(WANTED, b"", durable=False)
            while not data.exists():
                if time.monotonic() > ends:
                    return {}
                time.sleep(0.1)
            answer = json.loads(gzip.decompress(directory.read(DATA)))
            return answer if isinstance(answer, dict) else {}
    except (OSError, StateError, ValueError) as error:
        print(f"nothing is known of the running bridge: {error}", file=sys.stderr)  # noqa: T201
        return {}
    finally:
        with suppress(OSError):
            for name in (WANTED, DATA):
                (state_dir / name).unlink(missing_ok=True)


def contents(config: Config, told: Mapping[str, Any], redactor: Redactor) -> dict[str, bytes]:
    """Return the files of the archive, by name."""
    own = clean_config(config.public(), RecordingRedactor(redactor.redact))
    files = {"versions.json": _json(versions()), "config.json": _json(told.get("config", own))}
    if told:
        lines = {key: "".join(f"{line}\n" for line in told[key]).encode() for key in ("log", "recording")}
        files |= {"health.json": _json(told["health"]), "log.txt": lines["log"], "state.json": _json(told["state"])}
        files[RECORDING] = gzip.compress(lines["recording"])
    return files


def versions() -> dict[str, str]:
    """Return what the bridge is made of and runs on."""
    found = {"sense-mqtt": __version__, "Python": platform.python_version(), "SQLite": SQLITE_VERSION}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return {**found, "system": platform.platform()}


def describe(path: Path, files: Mapping[str, bytes]) -> str:
    """Return what is in the archive, and what is missing."""
    lines = [f"{path} will hold:"]
    lines += [f"  {name:<20} {len(content) / 1000:8.1f} kB  {ABOUT[name]}" for name, content in files.items()]
    if missing := [name for name in ABOUT if name not in files]:
        lines.append(f"no bridge runs with this state_dir, so there is no {', '.join(missing)}")
    return "\n".join(lines)


def _json(document: Any) -> bytes:
    return json.dumps(document, indent=1).encode()
