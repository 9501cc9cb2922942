"""Events that wait to be posted to webhooks: rows of the journal."""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from msgspec import Struct

T = TypeVar("T")

NEXT = """
SELECT hook, lane, payload, recorded, number FROM posts WHERE hook = ? AND lane NOT IN ({lanes}) ORDER BY number LIMIT 1
"""


class Post(Struct, frozen=True):
    """An event that is to be posted to one webhook."""

    hook: str  # its key
    lane: str  # within which order is kept: that of its device
    payload: str  # as on MQTT
    recorded: float  # seconds UTC
    number: int = 0  # counts up; while it is not recorded yet, its place among the events recorded together


def insert_posts(connection: sqlite3.Connection, numbers: Sequence[int], posts: Iterable[Post]) -> None:
    """Add posts; `numbers` are those of the events recorded together, each of which a post has."""
    rows = [(post.hook, numbers[post.number], post.lane, post.payload, post.recorded) for post in posts]
    connection.executemany("INSERT INTO posts VALUES (?, ?, ?, ?, ?)", rows)


class Transactions(Protocol):
    """What is needed of the journal; may raise JournalError."""

    def read(self, query: str, *values: Any) -> list[tuple[Any, ...]]: ...
    def write(self, work: Callable[[sqlite3.Connection], T], *, is_synced: bool = True) -> T: ...


class StoredPosts:
    """Posts of all webhooks, oldest first. What reads or writes may raise JournalError."""

    def __init__(self, journal: Transactions) -> None:
        self._journal = journal

    def next(self, hook: str, but_lanes: Collection[str]) -> Post | None:
        """Return the oldest post of a hook that is in none of these lanes."""
        query = NEXT.format(lanes=", ".join("?" * len(but_lanes)))
        return next((Post(*row) for row in self._journal.read(query, hook, *but_lanes)), None)

    def count(self, hook: str) -> int:
        """Return how many posts wait for a hook."""
        return int(self._journal.read("SELECT count(*) FROM posts WHERE hook = ?", hook)[0][0])

    def forget(self, post: Post) -> int:
        """Remove one that was delivered. A power cut may bring it back: it is posted once more then."""
        return self._delete("hook = ? AND number = ?", post.hook, post.number, is_synced=False)

    def drop(self, hook: str, before: float, lane: str | None = None) -> int:
        """Remove those recorded before a time (seconds UTC), of one lane or of all; return how many."""
        if lane is None:
            return self._delete("hook = ? AND recorded < ?", hook, before)
        return self._delete("hook = ? AND lane = ? AND recorded < ?", hook, lane, before)

    def drop_oldest(self, hook: str, many: int) -> int:
        """Remove so many; return how many there were."""
        oldest = "SELECT number FROM posts WHERE hook = ? ORDER BY number LIMIT ?"
        return self._delete(f"hook = ? AND number IN ({oldest})", hook, hook, many)

    def keep_hooks(self, hooks: Collection[str]) -> int:
        """Remove those of all other hooks; return how many there were."""
        return self._delete(f"hook NOT IN ({', '.join('?' * len(hooks))})", *hooks)

    def _delete(self, condition: str, *values: Any, is_synced: bool = True) -> int:
        query = f"DELETE FROM posts WHERE {condition}"  # noqa: S608 - conditions of ours
        return self._journal.write(lambda connection: connection.execute(query, values).rowcount, is_synced=is_synced)
