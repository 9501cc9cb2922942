"""What a feed remembers over restarts."""

import json

import pytest

from sense_mqtt.clock import Moment
from sense_mqtt.sense.feed.fallback import Fallback, FallbackRules
from sense_mqtt.sense.feed.saved_state import FeedStateFile

WALL = 1_795_000_000.0
LADDER = Fallback(transport="poll", failures=3, rejections=1, fallbacks=2, next_at=1_060.0, stream_retry_at=1_900.0)


def test_a_restart_knows_where_it_stood(tmp_path):
    FeedStateFile(tmp_path, 1).save(LADDER, Moment(WALL, 1_000.0))
    after = FeedStateFile(tmp_path, 1).load(FallbackRules(), Moment(WALL + 10, 5.0))  # the other clock began anew
    assert after == Fallback(
        transport="poll",
        failures=3,
        rejections=1,
        fallbacks=2,
        next_at=55.0,
        stream_retry_at=895.0,
        retry_after_until=5.0,
    )


def test_the_first_start_knows_nothing(tmp_path):
    assert FeedStateFile(tmp_path, 1).load(FallbackRules(), Moment(WALL, 5.0)) == Fallback(
        next_at=5.0, stream_retry_at=5.0, retry_after_until=5.0
    )


def test_monitors_do_not_share_what_they_remember(tmp_path):
    FeedStateFile(tmp_path, 1).save(LADDER, Moment(WALL, 1_000.0))
    assert FeedStateFile(tmp_path, 2).load(FallbackRules(), Moment(WALL, 5.0)).failures == 0


@pytest.mark.parametrize("mode", ["stream", "poll", "snapshot"])
def test_a_forced_mode_forgets_the_transport(tmp_path, mode):
    FeedStateFile(tmp_path, 1).save(LADDER, Moment(WALL, 1_000.0))
    assert FeedStateFile(tmp_path, 1).load(FallbackRules(mode=mode), Moment(WALL, 5.0)).transport == mode


CLOCKS = [("set back by a year", -365 * 86_400, 60, 900), ("set forward by a year", 365 * 86_400, 0, 0)]


@pytest.mark.parametrize(("by_s", "next_s", "climb_s"), [row[1:] for row in CLOCKS], ids=[row[0] for row in CLOCKS])
def test_no_wait_is_endless_when_the_clock_was(tmp_path, by_s, next_s, climb_s):
    FeedStateFile(tmp_path, 1).save(LADDER, Moment(WALL, 1_000.0))
    after = FeedStateFile(tmp_path, 1).load(FallbackRules(), Moment(WALL + by_s, 0.0))
    assert (after.next_at, after.stream_retry_at) == (next_s, climb_s)


DAMAGED = ["", "[]", "{", '{"rung": 5, "failures": "x", "next_at": null}', '{"rung": "paused", "failures": -1}']


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_memory_is_as_good_as_none(tmp_path, content):
    (tmp_path / "feed-1.json").write_text(content)
    assert FeedStateFile(tmp_path, 1).load(FallbackRules(), Moment(WALL, 5.0)) == Fallback(
        next_at=5.0, stream_retry_at=5.0, retry_after_until=5.0
    )


def test_a_key_that_cannot_be_read_costs_no_other(tmp_path):
    (tmp_path / "feed-1.json").write_text('{"rung": "poll", "failures": "x", "descents": 2, "next_at": []}')
    after = FeedStateFile(tmp_path, 1).load(FallbackRules(), Moment(WALL, 5.0))
    assert (after.transport, after.failures, after.fallbacks, after.next_at) == ("poll", 0, 2, 5.0)


def test_what_cannot_be_written_is_said_once(tmp_path, caplog):
    (tmp_path / "taken").write_text("")
    state_file = FeedStateFile(tmp_path / "taken", 1)
    for _ in range(3):
        state_file.save(LADDER, Moment(WALL, 1_000.0))
    state_file.load(FallbackRules(), Moment(WALL, 5.0))
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_what_is_written_are_figures(tmp_path):
    FeedStateFile(tmp_path, 1).save(LADDER, Moment(WALL, 1_000.0))
    assert json.loads((tmp_path / "feed-1.json").read_text())["next_at"] == WALL + 60
