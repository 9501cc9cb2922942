"""The budget of logins, and waiting for a person."""

import json
import logging

import pytest

from sense_mqtt.errors import (
    LoginRefused,
    RateLimited,
    SenseUnavailable,
)
from sense_mqtt.sense.auth.password_login import Credentials
from tests.support.sense.sense_fixtures import QUARTER_S, STATUS, known, session_of


def test_a_refused_renewal_leads_to_one_login(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock)
    session.token()
    clock.advance(4000)
    cloud.account.expire_refresh_tokens()
    assert session.get(STATUS)
    assert cloud.records.counts.logins == 2


def test_logins_are_a_quarter_of_an_hour_apart_over_restarts(cloud, tmp_path, clock):
    session_of(cloud, tmp_path, clock).token()
    cloud.account.expire_refresh_tokens()
    cloud.account.expire_access_tokens()
    posted = []
    for _ in range(5):
        session = session_of(cloud, tmp_path, clock, post=posted.append)
        with pytest.raises(LoginRefused, match="the next login is at"):
            session.get(STATUS)
    assert session.auth == "auth_required"
    assert cloud.records.counts.login_attempts == 1
    clock.advance(QUARTER_S)
    assert session.get(STATUS)
    assert cloud.records.counts.login_attempts == 2


def test_four_logins_a_day_and_no_more(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock)
    for _ in range(100):
        try:
            session.token()
        except LoginRefused:
            pass
        else:
            cloud.account.expire_refresh_tokens()
            cloud.account.expire_access_tokens()
            session.token_refused(session.token())
        clock.advance(600)
    assert cloud.records.counts.logins == 4
    assert session.auth == "auth_required"


def test_while_parked_nothing_is_asked(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock, credentials=known(cloud, password="wrong"))
    for _ in range(50):
        with pytest.raises(LoginRefused, match="Invalid email or password"):
            session.get(STATUS)
        clock.advance(3600)
    assert cloud.records.counts.requests == 1


def test_parking_is_reported_once(cloud, tmp_path, clock, caplog):
    posted = []
    session = session_of(cloud, tmp_path, clock, credentials=known(cloud, password="wrong"), post=posted.append)
    with caplog.at_level(logging.INFO, "sense_mqtt"):
        for _ in range(5):
            with pytest.raises(LoginRefused):
                session.token()
    assert [item.auth for item in posted] == ["auth_required"]
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_what_sense_says_to_the_login_that_was_waited_for_is_logged(cloud, tmp_path, clock, caplog):
    session = session_of(cloud, tmp_path, clock)
    session.token()
    cloud.account.expire_refresh_tokens()
    cloud.account.expire_access_tokens()
    cloud.account.password = "changed by its owner"
    for wait_s in (0, 60, QUARTER_S, 60):
        clock.advance(wait_s)
        with pytest.raises(LoginRefused):
            session.get(STATUS)
    waiting, refused = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert "the next login is at" in waiting
    assert "Invalid email or password" in refused


def test_a_login_stored_by_another_process_ends_the_waiting(cloud, tmp_path, clock):
    posted = []
    parked = session_of(cloud, tmp_path, clock, credentials=Credentials(), post=posted.append)
    with pytest.raises(LoginRefused, match=r"run `sense-mqtt login`"):
        parked.token()
    by_hand = session_of(cloud, tmp_path, clock, credentials=Credentials())
    account = by_hand.log_in(cloud.email, cloud.password, lambda: "")
    assert account.user_id == 900201
    assert parked.get(STATUS)
    assert [item.auth for item in posted] == ["auth_required", "ok"]
    assert cloud.records.counts.login_attempts == 1


def test_a_person_may_log_in_while_the_bridge_may_not(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock, credentials=known(cloud, password="wrong"))
    with pytest.raises(LoginRefused):
        session.token()
    session.log_in(cloud.email, cloud.password, lambda: "")
    assert session.get(STATUS)
    assert session.logins_last_hour == 2


def test_even_a_person_should_not_try_for_ever(cloud, tmp_path, clock):
    cloud.rules.lockout_after = 100
    session = session_of(cloud, tmp_path, clock, credentials=Credentials())
    for _ in range(5):
        with pytest.raises(LoginRefused):
            session.log_in(cloud.email, "wrong", lambda: "")
    with pytest.raises(RateLimited, match="too many logins"):
        session.log_in(cloud.email, cloud.password, lambda: "")
    assert cloud.records.counts.login_attempts == 5


def test_a_locked_account_is_named_and_left_alone_for_hours(cloud, tmp_path, clock):
    cloud.rules.locked = True
    session = session_of(cloud, tmp_path, clock)
    with pytest.raises(LoginRefused, match="account is locked"):
        session.token()
    cloud.rules.locked = False
    clock.advance(3600)
    with pytest.raises(LoginRefused, match="account is locked"):
        session.token()
    assert cloud.records.counts.login_attempts == 1
    clock.advance(5 * 3600)
    assert session.get(STATUS)


def test_what_sense_refused_is_not_tried_again_after_a_restart(cloud, tmp_path, clock):
    for _ in range(5):
        session = session_of(cloud, tmp_path, clock, credentials=known(cloud, password="wrong"))
        with pytest.raises(LoginRefused, match="Invalid email or password"):
            session.token()
        clock.advance(26 * 3600)
    assert cloud.records.counts.login_attempts == 1


def test_what_was_changed_after_a_refusal_is_tried_at_once(cloud, tmp_path, clock):
    with pytest.raises(LoginRefused):
        session_of(cloud, tmp_path, clock, credentials=known(cloud, password="wrong")).token()
    assert session_of(cloud, tmp_path, clock).token()
    cloud.account.expire_access_tokens()
    cloud.account.expire_refresh_tokens()
    clock.advance(4000)
    assert session_of(cloud, tmp_path, clock).get(STATUS)  # and the refusal is forgotten
    assert cloud.records.counts.logins == 2


def test_corrections_that_are_refused_too_do_not_exceed_the_logins_of_a_day(cloud, tmp_path, clock):
    for number in range(9):
        with pytest.raises(LoginRefused):
            session_of(cloud, tmp_path, clock, credentials=known(cloud, password=f"wrong-{number}")).token()
        clock.advance(60)
    assert cloud.records.counts.login_attempts == 4


def test_a_correction_that_meets_an_outage_is_tried_again_a_quarter_of_an_hour_later(cloud, tmp_path, clock):
    with pytest.raises(LoginRefused):
        session_of(cloud, tmp_path, clock, credentials=known(cloud, password="wrong")).token()
    cloud.faults.refuse(503, path="authenticate", times=1)
    for _ in range(5):
        with pytest.raises(SenseUnavailable):
            session_of(cloud, tmp_path, clock).token()
    clock.advance(QUARTER_S)
    assert session_of(cloud, tmp_path, clock).token()
    assert len(cloud.records.requests("authenticate")) == 3


def test_a_correction_that_finds_the_account_locked_is_not_tried_again_by_restarts(cloud, tmp_path, clock):
    with pytest.raises(LoginRefused):
        session_of(cloud, tmp_path, clock, credentials=known(cloud, password="wrong")).token()
    cloud.rules.locked = True
    for _ in range(5):
        with pytest.raises(LoginRefused):
            session_of(cloud, tmp_path, clock).token()
    assert cloud.records.counts.login_attempts == 2


def test_a_login_by_hand_ends_the_refusal(cloud, tmp_path, clock):
    cloud.rules.locked = False
    wrong = session_of(cloud, tmp_path, clock, credentials=known(cloud, password="wrong"))
    with pytest.raises(LoginRefused):
        wrong.token()
    wrong.log_in(cloud.email, cloud.password, lambda: "")
    assert "refused" not in [key for key, value in json.loads((tmp_path / "logins.json").read_text()).items() if value]


def test_what_is_written_of_a_refusal_holds_no_secret(cloud, tmp_path, clock):
    with pytest.raises(LoginRefused):
        session_of(cloud, tmp_path, clock, credentials=known(cloud, password="wrong-password")).token()
    written = (tmp_path / "logins.json").read_text()
    assert "wrong-password" not in written
    assert cloud.email not in written
