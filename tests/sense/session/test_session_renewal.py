"""When a session renews its token: in time, by whatever clock, and once."""

import threading

import pytest

from sense_mqtt.errors import (
    TokenRefused,
)
from tests.support.sense.sense_fixtures import DAY_S, STATUS, session_of


def test_a_token_is_renewed_before_its_end(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock)
    first = session.token()
    clock.advance(2870)
    assert session.token() == first
    clock.advance(20)
    assert session.token() != first
    assert session.account().monitors[0].id == 900101  # a renewal does not tell the monitors
    assert cloud.records.counts.logins == 1


def test_tokens_that_live_two_seconds_cost_one_login(cloud, tmp_path, clock):
    cloud.rules.token_life_s = 2
    session = session_of(cloud, tmp_path, clock)
    for _ in range(30):
        assert session.get(STATUS)
        clock.advance(1.9)
    assert cloud.records.counts.logins == 1
    assert cloud.records.counts.renews >= 15


@pytest.mark.parametrize("off_s", [-DAY_S * 400, -7200, 7200, DAY_S * 400])
def test_a_clock_that_is_off_renews_in_time_all_the_same(cloud, tmp_path, clock, off_s):
    cloud.faults.clock_offset_s = off_s
    session = session_of(cloud, tmp_path, clock)
    first = session.token()
    clock.advance(2800)
    assert session.token() == first
    clock.advance(100)
    assert session.token() != first
    assert cloud.records.counts.logins == 1


def test_a_clock_set_back_makes_the_stored_token_doubtful_and_costs_no_login(cloud, tmp_path, clock):
    session_of(cloud, tmp_path, clock).token()
    clock.set_wall(clock.wall() - DAY_S)
    cloud.faults.clock_offset_s = DAY_S  # Sense's clock went on
    assert session_of(cloud, tmp_path, clock).get(STATUS)
    assert (cloud.records.counts.logins, cloud.records.counts.renews) == (1, 1)


def test_a_refused_token_is_renewed_once_and_the_question_repeated(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock)
    session.token()
    cloud.account.expire_access_tokens()
    assert session.get(STATUS)
    assert (cloud.records.counts.logins, cloud.records.counts.renews) == (1, 1)


def test_a_question_that_is_always_refused_ends(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock)
    cloud.faults.refuse(401, path="status", body='{"error_reason": "No"}')
    with pytest.raises(TokenRefused):
        session.get(STATUS)
    assert len(cloud.records.requests(STATUS)) == 2
    assert (cloud.records.counts.logins, cloud.records.counts.renews) == (1, 1)


def test_a_token_that_has_been_replaced_meanwhile_is_not_renewed_again(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock)
    first = session.token()
    clock.advance(1)
    session.token_refused(first)
    second = session.token()
    session.token_refused(first)
    assert session.token() == second
    assert cloud.records.counts.renews == 1


def test_many_threads_renew_once(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock)
    first = session.token()
    clock.advance(1)
    answers, together = [], threading.Barrier(8)

    def ask():
        together.wait(20)
        session.token_refused(first)
        answers.append(session.token())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(answers) == 8
    assert len(set(answers)) == 1
    assert cloud.records.counts.renews == 1


def test_two_processes_renew_once(cloud, tmp_path, clock):
    ours, theirs = session_of(cloud, tmp_path, clock), session_of(cloud, tmp_path, clock)
    assert ours.token() == theirs.token()
    clock.advance(3000)
    assert ours.token() == theirs.token()
    assert (cloud.records.counts.logins, cloud.records.counts.renews) == (1, 1)
