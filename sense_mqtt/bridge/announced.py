"""The retained topics that must be cleared when they end, by this process or a later one."""

import logging
from collections.abc import Iterable

from sense_mqtt.core.publishing.message import Message, PublishOrder
from sense_mqtt.errors import JournalError
from sense_mqtt.logs.repeat_log import RepeatLog
from sense_mqtt.store.journal import Journal

logger = logging.getLogger(__name__)

LASTING = frozenset({PublishOrder.DISCOVERY, PublishOrder.AVAILABILITY, PublishOrder.BRIDGE_STATE})


class Announced:
    """The retained topics that Home Assistant goes by, and those that are being cleared, by rank; in the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._ranks = journal.announced()
        self._new: dict[str, PublishOrder] = {}  # topics that are on the list, but not in the journal yet
        self._done: list[str] = []  # topics that are off the list, but still in the journal
        self._log = RepeatLog(logger)

    def noted(self, messages: Iterable[Message]) -> tuple[Message, ...]:
        """Return these messages once what they announce is noted; before they go out, `keep` has to be called.

        What takes something back is written down here: it is known of what came out before.
        """
        told = tuple(messages)
        for message in told:
            if message.topic in self._ranks:
                if message.order is PublishOrder.VALUE and not message.final:  # it has a value again
                    self._drop(message.topic)
            elif message.final or message.order in LASTING:
                self._ranks[message.topic] = self._new[message.topic] = message.order
        if any(message.final and message.topic in self._new for message in told):
            self._write()
        return told

    def keep(self, message: Message) -> None:
        """Write down what this message announces before it goes out, so that a crash after that forgets nothing.

        All that was noted is written together: at the start that is hundreds of topics of each home, in few syncs.
        """
        if message.topic in self._new:
            self._write()

    def _write(self) -> None:
        new, self._new = self._new, {}
        self._done = [topic for topic in self._done if topic not in new]
        try:
            self._journal.announce(new)
        except JournalError as error:  # readings go on without it
            text = "what was announced would be forgotten by a restart: %s"
            self._log.log("journal", text, error, level=logging.ERROR)

    def acknowledge(self, message: Message) -> None:
        """Note that a broker has a message: after a final one nothing is left to take back."""
        if message.final:
            self._drop(message.topic)

    def flush(self) -> None:
        """Write down what is off the list. Call now and then; until then it would only be taken back once more."""
        done, self._done = self._done, []
        if done:
            self._journal.forget_announced(done)

    def topics(self, rank: PublishOrder) -> tuple[str, ...]:
        """Return the topics of one kind that must be taken back once they do not hold any more."""
        return tuple(topic for topic, given in self._ranks.items() if given == rank)

    def _drop(self, topic: str) -> None:
        if self._ranks.pop(topic, None) is not None:
            self._new.pop(topic, None)
            self._done.append(topic)
