"""How often we may log in."""

import json

import pytest

from sense_mqtt.clock import Moment
from sense_mqtt.errors import RateLimited, StateError
from sense_mqtt.sense.auth.login_budget import LoginAttempt, LoginBudget, LoginLimits, LoginRefusal, is_spent, wait_s
from sense_mqtt.sense.state_file import StateFile

NOW = 1_795_000_000.0
MINUTE, HOUR = 60.0, 3_600.0

WAITS = [
    ("the first login", [], 0),
    ("a second one at once", [0], 15 * MINUTE),
    ("a second one after ten minutes", [10 * MINUTE], 5 * MINUTE),
    ("a second one after a quarter of an hour", [15 * MINUTE], 0),
    ("a fourth one", [20 * MINUTE, 2 * HOUR, 3 * HOUR], 0),
    ("a fifth one on a day", [20 * MINUTE, 2 * HOUR, 3 * HOUR, 20 * HOUR], 4 * HOUR),
    ("whatever their order", [20 * HOUR, 2 * HOUR, 20 * MINUTE, 3 * HOUR], 4 * HOUR),
    ("a fifth one on the next day", [HOUR, 2 * HOUR, 3 * HOUR, 24 * HOUR], 0),
]


@pytest.mark.parametrize(("ages", "expected"), [row[1:] for row in WAITS], ids=[row[0] for row in WAITS])
def test_the_wait_before(ages, expected):
    assert wait_s([LoginAttempt(NOW - age) for age in ages], LoginLimits(), NOW) == expected


def test_a_day_is_spent_with_the_fourth_login():
    ages = [HOUR, 2 * HOUR, 3 * HOUR]
    assert not is_spent([LoginAttempt(NOW - age) for age in ages], LoginLimits(), NOW)
    assert is_spent([LoginAttempt(NOW - age) for age in [*ages, 4 * HOUR]], LoginLimits(), NOW)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "logins.json"


def budget(path):
    return LoginBudget(StateFile(path))


def at(after_s, wall_off_s=0.0):
    """So many seconds after NOW; the wall clock may be wrong."""
    return Moment(NOW + after_s + wall_off_s, 5_000.0 + after_s)


def test_a_login_counts_after_a_restart(path):
    budget(path).spend(at(0))
    assert budget(path).wait_s(at(60)) == 14 * MINUTE
    assert budget(path).count(at(60)) == 1
    assert budget(path).count(at(HOUR)) == 0


def test_other_limits_than_the_usual_ones_are_kept(path):
    quick = LoginBudget(StateFile(path), LoginLimits(spacing_s=10))
    quick.spend(at(0))
    assert quick.wait_s(at(4)) == 6
    assert quick.wait_s(at(10)) == 0


def test_a_login_that_never_reached_sense_is_given_back(path):
    budget(path).spend(at(-HOUR))
    budget(path).spend(at(0))
    budget(path).refund(at(0))
    assert budget(path).wait_s(at(0)) == 0
    assert budget(path).count(at(0), 2 * HOUR) == 1


def test_what_became_of_the_last_login_is_known(path):
    assert budget(path).last_result(at(0)) == "unknown"
    budget(path).spend(at(0))
    budget(path).record_result(at(0), "unavailable")
    assert budget(path).last_result(at(0)) == "unavailable"
    assert not budget(path).is_spent(at(0))


def test_nothing_is_settled_where_nothing_was_spent(path):
    budget(path).record_result(at(0), "ok")
    assert budget(path).count(at(0)) == 0


def test_a_person_may_mistype_but_not_for_ever(path):
    for second in range(5):
        budget(path).spend_interactive(at(second))
    with pytest.raises(RateLimited, match="wait 15 minutes") as refused:
        budget(path).spend_interactive(at(6))
    assert refused.value.retry_after_s == 15 * MINUTE
    assert budget(path).wait_s(at(6)) > 0  # the bridge itself keeps still meanwhile


DAMAGED = [
    *("", "[]", "{", '{"logins": 5}', '{"logins": [5, {}, {"time": "x"}]}', '{"logins": {}, "seen": "x"}'),
    *('{"logins": [{"time": Infinity}, {"time": NaN}], "seen": 1e400}', '{"logins": [{"time": 1e300}]}'),
]


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_counts_as_none(path, content):
    path.write_text(content)
    assert budget(path).wait_s(at(0)) == 0


def test_a_row_that_cannot_be_read_makes_no_other_login_forgotten(path):
    path.write_text(f'{{"logins": [5, {{"time": {NOW}, "result": "odd"}}, {{"time": "x"}}], "seen": "x"}}')
    assert budget(path).count(at(60)) == 1
    assert budget(path).last_result(at(60)) == "unknown"


def test_the_keys_on_disk_are_those_of_the_first_version(path):
    running = budget(path)
    running.spend(at(0))
    running.record_refusal(LoginRefusal("ab", "wrong password"))
    running.record_result(at(0), "refused")
    assert json.loads(path.read_text()) == {
        "logins": [{"time": NOW, "result": "refused"}],
        "seen": NOW,
        "refused": {"who": "ab", "why": "wrong password"},
    }


# --- clocks that are wrong


YEAR = 365 * 86_400.0


def spend_the_day(path):
    for hours in (3, 2, 1, 0):
        budget(path).spend(at(-hours * HOUR))


def test_a_clock_that_begins_in_the_past_and_is_set_right_does_not_forget(path):
    """As without a clock of its own, a small computer begins where it was switched off, or in 1970."""
    spend_the_day(path)
    started = budget(path)
    assert started.count(at(60, -YEAR), 24 * HOUR) == 4
    assert started.wait_s(at(120)) > 20 * HOUR  # the name server of times was reached
    assert budget(path).wait_s(at(180)) == pytest.approx(21 * HOUR - 180, abs=MINUTE)
    assert budget(path).is_spent(at(180))


def test_a_login_by_a_clock_in_the_past_counts_once_the_clock_is_right(path):
    running = budget(path)
    running.spend(at(0, -YEAR))
    assert running.wait_s(at(60)) == 14 * MINUTE
    assert budget(path).wait_s(at(120)) == 13 * MINUTE


@pytest.mark.parametrize("off_s", [-YEAR, -HOUR, YEAR], ids=["a year back", "an hour back", "a year forward"])
def test_a_clock_that_is_set_while_we_run_changes_no_wait(path, off_s):
    running = budget(path)
    running.spend(at(0))
    assert running.wait_s(at(10 * MINUTE, off_s)) == pytest.approx(5 * MINUTE)
    assert running.wait_s(at(15 * MINUTE, off_s)) == 0


def test_a_clock_in_the_past_does_not_forget_at_any_restart(path):
    budget(path).spend(at(0))
    for restart in range(5):
        assert budget(path).wait_s(at(restart * MINUTE, -YEAR)) > 10 * MINUTE


def test_a_login_of_the_future_does_not_block_for_ever(path):
    """The clock ran a year fast when it was made."""
    budget(path).spend(at(0, YEAR))
    running = budget(path)
    assert running.wait_s(at(0)) == 15 * MINUTE
    assert running.wait_s(at(15 * MINUTE)) == 0


def test_time_goes_by_over_restarts_too_where_the_clock_is_behind(path):
    budget(path).spend(at(0, YEAR))
    for restart in range(4):
        running, begun = budget(path), restart * 6.5 * HOUR
        for minute in range(0, 391, 30):
            running.count(at(begun + minute * MINUTE))
    assert budget(path).count(at(27 * HOUR), 24 * HOUR) == 0


# --- a file that is gone, or cannot be written


def test_a_file_that_is_removed_while_we_run_makes_nothing_forgotten(path):
    running = budget(path)
    running.spend(at(0))
    path.unlink()
    assert running.wait_s(at(60)) == 14 * MINUTE
    running.spend(at(HOUR))
    assert budget(path).count(at(HOUR), 2 * HOUR) == 2


def test_a_directory_that_is_removed_while_we_run_gets_its_file_again(tmp_path):
    running = budget(tmp_path / "state" / "logins.json")
    running.spend(at(0))
    (tmp_path / "state").rename(tmp_path / "old")
    running.count(at(60))  # as health does each minute
    assert budget(tmp_path / "state" / "logins.json").wait_s(at(60)) == 14 * MINUTE


def test_a_login_that_cannot_be_counted_is_reported_before_it_is_made(tmp_path):
    (tmp_path / "taken").write_text("")
    running = budget(tmp_path / "taken" / "logins.json")
    for _ in range(2):
        with pytest.raises(StateError):
            running.spend(at(0))
    assert running.wait_s(at(0)) == 0


def test_what_became_of_a_login_is_known_where_it_cannot_be_written(path):
    running = budget(path)
    running.spend(at(0))
    path.unlink()
    path.mkdir()
    running.record_result(at(0), "ok")
    assert running.last_result(at(0)) == "ok"
