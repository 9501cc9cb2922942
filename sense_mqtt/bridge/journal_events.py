"""Events on their way from the journal to the queue, and out of the journal once the broker has them."""

import logging
from collections.abc import Iterator

from sense_mqtt.core.publishing.message import Message
from sense_mqtt.core.publishing.messages import stored_event
from sense_mqtt.errors import JournalError
from sense_mqtt.logs.repeat_log import RepeatLog
from sense_mqtt.store.journal import Entry, Journal

logger = logging.getLogger(__name__)


class JournalEvents:
    """Reads each event of the journal once, in order. For the bridge's thread only."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._read = 0  # number of the newest event that was read
        self._inherited = journal.newest  # number of the newest event of a process before
        self._delivered: list[int] = []  # to be forgotten
        self._log = RepeatLog(logger)

    def next_ones(self, most: int) -> Iterator[tuple[Message, bool]]:
        """Yield so many at most, each with whether a process before may have sent it."""
        if most <= 0 or self.all_read:
            return
        for entry in self._waiting(most):
            self._read = entry.number
            yield stored_event(entry.number, entry.topic, entry.payload), entry.number <= self._inherited

    def _waiting(self, most: int) -> list[Entry]:
        try:
            return self._journal.waiting(self._read, most)
        except JournalError as error:  # readings and answers go on without it
            self._log.log("journal", "the journal cannot be read, events wait: %s", error, level=logging.ERROR)
            return []

    @property
    def all_read(self) -> bool:
        return self._read >= self._journal.newest

    def delivered(self, number: int) -> None:
        """The broker has this event: `forget_delivered` removes it from the journal."""
        self._delivered.append(number)

    def forget_delivered(self) -> None:
        delivered, self._delivered = self._delivered, []
        if delivered:
            self._journal.forget(delivered)
