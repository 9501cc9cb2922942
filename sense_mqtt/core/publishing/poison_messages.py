"""Which message makes the broker end the connection: found by sending one at a time, then kept back from it.

Once a connection was lost early, or the broker said that a message was the reason, messages go one at a time. With
MQTT 5 a DISCONNECT says why, and the message alone in flight is the cause. Otherwise the connection has to be lost
LOSSES_ALONE times while the same message was alone in flight.
"""

from collections.abc import Sequence
from functools import lru_cache

from sense_mqtt.core.publishing.message import Message

LOSSES_ALONE = 2

SURE_AFTER = 2  # once so many messages were found, being alone in flight once is enough for the next

Kind = tuple[str, int, str]  # first level, how many, and last level of a topic: what an access list treats alike

# Reason codes of MQTT 5's DISCONNECT.
PACKET_TOO_LARGE = 0x95
TOPIC_CODES = frozenset({0x87, 0x90})  # not authorized, topic name invalid
MESSAGE_CODES = TOPIC_CODES | {PACKET_TOO_LARGE, 0x81, 0x82, 0x94, 0x99}  # malformed, protocol, topic alias, payload
SERVER_CODES = frozenset(  # the end of the connection has nothing to do with what was sent
    {0x00, 0x04, 0x89, 0x8B, 0x8D, 0x8E, 0x93, 0x96, 0x97, 0x98, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2}
)


class PoisonMessages:
    """What was in flight when connections were lost. For the bridge's thread only."""

    def __init__(self) -> None:
        self.one_at_a_time = False  # messages go one at a time, so that one alone is to blame
        self._alone: tuple[str | int, int] | None = None  # the last one alone in flight at a loss, and how often
        self._too_large: int | None = None  # bytes: so much and more is kept back
        self._keys: set[str | int] = set()  # topics, and numbers of events, that are kept back
        self._kinds: set[Kind] = set()  # of topics that are kept back altogether
        self._found_now = 0  # since messages go one at a time
        self._found: dict[Kind, set[str | int]] = {}
        self._acknowledged_kinds: set[Kind] = set()  # of topics that a broker has acknowledged

    def connection_lost(self, inflight: Sequence[Message], code: int | None, *, early: bool = True) -> Message | None:
        """The connection was lost; return the message that is found to be the cause, which is kept back from now on."""
        is_suspicious = early or self.one_at_a_time or code in MESSAGE_CODES
        if not inflight or code in SERVER_CODES or not is_suspicious:
            return None
        was_narrow, self.one_at_a_time = self.one_at_a_time, True
        if len(inflight) > 1:
            return None
        suspect = inflight[0]
        key = _key(suspect)
        before = self._alone[1] if self._alone is not None and self._alone[0] == key else 0
        self._alone = (key, before + was_narrow)
        times = 1 if self._found_now >= SURE_AFTER else LOSSES_ALONE
        if code not in MESSAGE_CODES and self._alone[1] < times:
            return None
        self._withhold(suspect, code)
        return suspect

    def _withhold(self, suspect: Message, code: int | None) -> None:
        self._alone, self._found_now = None, self._found_now + 1
        if code == PACKET_TOO_LARGE:
            self._too_large = suspect.size  # a larger one never goes out after that
            return
        key, kind = _key(suspect), _kind(suspect)
        found = self._found.setdefault(kind, set())
        is_topic = code in TOPIC_CODES or suspect.topic in found
        self._keys.add(suspect.topic if is_topic else key)
        found.update((suspect.topic, key))
        if len({topic for topic in found if isinstance(topic, str)}) > 1 and kind not in self._acknowledged_kinds:
            self._kinds.add(kind)

    def withholds(self, message: Message) -> bool:
        """Say whether the broker would end the connection at this message."""
        if self._too_large is None and not self._keys and not self._kinds:
            return False
        return (
            (self._too_large is not None and message.size >= self._too_large)
            or message.topic in self._keys
            or message.event in self._keys
            or _kind(message) in self._kinds
        )

    def withholds_kind(self, message: Message) -> bool:
        """Say whether all topics like that of this message are kept back."""
        return _kind(message) in self._kinds

    @property
    def max_size(self) -> int | None:
        """Bytes that a message may have; None: no limit was found."""
        return None if self._too_large is None else self._too_large - 1

    def acknowledged(self, message: Message) -> None:
        """The broker has acknowledged this message."""
        self._acknowledged_kinds.add(_kind_of_topic(message.topic))

    def all_delivered(self) -> None:
        """All that waited was delivered: no message is under suspicion."""
        self.one_at_a_time, self._alone, self._found_now = False, None, 0

    def retry_all(self) -> None:
        """Try everything again: the broker's settings may have changed."""
        self._too_large = None
        self._keys.clear()
        self._kinds.clear()
        self._found.clear()


def _key(message: Message) -> str | int:
    return message.topic if message.event is None else message.event


def _kind(message: Message) -> Kind:
    return _kind_of_topic(message.topic)


@lru_cache(4096)
def _kind_of_topic(topic: str) -> Kind:
    levels = topic.split("/")
    return levels[0], len(levels), levels[-1]
