"""All webhooks: which of them get an event, and what is done for each of them."""

from collections.abc import Collection, Sequence
from typing import Any

from sense_mqtt.bridge.error_guard import ErrorGuard
from sense_mqtt.bridge.webhook import LAST_POST_S, Webhook
from sense_mqtt.clock import Moment
from sense_mqtt.core.payloads import read_object
from sense_mqtt.core.publishing.message import Message
from sense_mqtt.core.webhooks.hook import lane_of
from sense_mqtt.items import PostDone
from sense_mqtt.store.posts import Post


class Webhooks:
    """Owns all webhooks. For the bridge's thread only."""

    def __init__(self, each: Sequence[Webhook], guard: ErrorGuard) -> None:
        self._each = each  # as in the configuration
        self._guard = guard

    def posts_of(self, messages: Sequence[Message], now: Moment) -> list[Post]:
        """Return what is to be posted of events that are recorded together, given their messages on MQTT."""
        posts: list[Post] = []
        for number, message in enumerate(messages if self._each else ()):
            if message.topic.endswith("/events"):  # the same event once more
                continue
            event = read_object(message.payload)
            lane, hooks = lane_of(event), [each for each in self._each if each.hook.wants(event)]
            posts += (Post(each.hook.key, lane, message.payload, now.wall, number) for each in hooks if each.accept())
        return posts

    def recorded(self, posts: Collection[Post]) -> None:
        """Note that these posts are in the journal."""
        for each in self._each if posts else ():
            if many := sum(post.hook == each.hook.key for post in posts):
                each.added(many)

    def flush(self, now: Moment) -> None:
        """Begin the posts that are due; each waits for none of the others."""
        for each in self._each:
            self._guard.attempt("what waits for a webhook", each.flush, now)

    def on_done(self, item: PostDone, now: Moment) -> None:
        self._each[item.hook].take_result(now)

    def close(self, now: Moment) -> None:
        """Take in how the posts end that are under way, within a second or so; else they are posted once more."""
        for each in self._each:
            self._guard.attempt("the result of a webhook", each.take_result, now, LAST_POST_S / len(self._each))

    def describe(self) -> list[dict[str, Any]]:
        """Return each one's part of the health document."""
        return [each.describe() for each in self._each]
