"""Whose session it is."""

import pytest

from sense_mqtt.errors import (
    LoginRefused,
)
from sense_mqtt.sense.auth.password_login import Credentials
from sense_mqtt.sense.rest_queries.lookups import read_account
from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.sense.sense_fixtures import STATUS, known, session_of

pytestmark = pytest.mark.enable_socket


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


@pytest.fixture
def two():
    """A cloud whose account has a second monitor since the login."""
    with SimulatedCloud(BuiltInHouse(seed=1), BuiltInHouse(seed=2), clock_mode="manual") as cloud:
        yield cloud


@pytest.mark.parametrize(("wanted", "again"), [((), True), ((900_102,), False)], ids=["in time", "by its id, at once"])
def test_a_monitor_that_came_after_the_login_is_found_stored_and_kept(two, tmp_path, clock, wanted, again):
    later = two.service.monitors.pop(900_102)
    session = session_of(two, tmp_path, clock)
    assert [monitor.id for monitor in session.account().monitors] == [900_101]
    two.service.monitors[900_102] = later
    account = read_account(session, wanted, again=again)
    assert [monitor.id for monitor in account.monitors] == [900_101, 900_102]
    assert account.monitors[1].time_zone == "America/New_York"
    clock.advance(86_000)
    session.get(STATUS)
    assert two.records.counts.renews == 1  # whose answer names no monitors
    assert session_of(two, tmp_path, clock).account() == session.account() == account
    asked = two.records.counts.requests
    assert read_account(session, wanted, again=False) == account
    assert two.records.counts.requests == asked
    assert two.records.counts.logins == 1


def test_a_monitor_of_another_account_is_not_ours(two, tmp_path, clock):
    session = session_of(two, tmp_path, clock)
    assert read_account(session, (123,), again=True) == session.account()
    two.faults.refuse(403, path="timeline", body='{"status": "error", "error_reason": "no"}')
    assert read_account(session, (), again=True) == session.account()
