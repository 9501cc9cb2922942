"""The journal's tables in SQLite: made, brought up to date, written all or nothing, copied."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from msgspec.json import encode

# What SQLite raises of its own; the last where its message quotes a byte of the file that is no UTF-8.
SQLITE_FAULTS = (sqlite3.Error, UnicodeDecodeError)

SQLITE_VERSION = sqlite3.sqlite_version

T = TypeVar("T")

VERSION = 2  # 1: each home was one document, in the table `homes`
PAGE_BYTES = 512  # a commit writes whole pages (docs/decisions/0007-rows-and-one-sync.md)

SPARE_PAGES = 256  # free ones that stay: the next events use them

RowKey = tuple[str, str]  # (capability, id of the device; "" for the home itself)

SCHEMA = """
CREATE TABLE IF NOT EXISTS state (
    number INTEGER PRIMARY KEY,
    monitor INTEGER NOT NULL, capability TEXT NOT NULL, device TEXT NOT NULL, document TEXT NOT NULL,
    UNIQUE (monitor, capability, device)
) STRICT;
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, payload TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS announced (topic TEXT PRIMARY KEY, rank INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS posts (
    hook TEXT NOT NULL, number INTEGER NOT NULL, lane TEXT NOT NULL, payload TEXT NOT NULL, recorded REAL NOT NULL,
    PRIMARY KEY (hook, number)
) STRICT;
CREATE TABLE IF NOT EXISTS hours (
    monitor INTEGER NOT NULL, hour INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (monitor, hour)
) STRICT;
"""
UPSERT = """
INSERT INTO state (monitor, capability, device, document) VALUES (?, ?, ?, ?)
ON CONFLICT (monitor, capability, device) DO UPDATE SET document = excluded.document
WHERE document != excluded.document
"""
COLUMNS = {  # of each table, without the number that only its file knows
    "state": "monitor, capability, device, document",
    "events": "number, topic, payload",
    "announced": "topic, rank",
    "posts": "hook, number, lane, payload, recorded",
    "hours": "monitor, hour, document",
    "sqlite_sequence": "name, seq",
}
TABLES = ("state", "events", "announced", "posts", "hours")


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


# --- rows of a monitor


def read_rows(connection: sqlite3.Connection, monitor: int) -> dict[RowKey, str]:
    """Return the stored documents of a monitor, as text."""
    query = "SELECT capability, device, document FROM state WHERE monitor = ?"
    return {(capability, device): text for capability, device, text in connection.execute(query, (monitor,))}


def write_rows(connection: sqlite3.Connection, monitor: int, rows: Mapping[RowKey, str]) -> None:
    """Make these the rows of a monitor. Rows that are stored already cost nothing but the comparison."""
    stored = read_rows(connection, monitor)
    gone = [(monitor, *key) for key in stored if key not in rows]
    changed = [(monitor, *key, text) for key, text in rows.items() if stored.get(key) != text]
    connection.executemany("DELETE FROM state WHERE monitor = ? AND capability = ? AND device = ?", gone)
    connection.executemany(UPSERT, changed)


def update_rows(connection: sqlite3.Connection, monitor: int, rows: Mapping[RowKey, str]) -> None:
    """Write these rows of a monitor; its others stay."""
    connection.executemany(UPSERT, [(monitor, *key, text) for key, text in rows.items()])


def insert_event(connection: sqlite3.Connection, topic: str, payload: str) -> int:
    """Add an event and return its number."""
    return connection.execute("INSERT INTO events (topic, payload) VALUES (?, ?)", (topic, payload)).lastrowid or 0


def give_back_pages(connection: sqlite3.Connection) -> None:
    """Let the file shrink where many of its pages are free: events waited, and a broker has them now."""
    if connection.execute("PRAGMA freelist_count").fetchone()[0] > SPARE_PAGES:
        connection.executescript("PRAGMA incremental_vacuum")  # `execute` would give back one page


# --- from version 1


def bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Make the tables, with what version 1 held. Call it within a transaction."""
    for statement in SCHEMA.split(";"):
        connection.execute(statement)
    if connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'homes'").fetchone()[0]:
        _take_over_homes(connection, connection)
        connection.execute("DROP TABLE homes")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _take_over_homes(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    for monitor, document in source.execute("SELECT monitor, document FROM homes").fetchall():
        rows = {key: write_object(row) for key, row in split_document(document).items()}
        if not read_rows(target, monitor):
            write_rows(target, monitor, rows)


def split_document(text: str) -> dict[RowKey, Any]:
    """Return the rows in a home's document of version 1; none where it cannot be read."""
    document = read_object(text)
    if document is None:
        return {}
    devices = document.pop("devices", None)
    rows: dict[RowKey, Any] = {("home", ""): document}
    for device in devices if isinstance(devices, list) else []:
        if isinstance(device, dict) and isinstance(device.get("id"), str):
            rows["device", device["id"]] = device
    return rows


def write_object(document: Mapping[str, Any]) -> str:
    """Return a JSON object as text."""
    try:
        return encode(document).decode()
    except UnicodeEncodeError:  # half a surrogate pair, which JSON's \u can spell and UTF-8 cannot
        return json.dumps(document)


def read_object(text: str) -> dict[str, Any] | None:
    """Return a JSON object; None where it is something else."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


# --- from one connection to another


def copy(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Make the target hold what the source holds, numbers that were given and forgotten included."""
    for table in COLUMNS:
        target.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours
        _insert(target, "INSERT", table, _rows(source, table))


def merge(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Add to the target what the source holds; what both know of a monitor, the source knows better."""
    for (monitor,) in source.execute("SELECT DISTINCT monitor FROM state").fetchall():
        write_rows(target, monitor, read_rows(source, monitor))
    _insert(target, "INSERT OR IGNORE", "events", _rows(source, "events"))
    _insert(target, "INSERT OR IGNORE", "posts", _rows(source, "posts"))
    for table in ("announced", "hours"):
        _insert(target, "INSERT OR REPLACE", table, _rows(source, table))


def save(source: sqlite3.Connection | None, target: sqlite3.Connection, newest: int) -> None:
    """Make the target hold what can still be read of the source, if there is one, and count on from `newest`."""
    numbers = [newest]
    if source is not None:
        _save_rows(source, target)
        with suppress(*SQLITE_FAULTS):
            numbers += [seq for _, seq in _rows(source, "sqlite_sequence") if isinstance(seq, int)]
    target.execute("DELETE FROM sqlite_sequence")
    target.execute("INSERT INTO sqlite_sequence VALUES ('events', ?)", (max(numbers),))


def _save_rows(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    for table in TABLES:
        for order in ("", " ORDER BY 1 DESC"):  # up to the damage, from either end
            with suppress(*SQLITE_FAULTS):
                for row in _rows(source, table, order):
                    _insert(target, "INSERT OR IGNORE", table, [row])
    with suppress(*SQLITE_FAULTS):  # a file of version 1, that could not be brought up to date
        _take_over_homes(source, target)


def _rows(source: sqlite3.Connection, table: str, order: str = "") -> Iterable[tuple[Any, ...]]:
    return source.execute(f"SELECT {COLUMNS[table]} FROM {table}{order}")  # noqa: S608 - names of ours


def _insert(target: sqlite3.Connection, verb: str, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    marks = ", ".join("?" * len(COLUMNS[table].split(",")))
    target.executemany(f"{verb} INTO {table} ({COLUMNS[table]}) VALUES ({marks})", rows)


def try_to_write(connection: sqlite3.Connection) -> None:
    """Write and read each table as we do, and undo it: a damaged schema shows now. Raises sqlite3.Error."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        write_rows(connection, -1, {("", ""): ""})
        number = insert_event(connection, "", "")
        connection.execute("SELECT topic, payload FROM events WHERE number = ?", (number,)).fetchone()
        connection.execute("INSERT OR REPLACE INTO announced (topic, rank) VALUES ('', 0)")
        connection.execute("INSERT OR REPLACE INTO posts VALUES ('', 0, '', '', 0)")
        connection.execute("INSERT OR REPLACE INTO hours VALUES (-1, 0, '')")
        connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall()
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
