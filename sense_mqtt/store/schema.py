"""The journal's tables in SQLite: made, written all or nothing, copied, and saved from a damaged file."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")

VERSION = 1

SCHEMA = """
CREATE TABLE IF NOT EXISTS homes (monitor INTEGER PRIMARY KEY, document TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, payload TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS announced (topic TEXT PRIMARY KEY, rank INTEGER NOT NULL) STRICT;
"""


def transact(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    """Return what `work` gives, all of it done, or none. Raises sqlite3.Error."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        result = work(connection)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    return result


def copy(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Make the target hold what the source holds, numbers that were given and forgotten included."""
    for table, columns in (("homes", 2), ("events", 3), ("announced", 2), ("sqlite_sequence", 2)):
        target.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours
        marks = ", ".join("?" * columns)
        target.executemany(f"INSERT INTO {table} VALUES ({marks})", source.execute(f"SELECT * FROM {table}"))  # noqa: S608


def merge(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Add to the target what the source holds; the same house is known better by the source."""
    target.executemany("INSERT OR REPLACE INTO homes VALUES (?, ?)", source.execute("SELECT * FROM homes"))
    target.executemany("INSERT OR IGNORE INTO events VALUES (?, ?, ?)", source.execute("SELECT * FROM events"))
    target.executemany("INSERT OR REPLACE INTO announced VALUES (?, ?)", source.execute("SELECT * FROM announced"))


def try_to_write(connection: sqlite3.Connection) -> None:
    """Write and read each table as we do, and undo it: a damaged schema shows now. Raises sqlite3.Error."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("INSERT OR REPLACE INTO homes (monitor, document) VALUES (-1, '')")
        number = insert(connection, "", "")
        connection.execute("SELECT topic, payload FROM events WHERE number = ?", (number,)).fetchone()
        connection.execute("INSERT OR REPLACE INTO announced (topic, rank) VALUES ('', 0)")
        connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall()
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def save(source: sqlite3.Connection | None, target: sqlite3.Connection, newest: int) -> None:
    """Make the target hold what can still be read of the source, if there is one, and count on from `newest`."""
    numbers = [newest]
    for table, columns in (("homes", 2), ("events", 3), ("announced", 2)):
        marks = ", ".join("?" * columns)
        for order in ("", " ORDER BY 1 DESC"):  # up to the damage, from either end
            with suppress(sqlite3.Error, UnicodeDecodeError):
                for row in _rows(source, f"SELECT * FROM {table}{order}"):  # noqa: S608 - names of ours
                    target.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)  # noqa: S608
    with suppress(sqlite3.Error, UnicodeDecodeError):
        numbers += [seq for (seq,) in _rows(source, "SELECT seq FROM sqlite_sequence") if isinstance(seq, int)]
    target.execute("DELETE FROM sqlite_sequence")
    target.execute("INSERT INTO sqlite_sequence VALUES ('events', ?)", (max(numbers),))


def _rows(source: sqlite3.Connection | None, query: str) -> Iterable[tuple[Any, ...]]:
    return source.execute(query) if source is not None else ()


def insert(connection: sqlite3.Connection, topic: str, payload: str) -> int:
    """Add an event and return its number."""
    return connection.execute("INSERT INTO events (topic, payload) VALUES (?, ?)", (topic, payload)).lastrowid or 0
