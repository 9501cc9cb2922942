"""What commands may cost Sense: so many calls in any hour, also over restarts and with any clock."""

import json

import pytest

from sense_mqtt.errors import BudgetSpent
from sense_mqtt.sense.rest_queries.call_budget import CallBudget
from sense_mqtt.sense.state_file import StateFile


def budget_of(path, clock, most=3):
    return CallBudget(StateFile(path / "calls.json"), "REST calls", most, clock)


def spend_all(budget):
    """Return how many calls there was room for, and the refusal."""
    for count in range(100):
        try:
            budget.spend()
        except BudgetSpent as refusal:
            return count, refusal
    raise AssertionError("no bound")


def test_beyond_the_bound_calls_are_refused_with_the_time_left(tmp_path, clock):
    budget = budget_of(tmp_path, clock)
    budget.spend()
    clock.advance(600)
    count, refusal = spend_all(budget)
    assert (count, refusal.retry_after_s) == (2, 3000)
    assert str(refusal) == "commands may cost at most 3 REST calls an hour; wait 3000 s"


def test_what_is_older_than_an_hour_makes_room_one_by_one(tmp_path, clock):
    budget = budget_of(tmp_path, clock)
    for _ in range(3):
        budget.spend()
        clock.advance(60)
    clock.advance(3600 - 180)
    assert spend_all(budget)[0] == 1
    clock.advance(60)
    assert spend_all(budget)[0] == 1


def test_in_any_hour_of_a_day_of_asking_each_ten_seconds_there_are_no_more(tmp_path, clock):
    budget, taken = budget_of(tmp_path, clock, most=5), []
    for second in range(0, 86_400, 10):
        try:
            budget.spend()
            taken.append(second)
        except BudgetSpent:
            pass
        clock.advance(10)
    assert len(taken) == 5 * 24
    assert all(later - first >= 3600 for first, later in zip(taken, taken[5:], strict=False))


def test_a_restart_begins_no_new_hour(tmp_path, clock):
    assert spend_all(budget_of(tmp_path, clock))[0] == 3
    clock.advance(5)
    assert spend_all(budget_of(tmp_path, clock))[0] == 0


@pytest.mark.parametrize("back_s", [60, 86_400])
def test_a_clock_set_back_makes_it_forget_nothing_and_wait_no_longer_than_an_hour(tmp_path, clock, back_s):
    spend_all(budget_of(tmp_path, clock))
    clock.set_wall(clock.wall() - back_s)
    budget = budget_of(tmp_path, clock)
    count, refusal = spend_all(budget)
    assert (count, refusal.retry_after_s) == (0, 3600)
    clock.advance(3600)
    assert spend_all(budget)[0] == 3


def test_several_are_taken_together_or_not_at_all(tmp_path, clock):
    budget = budget_of(tmp_path, clock, most=5)
    budget.spend(3)
    clock.advance(100)
    with pytest.raises(BudgetSpent) as refusal:
        budget.spend(3)
    assert refusal.value.retry_after_s == 3500
    budget.spend(2)
    with pytest.raises(BudgetSpent) as never:
        budget.spend(6)
    assert never.value.retry_after_s == 3600


@pytest.mark.parametrize("content", ["{}", '{"spent": 5}', '{"spent": ["x", null]}', "no JSON", "[]"])
def test_a_file_that_holds_nothing_of_use_counts_as_empty(tmp_path, clock, content):
    (tmp_path / "calls.json").write_text(content)
    assert spend_all(budget_of(tmp_path, clock))[0] == 3


def test_a_state_directory_that_cannot_be_used_still_bounds_the_process(tmp_path, clock):
    (tmp_path / "calls.json").mkdir()
    assert spend_all(budget_of(tmp_path, clock))[0] == 3


def test_it_is_logged_once_an_hour(tmp_path, clock, caplog):
    budget = budget_of(tmp_path, clock, most=0)
    for _ in range(100):
        spend_all(budget)
        clock.advance(60)
    assert caplog.text.count("commands may cost at most 0 REST calls an hour") == 2


def test_the_file_holds_an_hour_and_no_more(tmp_path, clock):
    budget = budget_of(tmp_path, clock, most=10)
    for _ in range(50):
        budget.spend()
        clock.advance(600)
    assert len(json.loads((tmp_path / "calls.json").read_text())["spent"]) == 6
