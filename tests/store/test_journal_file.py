"""A journal's file that cannot be made, written or trusted stops no bridge."""

import os
import sqlite3
from contextlib import closing, suppress

import pytest

from sense_mqtt.store.journal import Journal

HOME = ("home", "")


def payloads(journal):
    return [entry.payload for entry in journal.waiting(0, 1000)]


def fill(path, *more):
    """Leave a journal with one house and events."""
    with closing(Journal(path)) as journal:
        journal.record(7, {HOME: {"live": True}}, [("t", "gone"), ("t", "old")])
        journal.forget([1])
        for payload in more:
            journal.append("t", payload)


# --- no place to write to


def dangling_link(path):
    path.parent.symlink_to(path.parent.with_name("nowhere"))


def plain_file(path):
    path.parent.write_text("")


def directory(path):
    path.mkdir(parents=True)


def full_disk(path):
    """A device that takes nothing lies there."""
    path.parent.mkdir()
    path.symlink_to("/dev/full")


PLACES = [dangling_link, plain_file, directory, full_disk]


@pytest.mark.parametrize("spoil", PLACES, ids=lambda spoil: spoil.__name__)
def test_without_a_place_to_write_to_it_begins_in_memory_says_so_and_returns(path, spoil, caplog):
    spoil(path)
    journal = Journal(path)
    journal.record(7, {HOME: {"live": True}}, [("t", "a")])
    journal.maintain()
    assert caplog.text.count("Until then what waits is kept in memory") == 1
    assert payloads(journal) == ["a"]
    mend(path)
    journal.maintain()
    journal.append("t", "b")
    assert payloads(Journal(path)) == ["a", "b"]


def mend(path):
    for each in (path, path.parent):
        with suppress(FileNotFoundError, IsADirectoryError, NotADirectoryError):
            each.unlink()
    with suppress(FileNotFoundError):
        path.rmdir()


# --- a file that cannot be written can be read


def lock_out(path):
    """Let another process hold the file: it cannot be written, but read."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


@pytest.mark.timeout(60)
def test_what_is_in_a_file_that_cannot_be_written_at_the_start_is_known_and_not_lost(path):
    fill(path)
    with closing(lock_out(path)):
        journal = Journal(path)
        assert journal.recall(7) == {HOME: {"live": True}}
        assert payloads(journal) == ["old"]
        journal.append("t", "new")
    journal.maintain()
    journal.close()
    again = Journal(path)
    assert [(entry.number, entry.payload) for entry in again.waiting(0, 10)] == [(2, "old"), (3, "new")]


def test_what_could_not_be_read_at_the_start_is_still_there_after_the_return(path):
    fill(path)
    real = path.with_name("real")
    path.rename(real)
    path.symlink_to(real)  # which is not followed
    journal = Journal(path)
    assert payloads(journal) == []
    journal.append("t", "new")
    journal.record(8, {HOME: {"live": False}}, [])
    path.unlink()
    real.rename(path)
    journal.maintain()
    assert journal.held == 2
    journal.close()
    again = Journal(path)
    assert payloads(again) == ["old", "new"]
    assert (again.recall(7), again.recall(8)) == ({HOME: {"live": True}}, {HOME: {"live": False}})


# --- removed while we run


def remove(path):
    for file in path.parent.iterdir():
        file.unlink()
    path.parent.rmdir()


def move(path):
    path.parent.rename(path.parent.with_name("old"))


def replace(path):
    move(path)
    path.parent.mkdir()


@pytest.mark.parametrize("spoil", [remove, move, replace])
def test_a_directory_that_is_removed_while_we_run_is_made_again_with_all_that_is_known(path, spoil, caplog):
    journal = Journal(path)
    journal.record(7, {HOME: {"live": True}}, [("t", "gone"), ("t", "old")])
    journal.forget([1])
    spoil(path)
    for _ in range(2):
        journal.maintain()
    assert caplog.text.count("it was removed while we run") == 1
    journal.append("t", "new")
    second = Journal(path)  # as after a crash
    assert [(entry.number, entry.payload) for entry in second.waiting(0, 10)] == [(2, "old"), (3, "new")]
    assert second.recall(7) == {HOME: {"live": True}}


def test_it_can_be_removed_again_and_again(path):
    journal = Journal(path)
    for payload in "abc":
        journal.append("t", payload)
        remove(path)
        journal.maintain()
    journal.close()
    assert payloads(Journal(path)) == ["a", "b", "c"]


# --- damage


def damage_each_byte(content):
    """Yield each byte of the header, and every two hundredth beyond, wrong."""
    for offset in [*range(100), *range(100, len(content), 211)]:
        yield offset, content[:offset] + bytes([content[offset] ^ 0x80]) + content[offset + 1 :]


@pytest.mark.timeout(120)
def test_no_wrong_byte_anywhere_keeps_it_from_working_and_from_keeping_what_is_new(path):
    fill(path)
    content, stubborn = path.read_bytes(), []
    for offset, damaged in damage_each_byte(content):
        remove(path)
        path.parent.mkdir()
        path.write_bytes(damaged)
        with closing(Journal(path)) as journal:
            journal.append("t", "new")
            journal.record(7, {HOME: {"live": None}}, [])
            journal.maintain()
            journal.maintain()
            journal.append("t", "newer")
        with closing(Journal(path)) as again:
            if payloads(again)[-2:] != ["new", "newer"] or again.recall(7) != {HOME: {"live": None}}:
                stubborn.append(offset)
    assert stubborn == []


SCHEMA_BYTES = [b"events", b"state", b"payload", b"document", b"sqlite_sequence", b"STRICT"]


@pytest.mark.parametrize("word", SCHEMA_BYTES, ids=lambda word: word.decode())
@pytest.mark.parametrize("wrong", [0x80, 0xE4, 0xFF, ord("X"), 0])
def test_a_damaged_schema_is_set_aside_or_without_effect(path, word, wrong):
    fill(path)
    content = path.read_bytes()
    for offset in [place for place in range(len(content)) if content.startswith(word, place)]:
        remove(path)
        path.parent.mkdir()
        path.write_bytes(content[: offset + 1] + bytes([wrong]) + content[offset + 2 :])
        with closing(Journal(path)) as journal:
            journal.append("t", "new")
            journal.record(7, {HOME: {"live": None}}, [])
        with closing(Journal(path)) as again:
            assert payloads(again)[-1] == "new"
            assert again.recall(7) == {HOME: {"live": None}}


def test_a_header_that_forbids_writing_is_damage(path, caplog):
    """Byte 18 is the version that may write; nothing else of the file says so."""
    fill(path)
    content = path.read_bytes()
    path.write_bytes(content[:18] + b"\x07" + content[19:])
    with closing(Journal(path)) as journal:
        journal.append("t", "new")
    assert "is damaged" in caplog.text
    assert payloads(Journal(path)) == ["new"]


@pytest.mark.parametrize("version", [-1, 100, 2**24 + 1])
def test_a_version_that_cannot_be_is_damage(path, version, caplog):
    fill(path)
    with closing(sqlite3.connect(path)) as other, other:
        other.execute(f"PRAGMA user_version = {version}")
    Journal(path).close()
    assert "is damaged" in caplog.text


def test_a_damaged_file_that_cannot_be_set_aside_stops_nothing(path, caplog):
    path.parent.mkdir()
    path.write_bytes(b"no database" * 1000)
    path.with_name(path.name + "-wal").symlink_to(os.devnull)
    journal = Journal(path)
    journal.append("t", "a")
    journal.maintain()
    assert payloads(journal) == ["a"]
    assert "is kept in memory" in caplog.text
