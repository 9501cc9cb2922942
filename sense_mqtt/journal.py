"""The journal: what must survive a crash, in one SQLite file. The only door to sqlite3."""

import json
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sense_mqtt.errors import JournalError

logger = logging.getLogger(__name__)

VERSION = 1

SCHEMA = """
CREATE TABLE IF NOT EXISTS homes (monitor INTEGER PRIMARY KEY, document TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, payload TEXT NOT NULL
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event that no broker has acknowledged yet."""

    number: int
    topic: str
    payload: str


class Journal:
    """Events not yet acknowledged, beside the state of the house that they belong to.

    `newest` is the number of the newest event, 0 where there is none. What reads or writes may raise JournalError.
    """

    def __init__(self, path: Path) -> None:
        """Open or make the file. Raises JournalError where that cannot be."""
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._connection = self._open()
            self.newest = int(self._read("SELECT coalesce(max(number), 0) FROM events")[0][0])
        except (OSError, sqlite3.Error) as error:
            raise JournalError(
                f"{path}: cannot be opened ({error}): make its folder writable, or set state_dir"
            ) from error

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # an event is told only once it would survive a power cut
        connection.executescript(SCHEMA)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        return connection

    def record(self, monitor: int, document: Mapping[str, Any], events: Iterable[tuple[str, str]]) -> None:
        """Keep what is known of a house and the events (topic, payload) that led there, all or nothing."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO homes (monitor, document) VALUES (?, ?)", (monitor, json.dumps(document))
            )
            numbers = [self._insert(connection, *event) for event in events]
        self.newest = max([self.newest, *numbers])

    def append(self, topic: str, payload: str) -> None:
        """Keep an event that belongs to no house."""
        with self._transaction() as connection:
            number = self._insert(connection, topic, payload)
        self.newest = number

    def _insert(self, connection: sqlite3.Connection, topic: str, payload: str) -> int:
        cursor = connection.execute("INSERT INTO events (topic, payload) VALUES (?, ?)", (topic, payload))
        return cursor.lastrowid or 0

    def waiting(self, after: int, most: int) -> list[Entry]:
        """Return the oldest events numbered above `after`."""
        query = "SELECT number, topic, payload FROM events WHERE number > ? ORDER BY number LIMIT ?"
        return [Entry(*row) for row in self._read(query, after, most)]

    def count(self) -> int:
        """Return how many events wait."""
        return int(self._read("SELECT count(*) FROM events")[0][0])

    def forget(self, numbers: Iterable[int]) -> None:
        """Let go of events that a broker has."""
        with self._transaction() as connection:
            connection.executemany("DELETE FROM events WHERE number = ?", [(number,) for number in numbers])

    def recall(self, monitor: int) -> Mapping[str, Any] | None:
        """Return the document that was last recorded for a house, None where there is none that can be read."""
        rows = self._read("SELECT document FROM homes WHERE monitor = ?", monitor)
        if not rows:
            return None
        document = _parse(rows[0][0])
        if isinstance(document, dict):
            return document
        logger.warning("%s: what was known of monitor %s cannot be read; it begins anew", self._path, monitor)
        return None

    def close(self) -> None:
        self._connection.close()

    def _read(self, query: str, *values: int) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise JournalError(f"{self._path}: cannot be read ({error}): repair it, or move it away") from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise JournalError(
                f"{self._path}: cannot be written ({error}): make room on its disk and its folder writable"
            ) from error
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


def _parse(document: str) -> Any:
    try:
        return json.loads(document)
    except ValueError:
        return None
