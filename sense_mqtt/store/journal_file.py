"""The journal's file: opened and tried, set aside where it is damaged, read where it cannot be written."""

import logging
import os
import sqlite3
from itertools import count
from pathlib import Path

from sense_mqtt.errors import JournalError, StateError
from sense_mqtt.store.schema import PAGE_BYTES, SQLITE_FAULTS, VERSION, bring_up_to_date, transact, try_to_write
from sense_mqtt.store.state_directory import Identity, chown_of_root, open_directory

logger = logging.getLogger(__name__)

FAULTS = (*SQLITE_FAULTS, OSError, StateError)
FAULTS_OF_THE_DISK = (  # or of whoever uses the file beside us; all else is the file's own
    "SQLITE_AUTH",
    "SQLITE_BUSY",
    "SQLITE_CANTOPEN",
    "SQLITE_FULL",
    "SQLITE_INTERRUPT",
    "SQLITE_IOERR",
    "SQLITE_LOCKED",
    "SQLITE_NOLFS",
    "SQLITE_NOMEM",
    "SQLITE_PERM",
    "SQLITE_PROTOCOL",
)
VERSIONS_MOST = 99  # a higher one is no version of ours, but damage
CHECKPOINT_PAGES = 8_000  # of the log, 4 MB, as SQLite has it with its usual pages: a checkpoint takes 10 to 40 ms
INCREMENTAL = 2  # of PRAGMA auto_vacuum: pages that became free are given back when we say so
PARTS = ("", "-wal", "-shm", "-journal")


class JournalFile:
    """Where the journal is on disk. What opens it may raise one of FAULTS; JournalError of a newer version's file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._identity: Identity | None = None  # of the file that was opened last

    def open(self) -> sqlite3.Connection:
        """Return a connection by which the file was read and could be written; made where it is missing."""
        with open_directory(self._path.parent, make=True, chown=chown_of_root()) as directory:
            directory.create_private(self._path.name)
            for part in PARTS:
                directory.make_private(self._path.name + part)
        connection = sqlite3.connect(self._path, isolation_level=None)
        try:
            self._prepare(connection)
            self._identity = self._identify()
        except BaseException:
            connection.close()
            raise
        return connection

    def open_to_read(self) -> sqlite3.Connection | None:
        """Return a connection that writes nothing; None where the file cannot be read so."""
        wal = self._path.with_name(self._path.name + "-wal")
        modes = ("mode=ro",) if wal.exists() else ("mode=ro", "mode=ro&immutable=1")
        for mode in modes:  # without its -wal, SQLite reads the file on a read-only disk only where it is immutable
            try:
                with open_directory(self._path.parent) as directory:
                    directory.make_private(self._path.name)
                connection = sqlite3.connect(f"{self._path.absolute().as_uri()}?{mode}", uri=True, isolation_level=None)
            except FAULTS:
                continue
            try:
                connection.execute("SELECT count(*) FROM events").fetchone()
            except SQLITE_FAULTS:
                connection.close()
            else:
                return connection
        return None

    def is_lost(self) -> bool:
        """Say whether what was opened is no longer under its name: its directory was removed, or replaced."""
        try:
            return self._identify() != self._identity
        except FileNotFoundError:
            return True
        except OSError:
            return False

    def is_damage(self, error: Exception) -> bool:
        """Say whether the file itself is no good."""
        if not isinstance(error, SQLITE_FAULTS):
            return False
        name = str(getattr(error, "sqlite_errorname", ""))
        if name.startswith("SQLITE_READONLY"):  # by its header (byte 18), where the disk would let us write it
            return name == "SQLITE_READONLY" and os.access(self._path, os.W_OK)
        return not name.startswith(FAULTS_OF_THE_DISK)

    def set_aside(self, error: Exception) -> None:
        """Put a damaged file under another name, where somebody may look at it. Raises one of FAULTS."""
        with open_directory(self._path.parent) as directory:
            numbered = (f"{self._path.name}.damaged-{number}" for number in count(1))
            aside = next(name for name in numbered if directory.status(name) is None)
            for part in PARTS:
                if directory.status(self._path.name + part) is not None:
                    directory.rename(self._path.name + part, aside + part)
        logger.error("%s: is damaged (%s) and set aside as %s; a new one begins", self._path, error, aside)

    def _identify(self) -> Identity:
        status = self._path.lstat()
        return status.st_dev, status.st_ino

    def _prepare(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if VERSION < version <= VERSIONS_MOST:
            raise JournalError(f"{self._path}: was written by a newer sense-mqtt: update, or move the file away")
        if not 0 <= version <= VERSION or connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("malformed")
        self._shape(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        transact(connection, bring_up_to_date)
        try_to_write(connection)

    def _shape(self, connection: sqlite3.Connection) -> None:
        """Give the file pages of PAGE_BYTES, and let a file that grew while the broker was away shrink again."""
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        if size == PAGE_BYTES and connection.execute("PRAGMA auto_vacuum").fetchone()[0] == INCREMENTAL:
            return
        connection.execute("PRAGMA journal_mode = DELETE")  # in WAL mode the size cannot change
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute(f"PRAGMA auto_vacuum = {INCREMENTAL}")
        connection.execute("VACUUM")  # all or nothing, by SQLite's rollback journal
