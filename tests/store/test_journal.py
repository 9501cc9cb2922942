"""What must survive a crash."""

import sqlite3
from contextlib import closing

import pytest

from sense_mqtt.errors import JournalError
from sense_mqtt.store.journal import Entry, Journal

HOME = ("home", "")


def test_events_come_back_in_order_from_where_the_reader_was(journal):
    journal.record(7, {}, [("t1", "a"), ("t2", "b")])
    journal.append("t3", "c")
    assert journal.waiting(0, 10) == [Entry(1, "t1", "a"), Entry(2, "t2", "b"), Entry(3, "t3", "c")]
    assert journal.waiting(1, 1) == [Entry(2, "t2", "b")]
    assert journal.newest == 3
    assert journal.held == 3


def test_what_is_forgotten_is_gone_and_its_number_never_comes_again(journal, path):
    journal.record(7, {}, [("t", "a"), ("t", "b")])
    journal.forget([1, 2])
    journal.forget([])
    journal.close()
    again = Journal(path)
    assert (again.held, again.newest) == (0, 0)
    again.append("t", "c")
    assert again.waiting(0, 10) == [Entry(3, "t", "c")]
    again.close()


def test_a_house_is_recalled_as_it_was_last_recorded(journal):
    assert journal.recall(7) == {}
    journal.record(7, {HOME: {"live": False}}, [])
    journal.record(8, {HOME: {"live": None}}, [])
    journal.record(7, {HOME: {"live": True, "name": "Küche \ud800"}}, [])
    assert journal.recall(7) == {HOME: {"live": True, "name": "Küche \ud800"}}
    assert journal.recall(8) == {HOME: {"live": None}}


def test_what_was_recorded_survives_without_a_close(journal, path):
    journal.record(7, {HOME: {"live": True}}, [("t", "a")])
    second = Journal(path)
    assert second.recall(7) == {HOME: {"live": True}}
    assert second.waiting(0, 10) == [Entry(1, "t", "a")]
    assert second.newest == 1
    second.close()


def test_the_folder_is_made_and_closed_to_others(path):
    Journal(path).close()
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_what_was_announced_is_kept_until_it_is_taken_back(journal, path):
    journal.announce({"a/config": 0, "a/availability": 2})
    journal.announce({"a/config": 0})
    journal.forget_announced(["a/availability", "never"])
    journal.close()
    with closing(Journal(path)) as again:
        assert again.announced() == {"a/config": 0}


def test_a_journal_of_an_older_version_has_announced_nothing(journal, path):
    journal.record(7, {HOME: {"live": True}}, [("t", "a")])
    journal._connection.execute("DROP TABLE announced")
    journal.close()
    with closing(Journal(path)) as again:
        assert (again.announced(), again.recall(7), again.held) == ({}, {HOME: {"live": True}}, 1)


def test_a_full_disk_keeps_what_was_announced(journal, path):
    journal.announce({"a": 0})
    limit_pages(journal)
    journal.append("t", "x" * 100_000)
    journal.announce({"b": 2})
    assert journal.announced() == {"a": 0, "b": 2}
    journal.forget_announced(["a"])
    journal.forget([1])
    journal.maintain()
    with closing(Journal(path)) as again:
        assert again.announced() == {"b": 2}


# --- all or nothing


UNWRITABLE = [
    pytest.param({"live": True}, [("t", "a"), ("t", None)], JournalError, id="an event that is no text"),
    pytest.param({"live": object()}, [("t", "a")], TypeError, id="a house that is no JSON"),
]


@pytest.mark.parametrize(("document", "events", "error"), UNWRITABLE)
def test_a_house_and_its_events_are_kept_together_or_not_at_all(journal, document, events, error):
    journal.record(7, {HOME: {"live": False}}, [("t", "before")])
    with pytest.raises(error):
        journal.record(7, {HOME: document}, events)
    assert journal.recall(7) == {HOME: {"live": False}}
    assert [entry.payload for entry in journal.waiting(0, 10)] == ["before"]
    assert journal.newest == 1
    journal.append("t", "after")
    assert [entry.payload for entry in journal.waiting(0, 10)] == ["before", "after"]


def limit_pages(journal, most=None):
    """Let the file's disk end where it ends now; it stands for a disk that is full."""
    pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count = {most or pages}")


def test_a_full_disk_loses_nothing_and_is_reported(journal, caplog):
    journal.append("t", "before")
    limit_pages(journal)
    journal.append("t", "x" * 100_000)
    journal.append("t", "after")
    assert [entry.payload[:6] for entry in journal.waiting(0, 10)] == ["before", "xxxxxx", "after"]
    assert caplog.text.count("make room on its disk") == 1


def test_the_journal_returns_to_its_file_with_all_that_waits(journal, path):
    journal.record(7, {HOME: {"live": True}}, [("t", "one")])
    limit_pages(journal)
    journal.record(7, {HOME: {"live": True, "more": "x" * 100_000}}, [("t", "two")])
    journal.forget([1, 2])
    journal.append("t", "three")
    journal.maintain()
    again = Journal(path)
    assert [(entry.number, entry.payload) for entry in again.waiting(0, 10)] == [(3, "three")]
    assert again.recall(7)[HOME]["more"] == "x" * 100_000
    journal.forget([3])
    journal.append("t", "four")
    assert [entry.number for entry in journal.waiting(0, 10)] == [4]


def test_a_journal_that_another_process_holds_goes_on_in_memory(journal, path, caplog):
    journal._connection.execute("PRAGMA busy_timeout = 0")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        journal.append("t", "a")
        other.execute("ROLLBACK")
    assert "locked" in caplog.text
    journal.maintain()
    assert [entry.payload for entry in Journal(path).waiting(0, 10)] == ["a"]


def test_events_that_are_too_many_make_room_for_newer_ones_and_it_is_reported_once(path, caplog):
    journal = Journal(path, events_most=3)
    for payload in "abcde":
        journal.append("t", payload)
    assert [entry.payload for entry in journal.waiting(0, 10)] == ["c", "d", "e"]
    assert journal.held == 3
    assert caplog.text.count("the oldest are dropped") == 1


# --- what cannot be opened or read


@pytest.mark.parametrize("damage", [b"no database" * 1000, None], ids=["no database", "damaged pages"])
def test_a_damaged_file_is_set_aside_and_a_new_one_begins(path, caplog, damage):
    with closing(Journal(path)) as journal:
        for _ in range(200):
            journal.append("t", "x" * 1000)
    content = path.read_bytes()
    path.write_bytes(damage or content[:8192] + b"\xff" * 40_000 + content[48_192:])
    journal = Journal(path)
    journal.append("t", "new")
    assert [entry.payload for entry in journal.waiting(0, 1000)] == ["new"]
    assert "is damaged" in caplog.text
    assert (path.parent / f"{path.name}.damaged-1").exists()


def test_a_second_damaged_file_does_not_replace_the_first(path):
    path.parent.mkdir()
    for content in (b"first" * 1000, b"second" * 1000):
        path.write_bytes(content)
        Journal(path).close()
    kept = sorted(file.read_bytes()[:5] for file in path.parent.glob("*.damaged-?"))
    assert kept == [b"first", b"secon"]


def test_a_journal_of_a_newer_version_is_left_alone(path):
    Journal(path).close()
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("PRAGMA user_version = 99")
    with pytest.raises(JournalError, match="written by a newer sense-mqtt: update, or move the file away"):
        Journal(path)


@pytest.mark.parametrize("document", ["", "{", "[1]", "null", "5"])
def test_a_house_that_cannot_be_read_is_not_known_and_reported(journal, path, caplog, document):
    journal.record(7, {HOME: {"live": True}}, [])
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("UPDATE state SET document = ?", (document,))
    assert journal.recall(7) == {}
    assert "the row home of monitor 7 cannot be read; it begins anew" in caplog.text


def damage(journal, path):
    """Damage the pages of an open journal, as a dying card does."""
    journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    journal._connection.execute("PRAGMA cache_size = 0")
    content = path.read_bytes()
    path.write_bytes(content[:8192] + b"\xff" * (len(content) - 8192))
    journal._connection.execute("PRAGMA shrink_memory")


@pytest.mark.parametrize("use", [lambda j: j.append("t", "new"), lambda j: j.record(7, {}, [("t", "new")])])
def test_a_file_that_is_damaged_while_it_is_open_stops_nothing(journal, path, caplog, use):
    for _ in range(200):
        journal.append("t", "x" * 1000)
    damage(journal, path)
    newest = journal.newest
    use(journal)
    assert journal.newest > newest
    assert journal.waiting(newest, 10)[-1].payload == "new"
    assert "cannot be used" in caplog.text
    for _ in range(2):
        journal.maintain()
    journal.append("t", "newer")
    journal.close()
    assert (path.parent / f"{path.name}.damaged-1").exists()
    again = Journal(path)
    assert [entry.payload for entry in again.waiting(newest, 10)] == ["new", "newer"]
    again.close()


def test_what_can_still_be_read_of_a_damaged_file_is_kept(journal, path):
    journal.record(7, {HOME: {"live": True}}, [("t", "a")])
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("DROP TABLE events")
    assert journal.waiting(0, 10) == []
    assert journal.recall(7) == {HOME: {"live": True}}
    journal.append("t", "b")
    assert [(entry.number, entry.payload) for entry in journal.waiting(1, 10)] == [(2, "b")]
