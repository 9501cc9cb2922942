"""One webhook: what waits for it in the journal, what is under way, and what became of it."""

import logging
import math
from contextlib import suppress
from typing import Any, Protocol

from sense_mqtt.clock import Moment
from sense_mqtt.core.backoff import Uniform
from sense_mqtt.core.publishing.messages import as_of, stored_event
from sense_mqtt.core.webhooks.hook import Hook
from sense_mqtt.core.webhooks.schedule import PostSchedule
from sense_mqtt.errors import JournalError
from sense_mqtt.logs.repeat_log import RepeatLog
from sense_mqtt.store.journal import Journal
from sense_mqtt.store.posts import Post
from sense_mqtt.webhooks.sender import PostResult

logger = logging.getLogger(__name__)

KEPT_S = 86400.0  # an event that a hook did not take for so long is dropped
POSTS_MOST = 100_000  # that wait for one hook: some 40 MB
POSTS_IN_MEMORY_MOST = 10_000  # the same while the disk cannot be written
OUTAGE_S = 60.0  # that a hook takes nothing for less than this is told once only
LAST_POST_S = 1.0  # at the end, the post that is under way may take so long
AGAIN_S = 60.0  # until the journal is tried again that could not note a delivery


class Sender(Protocol):
    """What is needed of the thread that posts."""

    def submit(self, body: str) -> None: ...
    def take(self, wait_s: float = ...) -> PostResult | None: ...


class Webhook:
    """Owns the posts of one webhook. For the bridge's thread only; what reads or writes may raise JournalError.

    `name`: as the configuration calls it, as its URL is a secret.
    """

    def __init__(self, name: str, hook: Hook, sender: Sender, journal: Journal, uniform: Uniform) -> None:
        self._name = name
        self.hook = hook
        self._sender = sender
        self._journal = journal
        self._schedule = PostSchedule(uniform)
        self._look_at = -math.inf  # monotonic: when the journal may hold a post that can begin
        self._under_way: Post | None = None
        self._away_since: float | None = None  # monotonic
        self._is_gone = False
        self._log = RepeatLog(logger)
        self._waiting = journal.posts.count(hook.key)
        self._delivered = self._failed = self._dropped = 0

    def describe(self) -> dict[str, Any]:
        """Return its part of the health document."""
        with suppress(JournalError):
            self._waiting = self._journal.posts.count(self.hook.key)  # it may have returned to its file meanwhile
        return {
            "webhook": self._name,
            "format": self.hook.format,
            "waiting": self._waiting,
            "delivered": self._delivered,
            "failed": self._failed,
            "dropped": self._dropped,
        }

    # --- what is to be posted

    def accept(self) -> bool:
        """Return whether a new event is kept for it; where it is gone for good, the event counts as dropped."""
        self._dropped += self._is_gone
        return not self._is_gone

    def added(self, many: int) -> None:
        """Note that so many events more wait in the journal. Beyond the bound the oldest are dropped."""
        self._waiting += many
        self._look_at = -math.inf
        most = POSTS_IN_MEMORY_MOST if self._journal.is_in_memory else POSTS_MOST
        if self._waiting > most:
            dropped = self._journal.posts.drop_oldest(self.hook.key, self._waiting - most)
            self._note_dropped(dropped, f"as more than {most} wait")

    def flush(self, now: Moment) -> None:
        """Begin the next post, where one is due."""
        if self._under_way is not None or self._is_gone or now.monotonic < max(self._look_at, self._schedule.due()):
            return
        post = self._journal.posts.next(self.hook.key, self._schedule.waiting_lanes(now.monotonic))
        if post is None:
            self._look_at = self._schedule.next_lane_due(now.monotonic)
            return
        self._under_way = post
        message = as_of(stored_event(post.number, "", post.payload), now.wall)
        self._sender.submit(self.hook.body(message.payload))

    # --- what became of it

    def take_result(self, now: Moment, wait_s: float = 0.0) -> None:
        """Take in how the post ended, if it has ended within `wait_s`."""
        result = self._sender.take(wait_s)
        post, self._under_way = self._under_way, None if result is not None else self._under_way
        if result is None or post is None:
            return
        self._look_at = now.monotonic + AGAIN_S
        match result.outcome:
            case "delivered":
                self._on_delivered(post, now)
            case "gone":
                self._on_gone(result)
            case "refused":
                self._on_refused(post, result, now)
            case _:
                self._on_away(result, now)
        self._look_at = -math.inf

    def _on_delivered(self, post: Post, now: Moment) -> None:
        self._waiting -= self._journal.posts.forget(post)
        self._delivered += 1
        self._schedule.delivered(post.lane)
        since, self._away_since = self._away_since, None
        if since is not None and now.monotonic - since >= OUTAGE_S:
            logger.info("%s: takes events again, after %d failed posts", self._name, self._log.reset("away"))
            self._log.reset("dropped")

    def _on_refused(self, post: Post, result: PostResult, now: Moment) -> None:
        self._failed += 1
        self._schedule.refused(post.lane, now.monotonic)
        told = "%s: %s for an event; it is posted again for a day, the others of its device wait"
        self._log.log("refused", told, self._name, result.reason)
        dropped = self._journal.posts.drop(self.hook.key, now.wall - KEPT_S, post.lane)
        self._note_dropped(dropped, "that it refused for a day")

    def _on_away(self, result: PostResult, now: Moment) -> None:
        self._failed += 1
        self._schedule.away(now.monotonic, result.retry_after_s)
        self._away_since = now.monotonic if self._away_since is None else self._away_since
        self._log.log("away", "%s: %s; its events wait and are posted again for a day", self._name, result.reason)
        dropped = self._journal.posts.drop(self.hook.key, now.wall - KEPT_S)
        self._note_dropped(dropped, "that it did not take for a day")

    def _on_gone(self, result: PostResult) -> None:
        self._is_gone = True
        told = (
            "%s: %s: it is gone for good. Its events are dropped; remove it from the configuration, or correct its URL"
        )
        logger.error(told, self._name, result.reason)
        self._note_dropped(self._journal.posts.drop(self.hook.key, math.inf), "as it is gone")

    def _note_dropped(self, many: int, why: str) -> None:
        self._waiting -= many
        self._dropped += many
        if many:
            self._log.log("dropped", "%s: %d events are dropped, %s", self._name, many, why)
