"""The journal: what must survive a crash, in one SQLite file. Its tables are in schema.py."""

import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from secrets import randbits
from typing import Any, TypeVar

from msgspec import Struct

from sense_mqtt.errors import JournalError, StateError
from sense_mqtt.store.journal_file import FAULTS, JournalFile
from sense_mqtt.store.posts import Post, StoredPosts, insert_posts
from sense_mqtt.store.schema import (
    SQLITE_FAULTS,
    RowKey,
    bring_up_to_date,
    copy,
    give_back_pages,
    insert_event,
    merge,
    read_object,
    read_rows,
    save,
    transact,
    update_rows,
    write_object,
    write_rows,
)

T = TypeVar("T")
Rows = Mapping[RowKey, Mapping[str, Any]]  # documents
logger = logging.getLogger(__name__)

EVENTS_MOST = 200_000  # that wait for a broker: some 60 MB, half a year of an ordinary house
EVENTS_IN_MEMORY_MOST = 10_000  # the same while the disk cannot be written
UNREAD_BITS = 61  # numbers that no file reaches by counting


class Entry(Struct, frozen=True):
    """An event that no broker has acknowledged yet."""

    number: int
    topic: str
    payload: str


class Journal:
    """Events not yet acknowledged, beside the state of the house that they belong to.

    A file that cannot be written or read stops nothing: the journal goes on in memory with what can be saved, says
    so, and returns to its file, or a new one, as soon as `maintain` can write it. What reads or writes may raise
    JournalError all the same.
    """

    def __init__(self, path: Path, events_most: int = EVENTS_MOST) -> None:
        """Open or make the file; one that is damaged is set aside. Raises JournalError of a newer version's file."""
        self._path, self._events_most = path, events_most
        self._file = JournalFile(path)
        self._lost: list[sqlite3.Connection] = []  # never closed: SQLite would remove what is under their name now
        self.is_in_memory = self._is_unread = False  # `_is_unread`: what the file holds is not in memory
        self._is_told = False  # that events were dropped
        self._synchronous: tuple[sqlite3.Connection, bool] | None = None  # as it was set last
        self.newest = 0  # number of the newest event; 0: there is none
        self._connection = self._begin()
        self.newest = int(self.read("SELECT coalesce(max(number), 0) FROM events")[0][0])
        self.held = self._count()  # events that wait
        self.posts = StoredPosts(self)

    # --- what is kept

    def record(self, monitor: int, rows: Rows, events: Iterable[tuple[str, str]], posts: Sequence[Post] = ()) -> None:
        """Store all that is known of a monitor, and the events (topic, payload) that led there, all or nothing.

        Only rows that differ from what is stored are written; a stored row that is not among `rows` is removed.
        """
        texts, added = _texts(rows), list(events)

        def keep(connection: sqlite3.Connection) -> list[int]:
            write_rows(connection, monitor, texts)
            numbers = [insert_event(connection, *event) for event in added]
            insert_posts(connection, numbers, posts)
            return numbers

        self._note(self.write(keep))

    def record_progress(self, monitor: int, rows: Rows) -> None:
        """Store some of the rows of a monitor, all or nothing; a cut of power may take them back."""
        texts = _texts(rows)
        self.write(lambda connection: update_rows(connection, monitor, texts), is_synced=False)

    def append(self, topic: str, payload: str) -> None:
        """Keep an event that belongs to no house."""
        self._note(self.write(lambda connection: [insert_event(connection, topic, payload)]))

    def forget(self, numbers: Iterable[int]) -> None:
        """Let go of events that a broker has. A power cut may bring them back: they are published once more then."""
        gone = [(number,) for number in numbers]
        query = "DELETE FROM events WHERE number = ?"
        self.held -= self.write(lambda connection: connection.executemany(query, gone).rowcount, is_synced=False)
        self._try(give_back_pages)

    def _note(self, numbers: list[int]) -> None:
        self.newest = max([self.newest, *numbers])
        self.held += len(numbers)
        most = min(self._events_most, EVENTS_IN_MEMORY_MOST) if self.is_in_memory else self._events_most
        if self.held > most:
            self._drop(self.held - most, most)

    def _drop(self, many: int, most: int) -> None:
        query = "DELETE FROM events WHERE number IN (SELECT number FROM events ORDER BY number LIMIT ?)"
        self.held -= self.write(lambda connection: connection.execute(query, (many,)).rowcount)
        if not self._is_told:
            logger.error("%s: more than %d events wait for the broker; the oldest are dropped", self._path, most)
        self._is_told = True

    # --- what is known

    def waiting(self, after: int, most: int) -> list[Entry]:
        """Return the oldest events numbered above `after`."""
        query = "SELECT number, topic, payload FROM events WHERE number > ? ORDER BY number LIMIT ?"
        return [Entry(*row) for row in self.read(query, after, most)]

    def recall(self, monitor: int) -> dict[RowKey, Mapping[str, Any]]:
        """Return the rows that were stored of a monitor; those that cannot be read are left out."""
        documents: dict[RowKey, Mapping[str, Any]] = {}
        for key, text in self._try(lambda connection: read_rows(connection, monitor)).items():
            document = read_object(text)
            if document is None:
                text = "%s: the row %s of monitor %s cannot be read; it begins anew"
                logger.warning(text, self._path, " ".join(filter(None, key)), monitor)
            else:
                documents[key] = document
        return documents

    def announce(self, ranks: Mapping[str, int]) -> None:
        """Keep that these topics were announced, by rank, beside those that are kept already."""
        query = "INSERT OR REPLACE INTO announced VALUES (?, ?)"
        self.write(lambda connection: connection.executemany(query, ranks.items()))

    def forget_announced(self, topics: Iterable[str]) -> None:
        """Let go of topics that were taken back."""
        query = "DELETE FROM announced WHERE topic = ?"
        self.write(lambda connection: connection.executemany(query, [(topic,) for topic in topics]))

    def announced(self) -> dict[str, int]:
        """Return the topics that were announced, by rank."""
        return dict(self.read("SELECT topic, rank FROM announced ORDER BY topic"))

    def maintain(self) -> None:
        """Return from memory to the file where it can be written again, and make it again where it was removed."""
        if not self.is_in_memory and self._file.is_lost():
            self._lost.append(self._connection)
            self._connection = self._begin_in_memory(StateError("it was removed while we run"), self._connection)
        try:
            if self.is_in_memory:
                self._return_to_file()
        except FAULTS as error:
            if self._file.is_damage(error):
                with suppress(*FAULTS):
                    self._file.set_aside(error)  # a new one begins next time
        except JournalError:
            pass  # not yet

    def _count(self) -> int:
        return int(self.read("SELECT count(*) FROM events")[0][0])

    def _return_to_file(self) -> None:
        with ExitStack() as failing:
            file = failing.enter_context(closing(self._file.open()))
            transact(file, lambda target: (merge if self._is_unread else copy)(self._connection, target))
            failing.pop_all()
        self._connection.close()
        self._connection, self.is_in_memory, self._is_unread = file, False, False
        self.held = self._count()
        logger.info("%s: can be written again", self._path)

    def close(self) -> None:
        self._connection.close()

    # --- the file

    def _begin(self) -> sqlite3.Connection:
        try:
            return self._file.open()
        except FAULTS as error:
            if not self._file.is_damage(error):
                return self._begin_unwritable(error)
            fault: Exception = error
        try:
            self._file.set_aside(fault)
            return self._file.open()
        except FAULTS as again:
            return self._begin_in_memory(again)

    def _begin_unwritable(self, error: Exception) -> sqlite3.Connection:
        known = self._file.open_to_read()
        self._is_unread = known is None
        if self._is_unread:  # so that the numbers of its events, which come back one day, are not given anew
            self.newest = randbits(UNREAD_BITS) + 2**UNREAD_BITS
        return self._begin_in_memory(error, known)

    def _begin_in_memory(self, error: Exception, known: sqlite3.Connection | None = None) -> sqlite3.Connection:
        logger.error(
            "%s: cannot be used (%s); make room on its disk, or mend that. Until then what waits is kept in memory, "
            "and a restart would lose it",
            self._path,
            error,
        )
        memory = sqlite3.connect(":memory:", isolation_level=None)
        transact(memory, bring_up_to_date)
        transact(memory, lambda target: save(known, target, self.newest))
        if known is not None and known not in self._lost:
            known.close()
        self.is_in_memory = True
        return memory

    # --- reading and writing

    def read(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows that a query gives."""
        return self._try(lambda connection: connection.execute(query, values).fetchall())

    def write(self, work: Callable[[sqlite3.Connection], T], *, is_synced: bool = True) -> T:
        """Do `work` in one transaction, all of it or nothing; `is_synced`: a power cut does not undo it."""

        def write(connection: sqlite3.Connection) -> T:
            if self._synchronous != (connection, is_synced):
                connection.execute(f"PRAGMA synchronous = {'FULL' if is_synced else 'NORMAL'}")
                self._synchronous = connection, is_synced
            return transact(connection, work)

        return self._try(write)

    def _try(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return work(self._connection)
        except SQLITE_FAULTS as error:
            if self.is_in_memory:
                raise JournalError(f"{self._path}: cannot be kept even in memory ({error})") from error
            self._connection = self._begin_in_memory(error, self._connection)
        return self._try(work)


def _texts(rows: Rows) -> dict[RowKey, str]:
    return {key: write_object(document) for key, document in rows.items()}
