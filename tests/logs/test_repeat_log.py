"""Something that goes wrong again and again is logged once."""

import logging

import pytest

from sense_mqtt.logs.repeat_log import RepeatLog

logger = logging.getLogger("sense_mqtt.test")


@pytest.fixture
def lines(caplog):
    """Return a function that returns (level, text) of each line logged so far."""
    caplog.set_level(logging.DEBUG, logger.name)
    return lambda: [(record.levelname, record.getMessage()) for record in caplog.records]


def test_a_condition_is_logged_at_its_level_once_then_at_debug(lines):
    repeats = RepeatLog(logger)
    repeats.log("disk", "%s: no room", "/data")
    repeats.log("disk", "%s: no room", "/data")
    assert lines() == [("WARNING", "/data: no room"), ("DEBUG", "/data: no room")]


def test_the_level_is_the_one_that_was_given(lines):
    RepeatLog(logger).log("disk", "no room", level=logging.ERROR)
    assert lines() == [("ERROR", "no room")]


def test_each_condition_is_logged_for_itself(lines):
    repeats = RepeatLog(logger)
    repeats.log("disk", "no room")
    repeats.log("clock", "it is wrong")
    assert lines() == [("WARNING", "no room"), ("WARNING", "it is wrong")]


def test_a_new_reason_is_logged_again_and_an_old_one_that_comes_back_too(lines):
    repeats = RepeatLog(logger)
    for reason in ("refused", "refused", "timeout", "refused"):
        repeats.log("broker", "no connection: %s", reason, reason=reason)
    assert [level for level, _ in lines()] == ["WARNING", "DEBUG", "WARNING", "WARNING"]


def test_a_condition_that_was_over_is_logged_at_its_level_again(lines):
    repeats = RepeatLog(logger)
    repeats.log("disk", "no room")
    repeats.reset("disk")
    repeats.log("disk", "no room")
    assert [level for level, _ in lines()] == ["WARNING", "WARNING"]


def test_repeats_are_counted_until_the_condition_is_over():
    repeats = RepeatLog(logger)
    for reason in ("refused", "timeout", "timeout"):
        repeats.log("broker", "no connection", reason=reason)
    assert repeats.reset("broker") == 3
    assert repeats.reset("broker") == 0


def test_a_traceback_is_logged_the_first_time_only(caplog):
    caplog.set_level(logging.DEBUG, logger.name)
    repeats, error = RepeatLog(logger), ValueError("bad")
    repeats.log("item", "skipped", exc_info=error)
    repeats.log("item", "skipped", exc_info=error)
    assert [record.exc_info is not None for record in caplog.records] == [True, False]
