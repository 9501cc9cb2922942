"""What must survive a crash."""

import sqlite3
from contextlib import closing

import pytest

from sense_mqtt.errors import JournalError
from sense_mqtt.journal import Entry, Journal


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "journal.sqlite3"


@pytest.fixture
def journal(path):
    made = Journal(path)
    yield made
    made.close()


def test_events_come_back_in_order_from_where_the_reader_was(journal):
    journal.record(7, {}, [("t1", "a"), ("t2", "b")])
    journal.append("t3", "c")
    assert journal.waiting(0, 10) == [Entry(1, "t1", "a"), Entry(2, "t2", "b"), Entry(3, "t3", "c")]
    assert journal.waiting(1, 1) == [Entry(2, "t2", "b")]
    assert journal.newest == 3
    assert journal.count() == 3


def test_what_is_forgotten_is_gone_and_its_number_never_comes_again(journal, path):
    journal.record(7, {}, [("t", "a"), ("t", "b")])
    journal.forget([1, 2])
    journal.forget([])
    journal.close()
    again = Journal(path)
    assert (again.count(), again.newest) == (0, 0)
    again.append("t", "c")
    assert again.waiting(0, 10) == [Entry(3, "t", "c")]
    again.close()


def test_a_house_is_recalled_as_it_was_last_recorded(journal):
    assert journal.recall(7) is None
    journal.record(7, {"live": False}, [])
    journal.record(8, {"live": None}, [])
    journal.record(7, {"live": True, "name": "Küche \ud800"}, [])
    assert journal.recall(7) == {"live": True, "name": "Küche \ud800"}
    assert journal.recall(8) == {"live": None}


def test_what_was_recorded_survives_without_a_close(journal, path):
    journal.record(7, {"live": True}, [("t", "a")])
    second = Journal(path)
    assert second.recall(7) == {"live": True}
    assert second.waiting(0, 10) == [Entry(1, "t", "a")]
    assert second.newest == 1
    second.close()


def test_the_folder_is_made_and_closed_to_others(path):
    Journal(path).close()
    assert path.parent.stat().st_mode & 0o777 == 0o700


# --- all or nothing


UNWRITABLE = [
    pytest.param({"live": True}, [("t", "a"), ("t", None)], JournalError, id="an event that is no text"),
    pytest.param({"live": {1, 2}}, [("t", "a")], TypeError, id="a house that is no JSON"),
]


@pytest.mark.parametrize(("document", "events", "error"), UNWRITABLE)
def test_a_house_and_its_events_are_kept_together_or_not_at_all(journal, document, events, error):
    journal.record(7, {"live": False}, [("t", "before")])
    with pytest.raises(error):
        journal.record(7, document, events)
    assert journal.recall(7) == {"live": False}
    assert [entry.payload for entry in journal.waiting(0, 10)] == ["before"]
    assert journal.newest == 1
    journal.append("t", "after")
    assert [entry.payload for entry in journal.waiting(0, 10)] == ["before", "after"]


def test_a_full_disk_is_told_and_mends_itself(journal):
    journal.append("t", "before")
    pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count = {pages}")  # stands for the end of the disk
    with pytest.raises(JournalError, match=r"journal\.sqlite3: cannot be written .*full.*make room"):
        journal.append("t", "x" * 100_000)
    assert journal.newest == 1
    journal._connection.execute("PRAGMA max_page_count = 1000000")
    journal.append("t", "after")
    assert [entry.payload for entry in journal.waiting(0, 10)] == ["before", "after"]


def test_a_journal_that_another_process_holds_is_told_of(journal, path):
    journal._connection.execute("PRAGMA busy_timeout = 0")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="cannot be written"):
            journal.append("t", "a")
        other.execute("ROLLBACK")
    journal.append("t", "a")
    assert journal.count() == 1


# --- what cannot be opened or read


def test_a_folder_that_cannot_be_made_is_told_with_what_to_do(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(JournalError, match=r"cannot be opened .*make its folder writable, or set state_dir"):
        Journal(tmp_path / "file" / "journal.sqlite3")


def test_a_file_that_is_no_journal_is_told(path):
    path.parent.mkdir()
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(JournalError, match=r"journal\.sqlite3: cannot be opened"):
        Journal(path)


@pytest.mark.parametrize("document", ["", "{", "[1]", "null", "5"])
def test_a_house_that_cannot_be_read_is_not_known_and_told(journal, path, caplog, document):
    journal.record(7, {"live": True}, [])
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("UPDATE homes SET document = ?", (document,))
    assert journal.recall(7) is None
    assert "what was known of monitor 7 cannot be read; it begins anew" in caplog.text


def test_reading_from_a_damaged_file_is_an_error_of_ours(journal, path):
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("DROP TABLE events")
    with pytest.raises(JournalError, match="cannot be read"):
        journal.waiting(0, 10)
    with pytest.raises(JournalError, match="cannot be read"):
        journal.count()
