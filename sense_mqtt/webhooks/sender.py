"""The thread of one webhook: one post at a time, its result to be taken by the bridge's thread."""

import logging
import threading
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from sense_mqtt.inbox import Inbox
from sense_mqtt.items import PostDone

logger = logging.getLogger(__name__)


class PostResult(Struct, frozen=True):
    """How a post ended, and the words for the log.

    `refused`: the hook answers, but did not take this event; `away`: it takes none at present; `gone`: it never will.
    """

    outcome: Literal["delivered", "refused", "away", "gone"]
    reason: str
    retry_after_s: float = 0.0  # 0: it did not say how long to wait


class WebhookSender:
    """Posts on a thread of its own, which is there from the first post on; for the bridge's thread only."""

    def __init__(self, number: int, post: Callable[[str], PostResult], inbox: Inbox) -> None:
        self._number = number  # place of the hook in the configuration
        self._post = post
        self._inbox = inbox
        self._changed = threading.Condition()
        self._body: str | None = None  # to be posted
        self._result: PostResult | None = None  # to be taken
        self._is_posting = self._is_started = False

    def submit(self, body: str) -> None:
        """Post this; nothing else may be under way. A PostDone in the inbox tells when to call `take`."""
        with self._changed:
            self._body, self._is_posting = body, True
            if not self._is_started:
                self._is_started = True
                threading.Thread(target=self._run, name=f"webhook-{self._number}", daemon=True).start()
            self._changed.notify_all()

    def take(self, wait_s: float = 0.0) -> PostResult | None:
        """Return the result of the post, once; None where it is not done after `wait_s`."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_posting, wait_s)
            result, self._result = self._result, None
            return result

    def _attempt(self, body: str) -> PostResult:
        try:
            return self._post(body)
        except Exception:  # one bad post must not end the bridge, nor all of its starts
            logger.exception("a post to webhooks.%d failed unexpectedly", self._number)
            return PostResult("away", "an unexpected error, see the log")

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._body is not None)
                body, self._body = self._body or "", None
            result = self._attempt(body)
            with self._changed:
                self._result, self._is_posting = result, False
                self._changed.notify_all()
            self._inbox.put(PostDone(self._number))
