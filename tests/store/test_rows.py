"""Only rows that changed are written, and the file shrinks again."""

import pytest

HOME = ("home", "")


def changes_of(journal, rows):
    before = journal._connection.total_changes
    journal.record(7, rows, [])
    return journal._connection.total_changes - before


def test_only_rows_that_changed_are_written_and_those_that_are_gone_are_removed(journal):
    rows = {HOME: {"newest": 1}, ("device", "a"): {"state": "on"}, ("device", "b"): {"state": "on"}}
    assert changes_of(journal, rows) == 3
    assert changes_of(journal, rows) == 0
    assert changes_of(journal, {**rows, ("device", "b"): {"state": "off"}}) == 1
    assert changes_of(journal, {HOME: {"newest": 1}}) == 2
    assert journal.recall(7) == {HOME: {"newest": 1}}


def test_of_progress_only_what_differs_is_written_and_all_other_rows_stay(journal):
    rows = {HOME: {"newest": 1}, ("device", "a"): {"state": "on"}, ("cycles", "a"): {"phases": 1}}
    journal.record(7, rows, [])
    before = journal._connection.total_changes
    journal.record_progress(7, {HOME: {"newest": 2}, ("cycles", "a"): {"phases": 1}, ("cycles", "b"): {"phases": 3}})
    assert journal._connection.total_changes - before == 2
    assert journal.recall(7) == {**rows, HOME: {"newest": 2}, ("cycles", "b"): {"phases": 3}}


@pytest.mark.parametrize("turns", [1, 2])
def test_an_event_is_synced_and_progress_is_not_whatever_came_before(journal, turns):
    for _ in range(turns):
        journal.record_progress(7, {HOME: {}})
        assert journal.read("PRAGMA synchronous") == [(1,)]
        journal.record(7, {HOME: {}}, [("t", "p")])
        assert journal.read("PRAGMA synchronous") == [(2,)]


def test_rows_of_other_monitors_stay(journal):
    journal.record(8, {HOME: {"newest": 8}}, [])
    journal.record(7, {}, [])
    assert journal.recall(8) == {HOME: {"newest": 8}}


def test_a_file_that_grew_while_the_broker_was_away_shrinks_again(journal, path):
    journal.record(7, {}, [("t", "x" * 1000) for _ in range(1000)])
    journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    grown = path.stat().st_size
    journal.forget(range(1, 1001))
    journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert path.stat().st_size < grown / 10
