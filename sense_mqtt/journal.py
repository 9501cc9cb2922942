"""The journal: what must survive a crash, in one SQLite file. The only door to sqlite3."""

import json
import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from sense_mqtt.errors import JournalError

T = TypeVar("T")

logger = logging.getLogger(__name__)

VERSION = 1
EVENTS_MOST = 200_000  # that wait for a broker: some 60 MB, half a year of an ordinary house
EVENTS_IN_MEMORY_MOST = 10_000  # the same while the disk cannot be written

DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
NO_ROOM = ("SQLITE_FULL", "SQLITE_IOERR")

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

    A disk that cannot be written stops nothing: the journal goes on in memory, says so, and returns to its file as
    soon as `tend` can write it. What reads or writes may raise JournalError.
    """

    def __init__(self, path: Path, events_most: int = EVENTS_MOST) -> None:
        """Open or make the file; one that is damaged is set aside. Raises JournalError where there can be none."""
        self._path, self._events_most = path, events_most
        self._in_memory = self._is_told = False  # `_is_told`: that events were dropped
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._connection = self._open()
        except (OSError, sqlite3.Error) as error:
            self._connection = self._open_otherwise(error)
        self.newest = int(self._read("SELECT coalesce(max(number), 0) FROM events")[0][0])  # 0: there is none
        self._held = int(self._read("SELECT count(*) FROM events")[0][0])

    # --- what is kept

    def record(self, monitor: int, document: Mapping[str, Any], events: Iterable[tuple[str, str]]) -> None:
        """Keep what is known of a house and the events (topic, payload) that led there, all or nothing."""
        known, rows = json.dumps(document), list(events)

        def keep(connection: sqlite3.Connection) -> list[int]:
            connection.execute("INSERT OR REPLACE INTO homes (monitor, document) VALUES (?, ?)", (monitor, known))
            return [_insert(connection, *row) for row in rows]

        self._note(self._write(keep))

    def append(self, topic: str, payload: str) -> None:
        """Keep an event that belongs to no house."""
        self._note(self._write(lambda connection: [_insert(connection, topic, payload)]))

    def forget(self, numbers: Iterable[int]) -> None:
        """Let go of events that a broker has."""
        gone = [(number,) for number in numbers]
        self._held -= self._write(
            lambda connection: connection.executemany("DELETE FROM events WHERE number = ?", gone).rowcount
        )

    def _note(self, numbers: list[int]) -> None:
        self.newest = max([self.newest, *numbers])
        self._held += len(numbers)
        most = min(self._events_most, EVENTS_IN_MEMORY_MOST) if self._in_memory else self._events_most
        if self._held > most:
            self._drop(self._held - most, most)

    def _drop(self, many: int, most: int) -> None:
        query = "DELETE FROM events WHERE number IN (SELECT number FROM events ORDER BY number LIMIT ?)"
        self._held -= self._write(lambda connection: connection.execute(query, (many,)).rowcount)
        if not self._is_told:
            logger.error("%s: more than %d events wait for the broker; the oldest are dropped", self._path, most)
        self._is_told = True

    # --- what is known

    def waiting(self, after: int, most: int) -> list[Entry]:
        """Return the oldest events numbered above `after`."""
        query = "SELECT number, topic, payload FROM events WHERE number > ? ORDER BY number LIMIT ?"
        return [Entry(*row) for row in self._read(query, after, most)]

    @property
    def held(self) -> int:
        """How many events wait."""
        return self._held

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

    def tend(self) -> None:
        """Return from memory to the file where it can be written again. Call now and then."""
        if not self._in_memory:
            return
        with suppress(JournalError, sqlite3.Error), ExitStack() as failing:
            file = failing.enter_context(closing(self._open()))
            _transact(file, lambda target: _copy(self._connection, target))
            failing.pop_all()
            self._connection.close()
            self._connection, self._in_memory = file, False
            logger.info("%s: can be written again", self._path)

    def close(self) -> None:
        self._connection.close()

    # --- the file

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None)
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise JournalError(f"{self._path}: was written by a newer sense-mqtt: update, or move the file away")
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("malformed")
        connection.execute("PRAGMA auto_vacuum = FULL")  # a file that grew while the broker was away shrinks again
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # an event is told only once it would survive a power cut
        connection.executescript(SCHEMA)
        connection.execute(f"PRAGMA user_version = {VERSION}")

    def _open_otherwise(self, error: OSError | sqlite3.Error) -> sqlite3.Connection:
        if _is(error, *NO_ROOM):
            return self._begin_in_memory(error)
        if isinstance(error, OSError) or not (_is(error, *DAMAGED) or str(error) == "malformed"):
            message = f"{self._path}: cannot be opened ({error}): make its folder writable, or set state_dir"
            raise JournalError(message) from error
        self._set_aside(error)
        try:
            return self._open()
        except sqlite3.Error as again:
            return self._begin_in_memory(again)

    def _set_aside(self, error: Exception) -> None:
        aside = next(path for path in map(self._beside, count(1)) if not path.exists())
        for ending in ("", "-wal", "-shm"):
            part = self._path.with_name(self._path.name + ending)
            if part.exists():
                part.rename(aside.with_name(aside.name + ending))
        logger.error("%s: is damaged (%s) and set aside as %s; a new one begins", self._path, error, aside.name)

    def _beside(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.damaged-{number}")

    def _begin_in_memory(self, error: Exception, known: sqlite3.Connection | None = None) -> sqlite3.Connection:
        logger.error(
            "%s: cannot be written (%s); make room on its disk. Until then what waits is kept in memory, and a restart "
            "would lose it",
            self._path,
            error,
        )
        self._in_memory = True
        memory = sqlite3.connect(":memory:", isolation_level=None)
        memory.executescript(SCHEMA)
        if known is not None:
            _transact(memory, lambda target: _copy(known, target))
            known.close()
        return memory

    # --- reading and writing

    def _read(self, query: str, *values: int) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise JournalError(f"{self._path}: cannot be read ({error}): repair it, or move it away") from error

    def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return _transact(self._connection, work)
        except sqlite3.Error as error:
            if self._in_memory:
                raise JournalError(f"{self._path}: cannot be kept even in memory ({error})") from error
            with suppress(sqlite3.Error):
                self._connection = self._begin_in_memory(error, self._connection)
                return _transact(self._connection, work)
            raise JournalError(f"{self._path}: is damaged ({error}): move it away") from error


def _transact(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    """Return what `work` gives, all of it done, or none. Raises sqlite3.Error."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        result = work(connection)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    return result


def _copy(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Make the target hold what the source holds, numbers that were given and forgotten included."""
    for table, columns in (("homes", 2), ("events", 3), ("sqlite_sequence", 2)):
        target.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours
        marks = ", ".join("?" * columns)
        target.executemany(f"INSERT INTO {table} VALUES ({marks})", source.execute(f"SELECT * FROM {table}"))  # noqa: S608


def _is(error: Exception, *names: str) -> bool:
    return str(getattr(error, "sqlite_errorname", "")).startswith(names)


def _insert(connection: sqlite3.Connection, topic: str, payload: str) -> int:
    return connection.execute("INSERT INTO events (topic, payload) VALUES (?, ?)", (topic, payload)).lastrowid or 0


def _parse(document: str) -> Any:
    try:
        return json.loads(document)
    except ValueError:
        return None
