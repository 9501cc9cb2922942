"""`record` and `replay`: what came from Sense, into a file without names and secrets, and back through the core."""

import argparse
import gzip
import os
import tempfile
import threading
import time
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError

from sense_mqtt import __version__
from sense_mqtt.assembly.assemble import Factories, policy_of
from sense_mqtt.cli.account_option import add_config
from sense_mqtt.cli.no_broker import NoBroker
from sense_mqtt.cli.report_data import RECORDING
from sense_mqtt.cli.run import read_config, run
from sense_mqtt.clock import SystemClock
from sense_mqtt.config import Config
from sense_mqtt.core.home.state import Policy
from sense_mqtt.core.publishing.messages import as_of, stored_event
from sense_mqtt.errors import StateError
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import Stop
from sense_mqtt.logs.redaction import Redactor
from sense_mqtt.recording.lines import BadRecording, read_head, read_note, write_head
from sense_mqtt.recording.notes import Note, Recorder
from sense_mqtt.recording.recorders import FileRecorder
from sense_mqtt.recording.redact import RecordingRedactor
from sense_mqtt.recording.replay import Replay
from sense_mqtt.store.journal import Journal

MAX_LINE_BYTES = 16_000_000  # a frame and what it is written as


def file_recorder(path: Path, config: Config, redactor: Redactor) -> FileRecorder:
    """Begin a recording in a new file. Raises StateError."""
    clean = RecordingRedactor(redactor.redact)
    return FileRecorder(path, write_head(__version__, config.public(), SystemClock().now(), clean), clean)


@contextmanager
def recorders(path: Path | None, config: Config, redactor: Redactor) -> Iterator[Sequence[Recorder]]:
    """Give a recorder of that file, which ends with the block; none without a file. Raises StateError."""
    if path is None:
        yield ()
        return
    recorder = file_recorder(path, config, redactor)
    try:
        yield (recorder,)
    except StateError:  # nothing was recorded: another bridge runs
        path.unlink(missing_ok=True)
        raise
    finally:
        recorder.close()


def run_record(options: argparse.Namespace) -> int:
    """Do what `run` does with Sense, without MQTT, and write what came; return the exit code."""
    redactor, inbox = Redactor(), Inbox()
    config = read_config(options.config, os.environ, redactor, "WARNING")
    page = config.web.model_copy(update={"enabled": False})
    config = config.model_copy(update={"webhooks": (), "web": page, "log_level": "warning"})
    timer = threading.Timer(60 * options.minutes, inbox.put, [Stop(f"{options.minutes:g} minutes are recorded")])
    timer.daemon = True
    with tempfile.TemporaryDirectory() as folder, recorders(options.file, config, redactor) as each:
        journal = Path(folder) / "journal.sqlite3"  # events of a recording are not for the next `run`
        factories = Factories(lambda _: Journal(journal), NoBroker, recorders=each)
        timer.start()
        exit_code = run(config, redactor, factories=factories, inbox=inbox)
    print(f"{options.file}: names and addresses are replaced, look at it with zless before you share it")  # noqa: T201
    return exit_code


# --- replay


def replay(path: Path, speed: float | None) -> Iterator[str]:
    """Yield the payload of each event that the recording would have told. Raises StateError.

    `speed`: 1 is as it happened; None: as fast as can be.
    """
    lines = read_lines(path)
    try:
        playing = Replay(policy_from(read_head(next(lines, ""))), policy_from)
        for number, (note, payload) in enumerate(playing.play(_paced(map(read_note, lines), speed)), 1):
            yield as_of(stored_event(number, "", payload), note.now.wall).payload
    except (BadRecording, ValidationError) as error:
        raise StateError(
            f"{path}: it is no recording of this version of sense-mqtt ({type(error).__name__})"
        ) from error


def policy_from(config: Mapping[str, Any]) -> Policy:
    """Return the policy of a configuration as a recording holds it."""
    return policy_of(Config.model_validate(config))


def read_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a recording; one that was cut off ends at its last whole line. Raises StateError."""
    try:
        with _opened(path) as packed, gzip.open(packed, "rb") as file:
            while line := file.readline(MAX_LINE_BYTES):
                if line.endswith(b"\n"):
                    yield line.decode(errors="replace")
    except EOFError:  # whoever wrote it was killed
        return
    except (OSError, zlib.error, zipfile.BadZipFile) as error:
        why = getattr(error, "strerror", None) or "it is no recording, or damaged"
        raise StateError(f"{path}: cannot be read ({why})") from error


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a recording, or the one in an archive of `report`. Raises OSError, BadZipFile or StateError."""
    with path.open("rb") as file:
        if not zipfile.is_zipfile(file):
            file.seek(0)
            yield file
            return
        with zipfile.ZipFile(file) as archive:
            if RECORDING not in archive.namelist():
                raise StateError(f"{path}: holds no {RECORDING}: no bridge ran where `report` was called")
            with archive.open(RECORDING) as packed:
                yield packed


def _paced(notes: Iterator[Note], speed: float | None) -> Iterator[Note]:
    began, first = time.monotonic(), None
    for note in notes:
        first = note.now.monotonic if first is None else first
        if speed is not None:
            time.sleep(max(0.0, began + (note.now.monotonic - first) / speed - time.monotonic()))
        yield note


def run_replay(options: argparse.Namespace) -> int:
    """Print the events, one JSON object a line, as on MQTT."""
    for payload in replay(options.file, options.speed):
        print(payload, flush=options.speed is not None)  # noqa: T201 - what was asked for
    return 0


def add_record(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `record`."""
    parser.description = (
        "Write what comes from Sense to a file, without names and secrets. It logs in and listens as `run` does, so no "
        "bridge may run with the same state_dir: it would take its connection. Beside a running bridge use "
        "`sense-mqtt report FILE`, which has the last ten minutes; or `sense-mqtt run --record FILE` instead of `run`."
    )
    add_config(parser)
    parser.add_argument("file", type=Path, metavar="FILE", help="a new file, such as recording.jsonl.gz")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (default: 10); Ctrl-C ends it too")


def add_replay(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `replay`."""
    parser.add_argument("file", type=Path, metavar="FILE", help="what `record`, `run --record` or `report` wrote")
    parser.add_argument("--speed", type=float, help="1: as it happened, 60: a minute in a second (default: at once)")
