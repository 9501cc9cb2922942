"""A journal of version 1, in which each home was one document, is taken over."""

import json
import sqlite3
from contextlib import closing

import pytest

from sense_mqtt.store.journal import Journal

SCHEMA_1 = """
PRAGMA auto_vacuum = FULL;
PRAGMA journal_mode = WAL;
CREATE TABLE homes (monitor INTEGER PRIMARY KEY, document TEXT NOT NULL) STRICT;
CREATE TABLE events (number INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, payload TEXT NOT NULL) STRICT;
CREATE TABLE announced (topic TEXT PRIMARY KEY, rank INTEGER NOT NULL) STRICT;
INSERT INTO events VALUES (41, 't', 'waits');
INSERT INTO announced VALUES ('a', 2);
PRAGMA user_version = 1;
"""
DOCUMENT = {"solar": True, "devices": [{"id": "a", "state": "on"}, {"id": "b", "state": None}]}
ROWS = {
    ("home", ""): {"solar": True},
    ("device", "a"): {"id": "a", "state": "on"},
    ("device", "b"): {"id": "b", "state": None},
}


def make(path, document):
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.executescript(SCHEMA_1)
        old.execute("INSERT INTO homes VALUES (7, ?)", (document,))


def test_its_homes_become_rows_and_all_else_stays(path):
    make(path, json.dumps(DOCUMENT))
    for _ in range(2):
        with closing(Journal(path)) as journal:
            assert journal.recall(7) == ROWS
            assert [(event.number, event.payload) for event in journal.waiting(0, 10)] == [(41, "waits")]
            assert journal.announced() == {"a": 2}
    with closing(Journal(path)) as journal:
        journal.append("t", "new")
        assert journal.newest == 42


DAMAGED = [
    pytest.param("{", {}, id="no JSON"),
    pytest.param("[1]", {}, id="no object"),
    pytest.param('{"devices": 5}', {("home", ""): {}}, id="devices that are no list"),
    pytest.param('{"devices": [5, {"id": 5}]}', {("home", ""): {}}, id="devices without an id"),
]


@pytest.mark.parametrize(("document", "rows"), DAMAGED)
def test_what_cannot_be_read_of_a_home_is_left_out(path, document, rows):
    make(path, document)
    with closing(Journal(path)) as journal:
        assert journal.recall(7) == rows
        assert journal.held == 1


def test_where_it_cannot_be_written_its_homes_are_known_all_the_same(path):
    make(path, json.dumps(DOCUMENT))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        journal = Journal(path)
        assert journal.recall(7) == ROWS
        other.execute("ROLLBACK")
    journal.maintain()
    journal.append("t", "new")
    journal.close()
    with closing(Journal(path)) as again:
        assert again.recall(7) == ROWS
        assert [event.payload for event in again.waiting(0, 10)] == ["waits", "new"]
