"""What cannot be dealt with ends nothing."""

from sense_mqtt.bridge.error_guard import ErrorGuard
from sense_mqtt.bridge.health import Counters
from sense_mqtt.errors import JournalError


def fail(number):
    raise JournalError(f"the disk is gone {number}")


def fail_otherwise():
    return 1 // 0


def test_a_failure_is_counted_each_time_and_reported_once_whatever_its_words(caplog):
    counters = Counters()
    guard = ErrorGuard(counters)
    for number in range(5):
        guard.attempt("Frame", fail, number)
    assert counters.errors == 5
    assert [record.message for record in caplog.records] == [
        "unexpected error in Frame; item skipped, repeats are only counted"
    ]
    assert "the disk is gone 0" in caplog.text


def test_each_place_and_each_kind_of_item_is_reported(caplog):
    guard = ErrorGuard(Counters())
    guard.attempt("Frame", fail, 1)
    guard.attempt("Tick", fail, 1)
    guard.attempt("Tick", fail_otherwise)
    assert len(caplog.records) == 3


def test_what_works_is_neither_counted_nor_reported(caplog):
    counters, done = Counters(), []
    ErrorGuard(counters).attempt("Frame", done.append, 5)
    assert (done, counters.errors, caplog.text) == ([5], 0, "")
