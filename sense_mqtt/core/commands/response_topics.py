"""Which response topics (MQTT 5) are answered: requests must not publish elsewhere with the bridge's rights."""

from collections.abc import Sequence

from msgspec import Struct

from sense_mqtt.core.publishing.topics import Topics

MAX_TOPIC_BYTES = 256  # some brokers hang up on a longer one
MAX_LEVELS = 32  # likewise
COMMAND_LEVELS = ("/request/", "/set")  # how common programs name the topics on which they take commands


class ResponseTopics(Struct, frozen=True):
    """Our own topics, and `mqtt.response_topics`: filters of which one must match; none: all that is not forbidden."""

    topics: Topics
    filters: tuple[str, ...] = ()

    def allow(self, topic: str) -> bool:
        """Return whether an answer may be published on this topic."""
        if not _is_publishable(topic):
            return False
        if _is_below(topic, self.topics.base):
            return _is_below(topic, self.topics.bridge("response")) and topic != self.topics.bridge("response")
        if _is_below(topic, self.topics.prefix) or _takes_commands(topic):
            return False
        return not self.filters or any(filter_matches(each, topic) for each in self.filters)


def filter_matches(pattern: str, topic: str) -> bool:
    """Return whether a subscription's filter, with + and #, matches a topic that does not begin with $."""
    return _levels_match(pattern.split("/"), topic.split("/"))


def _levels_match(pattern: Sequence[str], levels: Sequence[str]) -> bool:
    if pattern[-1] == "#":
        pattern = pattern[:-1]
        levels = levels[: len(pattern)]  # `a/#` matches `a` too
    return len(pattern) == len(levels) and all(
        want in ("+", level) for want, level in zip(pattern, levels, strict=True)
    )


def _is_publishable(topic: str) -> bool:
    """Brokers hang up on whoever publishes on another one."""
    is_plain = topic.isprintable() and not topic.startswith("$") and not set(topic) & set("+#")
    return bool(topic) and is_plain and len(topic.encode()) <= MAX_TOPIC_BYTES and topic.count("/") < MAX_LEVELS


def _is_below(topic: str, start: str) -> bool:
    return topic == start or topic.startswith(f"{start}/")


def _takes_commands(topic: str) -> bool:
    enclosed = f"/{topic.casefold()}/"
    return any(level in enclosed for level in COMMAND_LEVELS)
