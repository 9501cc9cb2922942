"""The retained topics: the newest message of each, and which of them have to go out."""

import zlib
from collections import OrderedDict

from msgspec import Struct
from msgspec.structs import replace

from sense_mqtt.core.publishing.message import Message, PublishOrder

ONLINE = (PublishOrder.BRIDGE_STATE, "online")


class RetainedTopics:
    """A topic is dirty while its newest message has not gone out. For the bridge's thread only."""

    def __init__(self) -> None:
        self._messages: dict[str, Message | _Packed] = {}
        # Topics, in the order in which they go out. A plain dict takes a time to give its first key that grows with the
        # number of keys that were taken before.
        self.dirty: OrderedDict[str, None] = OrderedDict()
        self._urgent = 0  # so many dirty topics from the left go out before responses and events

    def put(self, message: Message) -> None:
        """Take a message; it replaces what waits for the same topic."""
        self._messages[message.topic] = message
        self.dirty.setdefault(message.topic, None)
        # Home Assistant must know an entity before its first event comes; and the bridge is online once what was known
        # by then went out, however much happens meanwhile.
        if message.order is PublishOrder.DISCOVERY or (message.order, message.payload) == ONLINE:
            self._urgent = len(self.dirty)

    def put_back(self, message: Message) -> None:
        """Take back a message that did not go out; a newer one on its topic goes out in its place."""
        if message.final:
            self._messages.setdefault(message.topic, message)
        self.republish(message.topic)

    def republish(self, topic: str) -> None:
        """Let what is retained on one topic, if anything, go out again."""
        if topic in self._messages:
            self.dirty.setdefault(topic, None)

    def republish_all(self) -> None:
        """Let everything go out again, by `PublishOrder`."""
        self.dirty = OrderedDict.fromkeys(sorted(self._messages, key=lambda topic: self._messages[topic].order))
        self._urgent = len(self.dirty)

    def next_urgent(self) -> Message | None:
        """Return the next message that goes before responses and events."""
        if not self._urgent or not self.dirty:
            return None
        self._urgent -= 1  # what came since then waits its turn: readings that never end would starve events
        return self.next()

    def next(self) -> Message | None:
        """Return the next message that has to go out, and count it as gone."""
        if not self.dirty:
            return None
        topic, _ = self.dirty.popitem(last=False)
        message = self._messages[topic] = _unpacked(self._messages[topic])
        return message

    def acknowledged(self, message: Message) -> None:
        """Note that a broker has this message: a final one is forgotten, one of discovery is compressed."""
        if self._messages.get(message.topic) is not message:
            return
        if message.final:
            self.forget(message.topic)
        elif message.order is PublishOrder.DISCOVERY:
            self._messages[message.topic] = _packed(message)

    def forget(self, topic: str) -> None:
        """Let go of what is retained on a topic: it is not published again."""
        self._messages.pop(topic, None)
        self.dirty.pop(topic, None)

    def payload(self, topic: str) -> str | None:
        """Return what is retained on a topic, or will be once it went out."""
        message = self._messages.get(topic)
        return None if message is None else _unpacked(message).payload

    def is_dirty(self, topic: str) -> bool:
        return topic in self.dirty

    def __len__(self) -> int:
        """Return how many topics have to go out."""
        return len(self.dirty)


class _Packed(Struct, frozen=True):
    """A message that is needed again with the next connection only. A home has thirty of discovery, of 3 kB each."""

    order: PublishOrder
    head: Message  # without its payload
    content: bytes  # its payload


def _packed(message: Message) -> _Packed:
    content = zlib.compress(message.payload.encode(), 1)
    return _Packed(message.order, replace(message, payload=""), content)


def _unpacked(kept: Message | _Packed) -> Message:
    if isinstance(kept, Message):
        return kept
    return replace(kept.head, payload=zlib.decompress(kept.content).decode())
