"""What the page shows of the last day, one row an hour of each monitor: rows of the journal."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from sense_mqtt.store.posts import Transactions
from sense_mqtt.store.schema import read_object, write_object

HOURS_MOST = 25  # that are kept of a monitor


class StoredHours:
    """Hours are counted from 1970 UTC. What reads or writes may raise JournalError."""

    def __init__(self, journal: Transactions) -> None:
        self._journal = journal

    def keep(self, monitor: int, documents: Mapping[int, Mapping[str, Any]]) -> None:
        """Store these hours, and let go of the oldest. A power cut may undo it: no events are lost, only a plot."""
        rows = [(monitor, hour, write_object(document)) for hour, document in documents.items()]
        newest = max(documents)
        span = (newest - HOURS_MOST, newest)  # later ones were told by a clock that was wrong

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany("INSERT OR REPLACE INTO hours VALUES (?, ?, ?)", rows)
            connection.execute("DELETE FROM hours WHERE monitor = ? AND (hour <= ? OR hour > ?)", (monitor, *span))

        self._journal.write(write, is_synced=False)

    def of(self, monitor: int) -> dict[int, Mapping[str, Any]]:
        """Return the stored hours, the oldest first; those that cannot be read are left out."""
        rows = self._journal.read("SELECT hour, document FROM hours WHERE monitor = ? ORDER BY hour", monitor)
        documents = {hour: read_object(text) for hour, text in rows}
        return {hour: document for hour, document in documents.items() if document is not None}
