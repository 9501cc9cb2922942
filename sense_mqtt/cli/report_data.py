"""What a running bridge gives to `sense-mqtt report`: asked for by a file in `state_dir`, given as another one."""

import gzip
import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from msgspec import Struct

from sense_mqtt import __version__
from sense_mqtt.bridge.loop import Bridge
from sense_mqtt.clock import Moment
from sense_mqtt.config import Config
from sense_mqtt.core.stored_home import snapshot
from sense_mqtt.logs.redaction import RedactingFormatter, Redactor
from sense_mqtt.recording.lines import write_head, write_note
from sense_mqtt.recording.notes import Note
from sense_mqtt.recording.recorders import RecentNotes
from sense_mqtt.recording.redact import RecordingRedactor
from sense_mqtt.store.state_directory import open_directory

logger = logging.getLogger(__name__)

WANTED, DATA = "report-wanted", "report-data.json.gz"
RECORDING = "recording.jsonl.gz"  # the file of the archive
LOG_LINES = 500


class RecentLog(logging.Handler):
    """Keeps the last lines of the log in memory; secrets are taken out when they are asked for, as that costs."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self.setFormatter(RedactingFormatter(redactor))
        self._kept: deque[logging.LogRecord | str] = deque(maxlen=LOG_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        has_traceback = record.exc_info is not None  # which would keep alive whatever its frames hold
        self._kept.append(self.format(record) if has_traceback else record)

    @property
    def lines(self) -> list[str]:
        """Return them, oldest first, without secrets."""
        return [each if isinstance(each, str) else self.format(each) for each in list(self._kept)]


class Findings(Struct, frozen=True):
    """What the bridge knew at one moment."""

    config: Mapping[str, Any]
    health: dict[str, Any]
    homes: dict[str, Any]  # by monitor
    log: Sequence[str]
    notes: Sequence[Note]

    def write(self, now: Moment, redactor: Redactor) -> bytes:
        """Return the content of DATA: names replaced, secrets gone. Takes a second or two of a processor."""
        clean = RecordingRedactor(redactor.redact)
        recording = [
            write_head(__version__, self.config, now, clean),
            *(write_note(note, clean) for note in self.notes),
        ]
        homes = clean.clean(self.homes)
        document = {
            "config": clean_config(self.config, clean),
            "health": self.health,
            "state": homes,
            "log": [clean.without_names(line) for line in self.log],
            "recording": recording,
        }
        return gzip.compress(json.dumps(document).encode(errors="surrogatepass"))


class ReportSource:
    """Keeps the last minutes in memory, and writes them where a report is wanted. For the bridge's thread only."""

    def __init__(self, config: Config, redactor: Redactor) -> None:
        self._config = config
        self._redactor = redactor
        self._log = RecentLog(redactor)
        self.recent = RecentNotes()

    def __enter__(self) -> Self:
        logging.getLogger().addHandler(self._log)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self._log)

    def of(self, bridge: Bridge) -> Callable[[Moment], None]:
        """Return what is to be called each second."""

        def maintain(now: Moment) -> None:
            try:
                (self._config.state_dir / WANTED).unlink()
            except OSError:  # it is not there, as nearly always
                return
            findings = self.find(bridge, now)
            threading.Thread(target=self._write, args=(findings, now), name="report", daemon=True).start()

        return maintain

    def find(self, bridge: Bridge, now: Moment) -> Findings:
        """Return what the bridge knows now, its configuration as it was read last."""
        monitors = bridge.accounts.served.monitors
        rows = {str(number): snapshot(monitor.home) for number, monitor in monitors.items()}
        homes = {
            number: [{"capability": key[0], "device": key[1], "document": document} for key, document in stored.items()]
            for number, stored in rows.items()
        }
        health = bridge.services.status.health(now)
        return Findings(bridge.services.status.config, health, homes, self._log.lines, self.recent.notes())

    def _write(self, findings: Findings, now: Moment) -> None:
        try:
            with open_directory(self._config.state_dir) as directory:
                directory.replace(DATA, findings.write(now, self._redactor), durable=False)
        except Exception:  # a report that fails must not end the bridge
            logger.exception("there is no data for the report")


def clean_config(config: Mapping[str, Any], clean: RecordingRedactor) -> dict[str, Any]:
    """Return a public configuration in which texts that somebody has given are replaced; defaults stay."""
    defaults = Config().public()
    return {key: _clean(value, defaults.get(key), key, clean) for key, value in config.items()}


def _clean(value: Any, default: Any, key: str, clean: RecordingRedactor) -> Any:
    if isinstance(value, dict) and isinstance(default, dict):
        return {name: _clean(each, default.get(name), name, clean) for name, each in value.items()}
    return value if value == default else clean.clean(value, key)
