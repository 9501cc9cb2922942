"""The journal: what must survive a crash, in one SQLite file. Its tables are in journal_tables.py."""

import json
import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from sense_mqtt.errors import JournalError
from sense_mqtt.journal_tables import (
    SCHEMA,
    VERSION,
    copy,
    has_no_room,
    insert,
    is_damage,
    save,
    transact,
)

T = TypeVar("T")

logger = logging.getLogger(__name__)

EVENTS_MOST = 200_000  # that wait for a broker: some 60 MB, half a year of an ordinary house
EVENTS_IN_MEMORY_MOST = 10_000  # the same while the disk cannot be written


@dataclass(frozen=True, slots=True)
class Entry:
    """An event that no broker has acknowledged yet."""

    number: int
    topic: str
    payload: str


class Journal:
    """Events not yet acknowledged, beside the state of the house that they belong to.

    A file that cannot be written or read stops nothing: the journal goes on in memory with what can be saved, says
    so, and returns to its file, or a new one, as soon as `tend` can write it. What reads or writes may raise
    JournalError all the same.
    """

    def __init__(self, path: Path, events_most: int = EVENTS_MOST) -> None:
        """Open or make the file; one that is damaged is set aside. Raises JournalError where there can be none."""
        self._path, self._events_most = path, events_most
        self._in_memory = self._is_told = False  # `_is_told`: that events were dropped
        self.newest = 0  # number of the newest event; 0: there is none
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._connection = self._open()
        except (OSError, sqlite3.Error) as error:
            self._connection = self._open_otherwise(error)
        self.newest = int(self._read("SELECT coalesce(max(number), 0) FROM events")[0][0])
        self._held = int(self._read("SELECT count(*) FROM events")[0][0])

    # --- what is kept

    def record(self, monitor: int, document: Mapping[str, Any], events: Iterable[tuple[str, str]]) -> None:
        """Keep what is known of a house and the events (topic, payload) that led there, all or nothing."""
        known, rows = json.dumps(document), list(events)

        def keep(connection: sqlite3.Connection) -> list[int]:
            connection.execute("INSERT OR REPLACE INTO homes (monitor, document) VALUES (?, ?)", (monitor, known))
            return [insert(connection, *row) for row in rows]

        self._note(self._write(keep))

    def append(self, topic: str, payload: str) -> None:
        """Keep an event that belongs to no house."""
        self._note(self._write(lambda connection: [insert(connection, topic, payload)]))

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
        try:
            self._return_to_file()
        except sqlite3.Error as error:
            if is_damage(error):
                self._set_aside(error)  # a new one begins next time
        except (JournalError, OSError):
            pass  # not yet

    def _return_to_file(self) -> None:
        with ExitStack() as failing:
            file = failing.enter_context(closing(self._open()))
            transact(file, lambda target: copy(self._connection, target))
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
        if has_no_room(error):
            return self._begin_in_memory(error)
        if not is_damage(error):
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
            "%s: cannot be used (%s); make room on its disk, or mend that. Until then what waits is kept in memory, "
            "and a restart would lose it",
            self._path,
            error,
        )
        memory = sqlite3.connect(":memory:", isolation_level=None)
        memory.executescript(SCHEMA)
        if known is not None:
            transact(memory, lambda target: save(known, target, self.newest))
            known.close()
        self._in_memory = True
        return memory

    # --- reading and writing

    def _read(self, query: str, *values: int) -> list[tuple[Any, ...]]:
        return self._try(lambda connection: connection.execute(query, values).fetchall())

    def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return self._try(lambda connection: transact(connection, work))

    def _try(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return work(self._connection)
        except sqlite3.Error as error:
            if self._in_memory:
                raise JournalError(f"{self._path}: cannot be kept even in memory ({error})") from error
            self._connection = self._begin_in_memory(error, self._connection)
        try:
            return work(self._connection)
        except sqlite3.Error as error:
            raise JournalError(f"{self._path}: cannot be kept even in memory ({error})") from error


def _parse(document: str) -> Any:
    try:
        return json.loads(document)
    except ValueError:
        return None
