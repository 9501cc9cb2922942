"""Whose session it is."""

import pytest
from sense_parts import STATUS, known, session_of

from sense_mqtt.errors import (
    LoginRefused,
)
from sense_mqtt.sense.logins import Credentials


def test_the_first_session_is_a_login(cloud, tmp_path, clock):
    posted = []
    session = session_of(cloud, tmp_path, clock, post=posted.append)
    assert session.auth == "starting"
    account = session.account()
    assert (account.user_id, [monitor.id for monitor in account.monitors]) == (900201, [900101])
    assert account.monitors[0].time_zone == "America/New_York"
    assert account.monitors[0].solar
    assert session.auth == "ok"
    assert [(item.auth, item.reason) for item in posted] == [("ok", "logged in")]
    assert session.logins_last_hour == 1


def test_the_user_is_filled_into_the_path(cloud, tmp_path, clock):
    session_of(cloud, tmp_path, clock).get("users/{user}/timeline", {"n_items": 1})
    assert cloud.records.requests("users/900201/timeline")


def test_no_monitors_is_an_answer_too(cloud, tmp_path, clock):
    cloud.service.monitors.clear()
    assert session_of(cloud, tmp_path, clock).account().monitors == ()


def test_the_session_of_another_account_is_left_alone(cloud, tmp_path, clock, caplog):
    session_of(cloud, tmp_path, clock).token()
    other = session_of(cloud, tmp_path, clock, credentials=known(cloud, email="other@example.com"))
    with pytest.raises(LoginRefused):
        other.account()
    assert "belongs to another account" in caplog.text
    assert "example.com" not in caplog.text


def test_whoever_configured_no_password_takes_any_session(cloud, tmp_path, clock):
    session_of(cloud, tmp_path, clock).token()
    assert session_of(cloud, tmp_path, clock, credentials=Credentials(email="other@example.com")).get(STATUS)
