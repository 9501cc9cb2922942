"""The journal's tables in SQLite: made, written all or nothing, copied, and saved from a damaged file."""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

VERSION = 1

SCHEMA = """
CREATE TABLE IF NOT EXISTS homes (monitor INTEGER PRIMARY KEY, document TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, payload TEXT NOT NULL
) STRICT;
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
    for table, columns in (("homes", 2), ("events", 3), ("sqlite_sequence", 2)):
        target.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours
        marks = ", ".join("?" * columns)
        target.executemany(f"INSERT INTO {table} VALUES ({marks})", source.execute(f"SELECT * FROM {table}"))  # noqa: S608


def save(source: sqlite3.Connection, target: sqlite3.Connection, newest: int) -> None:
    """Make the target hold what can still be read of the source, and count on from `newest`."""
    for table, columns in (("homes", 2), ("events", 3)):
        marks = ", ".join("?" * columns)
        for order in ("", " ORDER BY 1 DESC"):  # up to the damage, from either end
            with suppress(sqlite3.Error):
                for row in source.execute(f"SELECT * FROM {table}{order}"):  # noqa: S608 - names of ours
                    target.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)  # noqa: S608
    target.execute("DELETE FROM sqlite_sequence")
    target.execute("INSERT INTO sqlite_sequence VALUES ('events', ?)", (newest,))


def is_damage(error: Exception) -> bool:
    """Say whether the file itself is no good."""
    return _is(error, "SQLITE_CORRUPT", "SQLITE_NOTADB") or (
        isinstance(error, sqlite3.Error) and str(error) == "malformed"
    )


def has_no_room(error: Exception) -> bool:
    """Say whether the disk is full, or does not take or give what it should."""
    return _is(error, "SQLITE_FULL", "SQLITE_IOERR")


def _is(error: Exception, *names: str) -> bool:
    return str(getattr(error, "sqlite_errorname", "")).startswith(names)


def insert(connection: sqlite3.Connection, topic: str, payload: str) -> int:
    """Add an event and return its number."""
    return connection.execute("INSERT INTO events (topic, payload) VALUES (?, ?)", (topic, payload)).lastrowid or 0
