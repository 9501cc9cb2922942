"""Events that wait for webhooks, in the journal's file."""

import sqlite3
from contextlib import closing

from sense_mqtt.store.journal import Journal
from sense_mqtt.store.posts import Post


def a_post(hook: str, lane: str, payload: str, number: int = 0, recorded: float = 0.0) -> Post:
    return Post(hook, lane, payload, recorded, number)


def waiting(journal: Journal, hook: str) -> list[str]:
    found = []
    while (post := journal.posts.next(hook, [])) is not None:
        found.append(post.payload)
        journal.posts.forget(post)
    return found


def record(journal: Journal, *posts: Post) -> None:
    journal.record(7, {}, [("t", "p"), ("t", "q"), ("t", "r")], posts)


def test_posts_are_kept_with_their_events_and_in_order_for_each_hook(path):
    with closing(Journal(path)) as journal:
        record(journal, a_post("a", "x", "1"), a_post("b", "x", "1"), a_post("a", "y", "2", number=2))
        record(journal, a_post("a", "x", "3"))
        assert journal.posts.count("a") == 3
    with closing(Journal(path)) as journal:
        assert waiting(journal, "a") == ["1", "2", "3"]
        assert waiting(journal, "b") == ["1"]
        record(journal, a_post("a", "x", "4"))
        assert waiting(journal, "a") == ["4"]


def test_a_lane_that_waits_is_passed_over(journal):
    record(journal, a_post("a", "x", "1"), a_post("a", "y", "2", number=1))
    assert journal.posts.next("a", ["x"]).payload == "2"
    assert journal.posts.next("a", ["x", "y"]) is None


def test_what_is_old_or_too_much_or_of_another_hook_is_dropped(journal):
    for number in range(4):
        record(journal, a_post("a", "xy"[number % 2], str(number), recorded=100.0 + number), a_post("b", "x", "b"))
    assert journal.posts.drop("a", 103.0, "x") == 2
    assert journal.posts.drop("a", 102.0) == 1
    assert journal.posts.count("a") == 1
    assert journal.posts.drop_oldest("b", 3) == 3
    assert journal.posts.keep_hooks(["a"]) == 1
    assert journal.posts.keep_hooks([]) == 1


def test_posts_go_on_in_memory_and_return_to_the_file(journal, path):
    record(journal, a_post("a", "x", "1"))
    journal._connection.execute("PRAGMA busy_timeout = 0")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        record(journal, a_post("a", "x", "2"))
        assert journal.is_in_memory
        assert journal.posts.count("a") == 2
        other.execute("ROLLBACK")
    journal.maintain()
    assert not journal.is_in_memory
    with closing(Journal(path)) as again:
        assert waiting(again, "a") == ["1", "2"]


def test_posts_of_memory_join_those_of_a_file_that_could_not_be_read(path):
    with closing(Journal(path)) as journal:
        record(journal, a_post("a", "x", "1"))
    folder, away = path.parent, path.parent.with_name("away")
    folder.rename(away)
    folder.write_text("no directory")
    with closing(Journal(path)) as journal:
        record(journal, a_post("a", "x", "2"))
        folder.unlink()
        away.rename(folder)
        journal.maintain()
        assert waiting(journal, "a") == ["1", "2"]


def test_a_journal_from_before_there_were_webhooks_has_none(path):
    with closing(Journal(path)), closing(sqlite3.connect(path)) as old:
        old.execute("DROP TABLE posts")
    with closing(Journal(path)) as journal:
        record(journal, a_post("a", "x", "1"))
        assert waiting(journal, "a") == ["1"]
