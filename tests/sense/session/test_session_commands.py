"""The session as commands have it: what anybody may type costs Sense little."""

import pytest

from sense_mqtt.errors import BudgetSpent, TokenRefused
from sense_mqtt.sense.rest_queries.call_budget import CallBudget, CommandSession
from sense_mqtt.sense.state_file import StateFile
from tests.support.sense.sense_fixtures import STATUS, session_of


def budget_of(path, clock, most=3):
    return CallBudget(StateFile(path / "calls.json"), "REST calls", most, clock)


@pytest.fixture
def session(cloud, tmp_path, clock):
    return session_of(cloud, tmp_path, clock)


def test_each_question_of_a_command_is_counted_and_beyond_the_bound_sense_is_not_asked(cloud, tmp_path, clock, session):
    commands = CommandSession(session, budget_of(tmp_path, clock))
    for _ in range(3):
        assert commands.get(STATUS)
    with pytest.raises(BudgetSpent):
        commands.get(STATUS)
    assert len(cloud.records.requests(STATUS)) == 3
    assert commands.account().monitors[0].id == 900101
    assert session.get(STATUS)  # what is not typed by anybody is not held up


@pytest.mark.parametrize("status", [401, 403])
def test_paths_that_refuse_a_good_token_cost_one_renewal_for_all_commands(cloud, tmp_path, clock, session, status):
    commands = CommandSession(session, budget_of(tmp_path, clock, most=120))
    cloud.faults.refuse(status, path="nowhere", body="{}")
    for number in range(12):
        with pytest.raises(TokenRefused):
            commands.get(f"nowhere/{number}")
        assert commands.get(STATUS)  # a path that is taken in between changes nothing
        with pytest.raises(TokenRefused):
            commands.get("nowhere/0", {"monitor_id": number})
        clock.advance(3)
    assert cloud.records.counts.renews == 1
    assert len(cloud.records.requests("nowhere")) == 25


def test_after_that_a_token_that_ended_early_is_still_renewed_by_what_nobody_types(cloud, tmp_path, clock, session):
    commands = CommandSession(session, budget_of(tmp_path, clock, most=120))
    cloud.faults.refuse(403, path="nowhere", body="{}")
    with pytest.raises(TokenRefused):
        commands.get("nowhere")
    cloud.account.expire_access_tokens()
    assert session.get(STATUS)
    assert commands.get(STATUS)
    assert cloud.records.counts.renews == 2


def test_a_token_that_ended_early_is_renewed_for_a_command(cloud, tmp_path, clock, session):
    session.token()
    cloud.account.expire_access_tokens()
    assert CommandSession(session, budget_of(tmp_path, clock)).get(STATUS)
    assert cloud.records.counts.renews == 1
