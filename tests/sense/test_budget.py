"""How often we may log in."""

import pytest

from sense_mqtt.errors import RateLimited
from sense_mqtt.sense.budget import Attempt, Limits, LoginBudget, is_spent, wait_s
from sense_mqtt.sense.store import StateFile

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
    assert wait_s([Attempt(NOW - age) for age in ages], Limits(), NOW) == expected


def test_a_day_is_spent_with_the_fourth_login():
    ages = [HOUR, 2 * HOUR, 3 * HOUR]
    assert not is_spent([Attempt(NOW - age) for age in ages], Limits(), NOW)
    assert is_spent([Attempt(NOW - age) for age in [*ages, 4 * HOUR]], Limits(), NOW)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "logins.json"


def budget(path):
    return LoginBudget(StateFile(path))


def test_a_login_counts_after_a_restart(path):
    budget(path).spend(NOW)
    assert budget(path).wait_s(NOW + 60) == 14 * MINUTE
    assert budget(path).count(NOW + 60) == 1
    assert budget(path).count(NOW + HOUR) == 0


def test_a_login_that_never_reached_sense_is_given_back(path):
    budget(path).spend(NOW - HOUR)
    budget(path).spend(NOW)
    budget(path).refund(NOW)
    assert budget(path).wait_s(NOW) == 0
    assert budget(path).count(NOW, 2 * HOUR) == 1


def test_what_became_of_the_last_login_is_known(path):
    assert budget(path).last(NOW) == "unknown"
    budget(path).spend(NOW)
    budget(path).settle(NOW, "unavailable")
    assert budget(path).last(NOW) == "unavailable"
    assert not budget(path).is_spent(NOW)


def test_nothing_is_settled_where_nothing_was_spent(path):
    budget(path).settle(NOW, "ok")
    assert budget(path).count(NOW) == 0


def test_a_login_of_the_future_counts_as_just_made_and_once(path):
    budget(path).spend(NOW + 400 * 86_400)
    assert budget(path).wait_s(NOW) == 15 * MINUTE
    assert budget(path).wait_s(NOW + 10 * MINUTE) == 5 * MINUTE
    assert budget(path).wait_s(NOW + 15 * MINUTE) == 0


def test_a_person_may_mistype_but_not_for_ever(path):
    for second in range(5):
        budget(path).spend_by_hand(NOW + second)
    with pytest.raises(RateLimited, match="wait 15 minutes") as refused:
        budget(path).spend_by_hand(NOW + 6)
    assert refused.value.retry_after_s == 15 * MINUTE
    assert budget(path).wait_s(NOW + 6) > 0  # the bridge itself keeps still meanwhile


@pytest.mark.parametrize("content", ["", "[]", "{", '{"logins": 5}', '{"logins": [5, {}, {"time": "x"}]}'])
def test_a_damaged_file_counts_as_none(path, content):
    path.write_text(content)
    assert budget(path).wait_s(NOW) == 0
