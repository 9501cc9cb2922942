"""A session in an outage waits, and never logs in for it."""

import json

import pytest

from sense_mqtt.errors import (
    LoginRefused,
    NotFound,
    RateLimited,
    RequestRefused,
    SenseUnavailable,
    TokenRefused,
)
from tests.support.sense.sense_fixtures import QUARTER_S, STATUS, session_of

OUTAGES = [
    ("an HTML page", {"status": 503}, SenseUnavailable),
    ("an error 500", {"status": 500, "body": "{}"}, SenseUnavailable),
    ("a limit", {"status": 429, "retry_after": 5}, RateLimited),
    ("a missing path", {"status": 404, "body": "{}"}, NotFound),
    ("a page of a proxy", {"status": 200}, SenseUnavailable),
    ("a firewall", {"status": 403}, SenseUnavailable),
    ("a cut", {"status": -1}, SenseUnavailable),
    ("another refusal", {"status": 405, "body": "{}"}, RequestRefused),
]


@pytest.mark.parametrize(("fault", "kind"), [row[1:] for row in OUTAGES], ids=[row[0] for row in OUTAGES])
def test_a_renewal_that_meets_an_outage_never_leads_to_a_login(cloud, tmp_path, clock, fault, kind):
    posted = []
    session = session_of(cloud, tmp_path, clock, post=posted.append)
    session.token()
    clock.advance(4000)
    cloud.faults.refuse(path="renew", **fault)
    for _ in range(20):
        with pytest.raises((kind, RateLimited)):
            session.get(STATUS)
        clock.advance(60)
    assert session.auth == "unavailable"
    cloud.faults.clear()
    assert session.get(STATUS)
    assert cloud.records.counts.login_attempts == 1
    assert [item.auth for item in posted] == ["ok", "unavailable", "ok"]


def test_while_renewal_must_wait_the_old_token_serves(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock)
    first = session.token()
    clock.advance(3000)
    cloud.faults.refuse(503, path="renew")
    assert session.token() == first
    assert session.token() == first
    assert len(cloud.records.requests("renew")) == 1
    assert session.auth == "ok"
    clock.advance(31)
    cloud.faults.clear()
    assert session.token() != first


def test_a_renewal_without_a_token_is_an_outage(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock)
    session.token()
    clock.advance(4000)
    cloud.faults.refuse(200, path="renew", body="{}")
    with pytest.raises(SenseUnavailable, match="holds no token"):
        session.token()
    assert cloud.records.counts.login_attempts == 1


def test_a_login_that_meets_an_outage_is_repeated_after_a_quarter_of_an_hour(cloud, tmp_path, clock):
    cloud.faults.refuse(503, path="authenticate")
    session = session_of(cloud, tmp_path, clock)
    with pytest.raises(SenseUnavailable, match="has an outage"):
        session.token()
    assert session.auth == "unavailable"
    cloud.faults.clear()
    clock.advance(QUARTER_S - 10)
    with pytest.raises(SenseUnavailable, match="the next login is at 20"):
        session.token()
    assert len(cloud.records.requests("authenticate")) == 1
    clock.advance(11)
    assert session.get(STATUS)
    assert session.auth == "ok"


@pytest.mark.parametrize(
    "written", [{}, {"result": "unknown"}, {"result": ["?"]}], ids=["nothing", "unknown", "a result that is none"]
)
def test_a_login_that_was_cut_off_before_its_answer_is_no_matter_for_a_person(cloud, tmp_path, clock, written):
    attempt = {"time": clock.wall(), **written}  # as a process that was killed then leaves it
    (tmp_path / "logins.json").write_text(json.dumps({"logins": [attempt]}))
    posted = []
    session = session_of(cloud, tmp_path, clock, post=posted.append)
    for _ in range(3):
        with pytest.raises(SenseUnavailable, match=r"cut off before Sense answered; .* the next login is at 20"):
            session.token()
    assert [item.auth for item in posted] == ["unavailable"]
    clock.advance(QUARTER_S)
    assert session.get(STATUS)
    assert [item.auth for item in posted] == ["unavailable", "ok"]
    assert cloud.records.counts.login_attempts == 1


def test_a_day_of_logins_that_were_all_cut_off_needs_a_person(cloud, tmp_path, clock):
    attempts = [{"time": clock.wall() - hours * 3600} for hours in range(1, 5)]
    (tmp_path / "logins.json").write_text(json.dumps({"logins": attempts}))
    with pytest.raises(LoginRefused, match="the next login is at"):
        session_of(cloud, tmp_path, clock).token()


def test_a_login_that_never_left_this_machine_costs_no_budget(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock)
    cloud.stop()
    for _ in range(6):
        with pytest.raises(SenseUnavailable, match="cannot be reached"):
            session.token()
    cloud.start()
    assert session.get(STATUS)
    assert session.logins_last_hour == 1


def test_a_login_without_a_token_is_an_outage(cloud, tmp_path, clock):
    cloud.faults.refuse(200, path="authenticate", body='{"authorized": true}')
    session = session_of(cloud, tmp_path, clock)
    with pytest.raises(SenseUnavailable, match="login holds no token"):
        session.token()
    assert session.auth == "unavailable"


def test_however_many_ask_in_an_outage_renewals_grow_seldom(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock, renewal_wait_s=lambda failures: 2.0**failures)
    session.token()
    clock.advance(4000)
    cloud.faults.refuse(502, path="renew")
    for _ in range(120):
        with pytest.raises(SenseUnavailable):
            session.token()
        clock.advance(1.0)
    assert len(cloud.records.requests("renew")) == 7
    cloud.faults.clear()
    clock.advance(20)
    assert session.token()


def test_a_path_that_refuses_what_others_take_costs_one_renewal(cloud, tmp_path, clock):
    session = session_of(cloud, tmp_path, clock)
    cloud.faults.refuse(401, path="monitors/900101/devices", body="{}")
    for _ in range(5):
        with pytest.raises(TokenRefused):
            session.get("app/monitors/900101/devices")
        assert session.get(STATUS)
    assert cloud.records.counts.renews == 1
    cloud.faults.clear()
    assert session.get("app/monitors/900101/devices")
    cloud.account.expire_access_tokens()
    assert session.get("app/monitors/900101/devices")
    assert cloud.records.counts.renews == 2
