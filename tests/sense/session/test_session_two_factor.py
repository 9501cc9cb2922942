"""Logins that need a second factor, and the clock it needs."""

import pytest

from sense_mqtt.errors import (
    LoginRefused,
    MfaNeeded,
)
from sense_mqtt.sense.auth.login_flow import ClockWrong
from sense_mqtt.sense.auth.password_login import Credentials
from tests.support.sense.sense_fixtures import DAY_S, STATUS, known, session_of


@pytest.fixture
def guarded(cloud):
    cloud.rules.mfa = True
    return cloud


def test_with_its_secret_two_factor_login_needs_nobody(guarded, tmp_path, clock):
    session = session_of(guarded, tmp_path, clock, credentials=known(guarded, totp_secret=guarded.totp_secret))
    assert session.get(STATUS)
    assert guarded.records.counts.logins == 1


def test_without_its_secret_two_factor_login_needs_a_person(guarded, tmp_path, clock):
    session = session_of(guarded, tmp_path, clock)
    for _ in range(3):
        with pytest.raises(MfaNeeded, match=r"run `sense-mqtt login`, or set sense\.totp_secret"):
            session.token()
        clock.advance(DAY_S)
    assert guarded.records.counts.login_attempts == 1
    assert session.auth == "auth_required"


def test_a_person_types_the_code(guarded, tmp_path, clock, totp):
    session = session_of(guarded, tmp_path, clock, credentials=Credentials())
    session.log_in(guarded.email, guarded.password, lambda: totp(clock.wall()))
    assert session.get(STATUS)


def test_a_person_may_mistype_the_code_once(guarded, tmp_path, clock, totp):
    typed = iter(["000000", totp(clock.wall())])
    session = session_of(guarded, tmp_path, clock, credentials=Credentials())
    session.log_in(guarded.email, guarded.password, lambda: next(typed))
    assert session.get(STATUS)


def test_a_wrong_secret_is_reported_from_a_wrong_clock(guarded, tmp_path, clock):
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    clock.advance(29.99 - clock.wall() % 30)  # the next code is near
    session = session_of(guarded, tmp_path, clock, credentials=known(guarded, totp_secret=secret))
    with pytest.raises(LoginRefused, match=r"clock is right: check sense.totp_secret"):
        session.token()
    assert len(guarded.records.requests("authenticate/mfa")) == 2
    with pytest.raises(LoginRefused):
        session.token()
    assert len(guarded.records.requests("authenticate/mfa")) == 2


@pytest.mark.parametrize("off_s", [-120.0, 120.0, 4000.0])
def test_a_clock_that_is_off_is_corrected_by_senses(guarded, tmp_path, clock, off_s, caplog):
    guarded.faults.clock_offset_s = off_s
    session = session_of(guarded, tmp_path, clock, credentials=known(guarded, totp_secret=guarded.totp_secret))
    assert session.get(STATUS)
    assert f"{'behind' if off_s > 0 else 'ahead of'} Sense's" in caplog.text


def test_a_clock_that_is_off_is_named_and_tried_again_in_an_hour(guarded, tmp_path, clock):
    guarded.faults.clock_offset_s = 300.0
    guarded.faults.refuse(400, path="authenticate/mfa", body='{"error_reason": "client_time is invalid"}')
    session = session_of(guarded, tmp_path, clock, credentials=known(guarded, totp_secret=guarded.totp_secret))
    with pytest.raises(ClockWrong, match=r"clock is (299|300|301) s behind Sense's: set the clock"):
        session.token()
    guarded.faults.clear()
    clock.advance(3601)
    assert session.get(STATUS)


def test_an_account_that_gets_locked_by_a_code_is_named(guarded, tmp_path, clock):
    guarded.faults.refuse(401, path="authenticate/mfa", body='{"error_reason": "Your account is locked"}')
    session = session_of(guarded, tmp_path, clock, credentials=known(guarded, totp_secret=guarded.totp_secret))
    with pytest.raises(LoginRefused, match="account is locked"):
        session.token()
    assert len(guarded.records.requests("authenticate/mfa")) == 1
